"""Check models against limits, with three answers -> results/checks/"""


rule check_models:
    """Answer the checks of a dataset and task: passed, failed or undecided."""
    input:
        unpack(modes_checked),
        metadata="resources/{dataset}/metadata.parquet",
        scores=lambda wildcards: collect(
            "results/scores/{dataset}/{task}/{model}.parquet",
            dataset=wildcards.dataset,
            task=wildcards.task,
            model=STUDY.checked_models(wildcards),
        ),
        in_conditions=lambda wildcards: [
            f"results/condition_scores/{wildcards.dataset}/{wildcards.task}/{model}.parquet"
            for model in STUDY.checked_in_conditions(wildcards)
        ],
        costs=lambda wildcards: collect(
            "results/costs/{model}.csv", model=STUDY.cost_checked_models(wildcards)
        ),
    output:
        table=report(
            "results/checks/{dataset}/{task}.csv",
            caption="captions/checks.rst",
            category="Checks",
            labels={"dataset": "{dataset}", "task": "{task}"},
        ),
        xml="results/checks/{dataset}/{task}.xml",
        text="results/checks/{dataset}/{task}.md",
    log:
        "logs/check_models/{dataset}/{task}.log",
    benchmark:
        "benchmarks/check_models/{dataset}/{task}.tsv"
    conda:
        "../envs/statistics.yaml"
    resources:
        mem_mb=growing(1000, 220),
        runtime=growing(10, 1),
    params:
        checks=STUDY.checks,
        models=STUDY.checked_models,
        conditions=STUDY.checked_in_conditions,
        cost_models=STUDY.cost_checked_models,
        units=setting("datasets/{dataset}/units"),
        undecided_fails=setting("undecided_fails"),
        code=code("check_models"),
    script:
        "../scripts/check_models.py"


rule enforce_checks:
    """Fail if a check of the study has failed. The tables of the checks are kept."""
    input:
        STUDY.per_checked("results/checks/{dataset}/{task}.csv"),
    output:
        "results/checks/passed.txt",
    log:
        "logs/enforce_checks.log",
    benchmark:
        "benchmarks/enforce_checks.tsv"
    localrule: True
    conda:
        "../envs/statistics.yaml"
    params:
        undecided_fails=setting("undecided_fails"),
        code=code("enforce_checks"),
    script:
        "../scripts/enforce_checks.py"
