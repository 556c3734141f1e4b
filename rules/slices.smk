"""Find the slices in which a model fails -> results/slices/"""


def embeddings(wildcards):
    """Predictions whose embeddings the views of a dataset look at, by view."""
    return {
        f"embedding_{name}": predictions(wildcards.dataset, view["embedding"])
        for name, view in settings.views_of(config, wildcards.dataset).items()
        if "embedding" in view
    }


rule find_slices:
    """Find and measure the slices of one model, all views in one process."""
    input:
        unpack(embeddings),
        files="resources/{dataset}/files.parquet",
        scores="results/scores/{dataset}/{task}/{model}.parquet",
    output:
        slices=report(
            "results/slices/{dataset}/{task}/{model}.csv",
            caption="captions/slices.rst",
            category="Slices",
            labels={"dataset": "{dataset}", "task": "{task}", "model": "{model}"},
        ),
        members="results/slices/{dataset}/{task}/{model}.members.parquet",
    log:
        "logs/find_slices/{dataset}/{task}/{model}.log",
    benchmark:
        "benchmarks/find_slices/{dataset}/{task}/{model}.tsv"
    conda:
        "../envs/statistics.yaml"
    params:
        views=lambda wildcards: settings.views_of(config, wildcards.dataset),
        classification=lambda wildcards: is_classification(wildcards.task),
        min_drop=lookup("tasks/{task}/min_drop", within=config),
        columns=lambda wildcards: list(config["datasets"][wildcards.dataset]["columns"]),
        resamples=lookup("resamples", within=config),
        seed=lookup("seed", within=config),
        code=code("find_slices"),
    script:
        "../scripts/find_slices.py"
