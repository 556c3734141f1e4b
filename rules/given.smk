"""Read predictions that were made elsewhere -> results/predictions/, failures/"""


rule read_predictions:
    """Check a table of predictions and match its rows with the utterances of a dataset."""
    input:
        utterances="resources/{dataset}/utterances.parquet",
        # ancient: `state` tells whether its content has changed
        table=lambda wildcards: local_input(STUDY.given_table(wildcards)),
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
    """Write the model card of a model that is given as tables of predictions."""
    input:
        lambda wildcards: [local_input(path) for path in STUDY.given_tables(wildcards)],
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
