"""Predictions from elsewhere, in place of a model that is run -> results/predictions/, failures/"""


rule read_predictions:
    """Check a table of predictions and bring it onto the utterances of a dataset."""
    input:
        utterances="resources/{dataset}/utterances.parquet",
        table=ancient(STUDY.given_table),  # its content counts, see params
    output:
        predictions="results/predictions/{dataset}/{model}/table.parquet",
        failures="results/failures/{dataset}/{model}.csv",
    log:
        "logs/read_predictions/{dataset}/{model}.log",
    benchmark:
        "benchmarks/read_predictions/{dataset}/{model}.tsv"
    wildcard_constraints:
        model=one_of(STUDY.given_models),
    conda:
        "../envs/statistics.yaml"
    resources:
        mem_mb=growing(1000, 60),
        runtime=growing(10, 1),
    params:
        tasks=STUDY.classes_by_task,
        filtered=STUDY.is_filtered,
        tolerated=setting("failures_tolerated"),
        state=lambda wildcards: state_of_tables(STUDY.given_table(wildcards)),
        code=code("read_predictions"),
    script:
        "../scripts/read_predictions.py"


rule describe_predictions:
    """Say where the predictions of a model come from, in place of its card."""
    input:
        ancient(STUDY.given_tables),
    output:
        "resources/models/{model}/model.json",
    log:
        "logs/describe_predictions/{model}.log",
    benchmark:
        "benchmarks/describe_predictions/{model}.tsv"
    wildcard_constraints:
        model=one_of(STUDY.given_models),
    localrule: True
    conda:
        "../envs/statistics.yaml"
    params:
        state=lambda wildcards: state_of_tables(*STUDY.given_tables(wildcards)),
        code=code("describe_predictions"),
    script:
        "../scripts/describe_predictions.py"
