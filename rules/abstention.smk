"""Let models abstain where they are unsure -> results/abstention/"""


rule abstain:
    """Compute risk against coverage of each model, thresholds for a wanted risk, and cascades."""
    input:
        metadata="resources/{dataset}/metadata.parquet",
        scores=scores,
        modes="results/modes/{dataset}/{task}.csv",
        members="results/modes/{dataset}/{task}.members.parquet",
        searches="results/study/searches.csv",
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
        units=setting("datasets/{dataset}/units"),
        resamples=setting("resamples"),
        seed=setting("seed"),
        code=code("abstain"),
    script:
        "../scripts/abstain.py"


rule abstain_in_conditions:
    """Compute what the thresholds of the original audio do in conditions."""
    input:
        metadata="resources/{dataset}/metadata.parquet",
        clean=lambda wildcards: collect(
            "results/scores/{dataset}/{task}/{model}.parquet",
            dataset=wildcards.dataset,
            task=wildcards.task,
            model=STUDY.condition_models(wildcards),
        ),
        in_conditions=scores_in_conditions,
    output:
        "results/abstention/{dataset}/{task}.conditions.csv",
    log:
        "logs/abstain_in_conditions/{dataset}/{task}.log",
    benchmark:
        "benchmarks/abstain_in_conditions/{dataset}/{task}.tsv"
    conda:
        "../envs/statistics.yaml"
    resources:
        mem_mb=growing(1000, 220),
        runtime=growing(10, 1),
    params:
        models=STUDY.condition_models,
        conditions=lambda wildcards: STUDY.conditions(wildcards.dataset),
        units=setting("datasets/{dataset}/units"),
        resamples=setting("resamples"),
        seed=setting("seed"),
        code=code("abstain_in_conditions"),
    script:
        "../scripts/abstain_in_conditions.py"
