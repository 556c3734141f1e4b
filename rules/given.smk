"""Predictions from elsewhere, in place of a model that is run -> results/predictions/, failures/"""


rule read_predictions:
    """Check a table of predictions and bring it onto the utterances of a dataset."""
    input:
        utterances="resources/{dataset}/utterances.parquet",
        # its content counts, see params
        table=lambda wildcards: ancient(
            config["models"][wildcards.model]["predictions"][wildcards.dataset]
        ),
    output:
        predictions="results/predictions/{dataset}/{model}/table.parquet",
        failures="results/failures/{dataset}/{model}.csv",
    log:
        "logs/read_predictions/{dataset}/{model}.log",
    benchmark:
        "benchmarks/read_predictions/{dataset}/{model}.tsv"
    wildcard_constraints:
        model=one_of(GIVEN),
    conda:
        "../envs/statistics.yaml"
    resources:
        mem_mb=growing(1000, 60),
        runtime=growing(10, 1),
    params:
        tasks=lambda wildcards: {
            task: lookups.classes_of(config["tasks"][task])
            for task in lookups.tasks_of(config, wildcards.dataset, wildcards.model)
        },
        filtered=lambda wildcards: "filter" in config["datasets"][wildcards.dataset],
        tolerated=lookup("failures_tolerated", within=config),
        state=lambda wildcards: state_of_tables(
            config["models"][wildcards.model]["predictions"][wildcards.dataset]
        ),
        code=code("read_predictions"),
    script:
        "../scripts/read_predictions.py"


rule describe_predictions:
    """Say where the predictions of a model come from, in place of its card."""
    input:
        lambda wildcards: given_tables(wildcards.model),
    output:
        "resources/models/{model}/model.json",
    log:
        "logs/describe_predictions/{model}.log",
    benchmark:
        "benchmarks/describe_predictions/{model}.tsv"
    wildcard_constraints:
        model=one_of(GIVEN),
    localrule: True
    conda:
        "../envs/statistics.yaml"
    params:
        state=lambda wildcards: state_of_tables(
            *config["models"][wildcards.model]["predictions"].values()
        ),
        code=code("describe_predictions"),
    script:
        "../scripts/describe_predictions.py"
