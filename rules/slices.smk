"""Find the slices in which a model fails -> results/slices/"""


rule find_slices:
    """Find and measure the slices of one model, all views in one process."""
    input:
        unpack(embeddings),
        files="resources/{dataset}/files.parquet",
        scores="results/scores/{dataset}/{task}/{model}.parquet",
    output:
        slices="results/slices/{dataset}/{task}/{model}.csv",
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
