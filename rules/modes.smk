"""Turn the slices of all searches and models into failure modes -> results/modes/"""


rule find_modes:
    """Find the few failure modes behind the slices of a task, and measure them for each model."""
    input:
        metadata="resources/{dataset}/metadata.parquet",
        audit="results/audit/{dataset}.csv",
        scores=scores,
        slices=STUDY.of_compared("results/slices/{dataset}/{task}/{model}.csv"),
        members=STUDY.of_compared(
            "results/slices/{dataset}/{task}/{model}.members.parquet"
        ),
    output:
        modes=report(
            "results/modes/{dataset}/{task}.csv",
            caption="captions/modes.rst",
            category="Failure modes",
            labels={"dataset": "{dataset}", "task": "{task}"},
        ),
        members="results/modes/{dataset}/{task}.members.parquet",
        slices="results/modes/{dataset}/{task}.slices.parquet",
        differences="results/modes/{dataset}/{task}.differences.csv",
        channels="results/modes/{dataset}/{task}.channels.csv",
    log:
        "logs/find_modes/{dataset}/{task}.log",
    benchmark:
        "benchmarks/find_modes/{dataset}/{task}.tsv"
    conda:
        "../envs/statistics.yaml"
    resources:
        mem_mb=growing(1000, 220),
        runtime=growing(10, 1),
    params:
        models=STUDY.compared,
        task=setting("tasks/{task}", "type", "unit"),
        sources=STUDY.column_sources,
        people=STUDY.people_columns,
        channel=STUDY.channel_columns,
        seed=setting("seed"),
        code=code("find_modes"),
    script:
        "../scripts/find_modes.py"
