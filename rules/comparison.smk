"""Scores, metrics and models against each other -> results/scores/, metrics/, comparison/"""


rule score:
    """Hold the predictions of a model against the labels of a task."""
    input:
        metadata="resources/{dataset}/metadata.parquet",
        card="resources/models/{model}/model.json",
        predictions=lambda wildcards: predictions(wildcards.dataset, wildcards.model),
        failures="results/failures/{dataset}/{model}.csv",
    output:
        scores="results/scores/{dataset}/{task}/{model}.parquet",
        summary="results/scores/{dataset}/{task}/{model}.json",
    log:
        "logs/score/{dataset}/{task}/{model}.log",
    benchmark:
        "benchmarks/score/{dataset}/{task}/{model}.tsv"
    conda:
        "../envs/statistics.yaml"
    resources:
        mem_mb=growing(1000, 60),
        runtime=growing(10, 1),
    params:
        task=lambda wildcards: {
            key: value
            for key, value in config["tasks"][wildcards.task].items()
            if key not in ("min_drop", "unit", "margin", "classes", "exclude")
        },
        classes=lambda wildcards: lookups.classes_of(config["tasks"][wildcards.task]),
        scale=lambda wildcards: lookups.scale_of(
            config, wildcards.task, wildcards.model
        ),
        given=lambda wildcards: wildcards.model in GIVEN,
        code=code("score"),
    script:
        "../scripts/score.py"


rule score_references:
    """Score the reference models of a task, which know its labels and hear no speech."""
    input:
        "resources/{dataset}/metadata.parquet",
    output:
        "results/references/{dataset}/{task}.parquet",
    log:
        "logs/score_references/{dataset}/{task}.log",
    benchmark:
        "benchmarks/score_references/{dataset}/{task}.tsv"
    conda:
        "../envs/statistics.yaml"
    resources:
        mem_mb=growing(1000, 60),
        runtime=growing(10, 1),
    params:
        target=lookup("tasks/{task}/target", within=config),
        labels=lambda wildcards: config["tasks"][wildcards.task].get("labels"),
        seed=lookup("seed", within=config),
        code=code("score_references"),
    script:
        "../scripts/score_references.py"


rule measure:
    """Metrics of all models of a task, with intervals, and their confusions."""
    input:
        metadata="resources/{dataset}/metadata.parquet",
        scores=scores,
        references="results/references/{dataset}/{task}.parquet",
    output:
        metrics=report(
            "results/metrics/{dataset}/{task}.csv",
            caption="captions/metrics.rst",
            category="Metrics",
            labels={"dataset": "{dataset}", "task": "{task}"},
        ),
        confusion="results/metrics/{dataset}/{task}.confusion.csv",
    log:
        "logs/measure/{dataset}/{task}.log",
    benchmark:
        "benchmarks/measure/{dataset}/{task}.tsv"
    conda:
        "../envs/statistics.yaml"
    resources:
        mem_mb=growing(1000, 120),
        runtime=growing(10, 1),
    params:
        models=lambda wildcards: lookups.models_of(
            config, wildcards.dataset, wildcards.task
        ),
        labels=lambda wildcards: config["tasks"][wildcards.task].get("labels"),
        resamples=lookup("resamples", within=config),
        seed=lookup("seed", within=config),
        code=code("measure"),
    script:
        "../scripts/measure.py"


rule compare:
    """Each pair of models, overall, on every category and on every slice found for a model."""
    input:
        metadata="resources/{dataset}/metadata.parquet",
        scores=scores,
        references="results/references/{dataset}/{task}.parquet",
        slices=lambda wildcards: collect(
            "results/slices/{dataset}/{task}/{model}.csv",
            dataset=wildcards.dataset,
            task=wildcards.task,
            model=lookups.models_of(config, wildcards.dataset, wildcards.task),
        ),
        members=lambda wildcards: collect(
            "results/slices/{dataset}/{task}/{model}.members.parquet",
            dataset=wildcards.dataset,
            task=wildcards.task,
            model=lookups.models_of(config, wildcards.dataset, wildcards.task),
        ),
    output:
        comparison=report(
            "results/comparison/{dataset}/{task}.csv",
            caption="captions/comparison.rst",
            category="Comparison",
            labels={"dataset": "{dataset}", "task": "{task}"},
        ),
        regressions="results/comparison/{dataset}/{task}.regressions.csv",
        gates="results/comparison/{dataset}/{task}.gates.csv",
    log:
        "logs/compare/{dataset}/{task}.log",
    benchmark:
        "benchmarks/compare/{dataset}/{task}.tsv"
    conda:
        "../envs/statistics.yaml"
    resources:
        mem_mb=growing(1000, 220),
        runtime=growing(10, 1),
    params:
        models=lambda wildcards: lookups.models_of(
            config, wildcards.dataset, wildcards.task
        ),
        sources=lambda wildcards: lookups.sources_of(
            config, lookups.models_of(config, wildcards.dataset, wildcards.task)
        ),
        gate=lookup("gate", within=config),
        columns=lambda wildcards: [
            name
            for name in config["datasets"][wildcards.dataset]["columns"]
            if name != "speaker"
        ],
        kind=lookup("tasks/{task}/type", within=config),
        margin=lambda wildcards: config["tasks"][wildcards.task].get("margin"),
        resamples=lookup("resamples", within=config),
        seed=lookup("seed", within=config),
        code=code("compare"),
    script:
        "../scripts/compare.py"
