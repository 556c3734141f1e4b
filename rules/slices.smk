"""Find the slices in which a model fails -> results/slices/"""


rule suggest_slices:
    """Let sliceguard suggest slices for all models of a task, and verify them.

    In one process, since importing and compiling it takes longer than a model does.
    """
    input:
        unpack(embeddings),
        metadata="resources/{dataset}/metadata.parquet",
        scores=scores,
    output:
        table="results/suggestions/{dataset}/{task}.csv",
        members="results/suggestions/{dataset}/{task}.members.parquet",
        halves="results/suggestions/{dataset}/{task}.halves.csv",
    log:
        "logs/suggest_slices/{dataset}/{task}.log",
    benchmark:
        "benchmarks/suggest_slices/{dataset}/{task}.tsv"
    conda:
        "../envs/statistics.yaml"
    resources:
        mem_mb=growing(2000, 60),
        runtime=growing(30, 1),
    params:
        models=lambda wildcards: lookups.models_of(
            config, wildcards.dataset, wildcards.task
        ),
        searches=lambda wildcards: lookups.searches_of(
            config, wildcards.dataset, finder="sliceguard"
        ),
        kind=lookup("tasks/{task}/type", within=config),
        alpha=lookup("alpha", within=config),
        min_drop=lambda wildcards: config["tasks"][wildcards.task].get("min_drop"),
        seed=lookup("seed", within=config),
        code=code("suggest_slices"),
    script:
        "../scripts/suggest_slices.py"


rule find_slices:
    """Search the metadata for slices of one model; measure and describe all of its slices."""
    input:
        metadata="resources/{dataset}/metadata.parquet",
        scores="results/scores/{dataset}/{task}/{model}.parquet",
        suggestions="results/suggestions/{dataset}/{task}.csv",
        suggested="results/suggestions/{dataset}/{task}.members.parquet",
    output:
        slices=report(
            "results/slices/{dataset}/{task}/{model}.csv",
            caption="captions/slices.rst",
            category="Slices",
            labels={"dataset": "{dataset}", "task": "{task}", "model": "{model}"},
        ),
        members="results/slices/{dataset}/{task}/{model}.members.parquet",
        searches="results/slices/{dataset}/{task}/{model}.searches.csv",
    log:
        "logs/find_slices/{dataset}/{task}/{model}.log",
    benchmark:
        "benchmarks/find_slices/{dataset}/{task}/{model}.tsv"
    conda:
        "../envs/statistics.yaml"
    resources:
        mem_mb=growing(1000, 120),
        runtime=growing(10, 1),
    params:
        searches=lambda wildcards: lookups.searches_of(config, wildcards.dataset),
        kind=lookup("tasks/{task}/type", within=config),
        columns=lambda wildcards: list(config["datasets"][wildcards.dataset]["columns"]),
        alpha=lookup("alpha", within=config),
        seed=lookup("seed", within=config),
        code=code("find_slices"),
    script:
        "../scripts/find_slices.py"
