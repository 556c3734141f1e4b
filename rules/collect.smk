"""What to collect next, by the embedding of utterances -> results/collect/"""


rule collect_utterances:
    """List the utterances of unlabelled datasets that most likely belong to each failure mode."""
    input:
        unpack(pools),
        embedding=map_embedding,
        metadata="resources/{dataset}/metadata.parquet",
        modes="results/modes/{dataset}/{task}.csv",
        members="results/modes/{dataset}/{task}.members.parquet",
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
        seed=setting("seed"),
        code=code("collect_utterances"),
    script:
        "../scripts/collect_utterances.py"
