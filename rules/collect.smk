"""What to collect next, by the embedding and the outputs of models -> results/collect/"""


rule collect_utterances:
    """List the utterances of unlabelled datasets that most likely belong to each failure mode."""
    input:
        unpack(collected_from),
        embedding=map_embedding,
        metadata="resources/{dataset}/metadata.parquet",
        modes="results/modes/{dataset}/{task}.csv",
        members="results/modes/{dataset}/{task}.members.parquet",
        searches="results/study/searches.csv",
    output:
        directory("results/collect/{dataset}/{task}"),
    log:
        "logs/collect_utterances/{dataset}/{task}.log",
    benchmark:
        "benchmarks/collect_utterances/{dataset}/{task}.tsv"
    conda:
        "../envs/statistics.yaml"
    resources:
        mem_mb=growing(2000, 60),
        runtime=growing(30, 1),
    params:
        pools=STUDY.pools,
        models=STUDY.collecting_models,
        seed=setting("seed"),
        code=code("collect_utterances"),
    script:
        "../scripts/collect_utterances.py"


rule show_collected:
    """Make a page and an interactive view of the utterances to collect, to listen to them."""
    input:
        unpack(pool_audio),
        collected="results/collect/{dataset}/{task}",
    output:
        page=report(
            "results/collect/{dataset}/{task}.html",
            caption="captions/collected.rst",
            category="Reports",
            labels={
                "dataset": "{dataset}",
                "task": "{task}",
                "content": "what to collect",
            },
        ),
        table="results/spotlight/{dataset}/{task}.collected/table.parquet",
        layout="results/spotlight/{dataset}/{task}.collected/layout.json",
        issues="results/spotlight/{dataset}/{task}.collected/issues.json",
    log:
        "logs/show_collected/{dataset}/{task}.log",
    benchmark:
        "benchmarks/show_collected/{dataset}/{task}.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=growing(1500),
        runtime=growing(10),
    params:
        pools=STUDY.pools,
        max_megabytes=setting("report/max_megabytes"),
        code=code("show_collected"),
    script:
        "../scripts/show_collected.py"
