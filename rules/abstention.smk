"""Let models abstain where they are unsure -> results/abstention/"""


rule abstain:
    """Compute risk against coverage of each model, thresholds for a wanted risk, and cascades."""
    input:
        metadata="resources/{dataset}/metadata.parquet",
        scores=scores,
        modes="results/modes/{dataset}/{task}.csv",
        members="results/modes/{dataset}/{task}.members.parquet",
    output:
        table=report(
            "results/abstention/{dataset}/{task}.csv",
            caption="captions/abstention.rst",
            category="Abstention",
            labels={"dataset": "{dataset}", "task": "{task}"},
        ),
        thresholds="results/abstention/{dataset}/{task}.thresholds.csv",
        cascades="results/abstention/{dataset}/{task}.cascades.csv",
    log:
        "logs/abstain/{dataset}/{task}.log",
    benchmark:
        "benchmarks/abstain/{dataset}/{task}.tsv"
    conda:
        "../envs/statistics.yaml"
    resources:
        mem_mb=growing(1000, 220),
        runtime=growing(10, 1),
    params:
        models=STUDY.compared,
        sources=STUDY.column_sources,
        metric=setting("tasks/{task}/metric"),
        wanted=setting("abstention/risk"),
        resamples=setting("resamples"),
        seed=setting("seed"),
        code=code("abstain"),
    script:
        "../scripts/abstain.py"
