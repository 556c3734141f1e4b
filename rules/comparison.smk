"""Score, measure and compare models -> results/scores/, metrics/, comparison/, speakers/"""


rule score:
    """Compare the predictions of a model with the labels of a task."""
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
        task=setting(
            "tasks/{task}", "type", "target", "output", "labels", "label", "scale"
        ),
        classes=STUDY.classes,
        scale=STUDY.scale,
        given=STUDY.is_given,
        code=code("score"),
    script:
        "../scripts/score.py"


rule score_references:
    """Score the reference models of a task, which know the labels and use no audio."""
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
        target=setting("tasks/{task}/target"),
        labels=setting("tasks/{task}/labels"),
        seed=setting("seed"),
        code=code("score_references"),
    script:
        "../scripts/score_references.py"


rule measure:
    """Compute the metrics of all models of a task, with intervals, and their confusions."""
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
        models=STUDY.compared,
        labels=setting("tasks/{task}/labels"),
        units=setting("datasets/{dataset}/units"),
        code=code("measure"),
    script:
        "../scripts/measure.py"


rule compare:
    """Compare each pair of models: overall, on every category and on every slice."""
    input:
        metadata="resources/{dataset}/metadata.parquet",
        scores=scores,
        references="results/references/{dataset}/{task}.parquet",
        slices=STUDY.of_compared("results/slices/{dataset}/{task}/{model}.csv"),
        members=STUDY.of_compared(
            "results/slices/{dataset}/{task}/{model}.members.parquet"
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
        models=STUDY.compared,
        sources=STUDY.sources,
        gate=setting("gate"),
        columns=STUDY.group_columns,
        kind=setting("tasks/{task}/type"),
        margin=setting("tasks/{task}/margin"),
        metric=setting("tasks/{task}/metric"),
        units=setting("datasets/{dataset}/units"),
        resamples=setting("resamples"),
        seed=setting("seed"),
        code=code("compare"),
    script:
        "../scripts/compare.py"


rule compare_speakers:
    """Compute the results of each speaker, and what it contributes to differences of models."""
    input:
        metadata="resources/{dataset}/metadata.parquet",
        scores=scores,
    output:
        speakers=report(
            "results/speakers/{dataset}/{task}.csv",
            caption="captions/speakers.rst",
            category="Speakers",
            labels={"dataset": "{dataset}", "task": "{task}"},
        ),
        pairs="results/speakers/{dataset}/{task}.pairs.csv",
    log:
        "logs/compare_speakers/{dataset}/{task}.log",
    benchmark:
        "benchmarks/compare_speakers/{dataset}/{task}.tsv"
    conda:
        "../envs/statistics.yaml"
    resources:
        mem_mb=growing(1000, 220),
        runtime=growing(10, 1),
    params:
        models=STUDY.compared,
        kind=setting("tasks/{task}/type"),
        metric=setting("tasks/{task}/metric"),
        units=setting("datasets/{dataset}/units"),
        margin=setting("tasks/{task}/margin"),
        sources=STUDY.sources,
        resamples=setting("resamples"),
        seed=setting("seed"),
        code=code("compare_speakers"),
    script:
        "../scripts/compare_speakers.py"
