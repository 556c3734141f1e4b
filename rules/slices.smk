"""Find the slices in which a model fails -> results/slices/"""


rule suggest_slices:
    """Let sliceguard suggest slices for all models of a task, and test them on other speakers.

    One job handles all models, because importing and compiling sliceguard takes longer than the
    search for one model.
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
        models=STUDY.compared,
        searches=STUDY.searches(
            "features",
            "embedding_of",
            "min_support",
            "sample",
            "stability_seeds",
            finder="sliceguard",
        ),
        kind=setting("tasks/{task}/type"),
        units=setting("datasets/{dataset}/units"),
        alpha=setting("alpha"),
        min_drop=setting("tasks/{task}/min_drop"),
        seed=setting("seed"),
        code=code("suggest_slices"),
    script:
        "../scripts/suggest_slices.py"


rule find_slices:
    """Search the metadata for slices of one model, and describe them and the suggested slices."""
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
        searches=STUDY.searches(
            "finder", "features", "embedding_of", "min_support", "depth", "sample"
        ),
        kind=setting("tasks/{task}/type"),
        columns=STUDY.column_names,
        units=setting("datasets/{dataset}/units"),
        alpha=setting("alpha"),
        seed=setting("seed"),
        code=code("find_slices"),
    script:
        "../scripts/find_slices.py"


rule find_units:
    """Find units that the config does not name, and whose utterances have losses that are alike."""
    input:
        metadata="resources/{dataset}/metadata.parquet",
        unit_columns="resources/{dataset}/unit_columns.parquet",
        audit="results/audit/{dataset}.csv",
        scores=scores,
    output:
        "results/units/{dataset}/{task}.csv",
    log:
        "logs/find_units/{dataset}/{task}.log",
    benchmark:
        "benchmarks/find_units/{dataset}/{task}.tsv"
    conda:
        "../envs/statistics.yaml"
    resources:
        mem_mb=growing(1000, 120),
        runtime=growing(10, 1),
    params:
        models=STUDY.compared,
        columns=STUDY.column_settings,
        units=setting("datasets/{dataset}/units"),
        features=STUDY.features,
        target=setting("tasks/{task}/target"),
        alpha=setting("alpha"),
        seed=setting("seed"),
        code=code("find_units"),
    script:
        "../scripts/find_units.py"


rule judge_searches:
    """Gather the searches of the whole study, and adjust their p-values for each other."""
    input:
        searches=STUDY.per_task_and_model(
            "results/slices/{dataset}/{task}/{model}.searches.csv"
        ),
    output:
        table=report(
            "results/study/searches.csv",
            caption="captions/searches.rst",
            category="Slices",
            labels={"dataset": "all", "task": "all", "model": "all"},
        ),
    log:
        "logs/judge_searches.log",
    benchmark:
        "benchmarks/judge_searches.tsv"
    localrule: True
    conda:
        "../envs/statistics.yaml"
    params:
        models=STUDY.compared_models(),
        alpha=setting("alpha"),
        code=code("judge_searches"),
    script:
        "../scripts/judge_searches.py"
