"""The report and the interactive view, built from tables alone -> results/report/, spotlight/"""


rule bundle_charts:
    """Bundle the library that draws charts in a browser: the reports hold it, and need no network."""
    output:
        "resources/vega.js",
    log:
        "logs/bundle_charts.log",
    benchmark:
        "benchmarks/bundle_charts.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=growing(1000),
        runtime=growing(10),
    params:
        code=code("bundle_charts"),
    script:
        "../scripts/bundle_charts.py"


rule make_report:
    """Make the report: one HTML file that opens offline, and the numbers that only it has."""
    input:
        metadata="resources/{dataset}/metadata.parquet",
        audio=audio,
        contents="resources/{dataset}/contents.parquet",
        scores=scores,
        summaries=of_models("results/scores/{dataset}/{task}/{model}.json"),
        cards=of_models("resources/models/{model}/model.json"),
        failures=of_models("results/failures/{dataset}/{model}.csv"),
        slices=of_models("results/slices/{dataset}/{task}/{model}.csv"),
        members=of_models("results/slices/{dataset}/{task}/{model}.members.parquet"),
        searches=of_models("results/slices/{dataset}/{task}/{model}.searches.csv"),
        embedders=lambda wildcards: collect(
            "resources/models/{model}/model.json", model=embedders_shown(wildcards)
        ),
        metrics="results/metrics/{dataset}/{task}.csv",
        confusion="results/metrics/{dataset}/{task}.confusion.csv",
        comparison="results/comparison/{dataset}/{task}.csv",
        regressions="results/comparison/{dataset}/{task}.regressions.csv",
        gates="results/comparison/{dataset}/{task}.gates.csv",
        costs=costs_shown,
        embedding=mapped,
        library="resources/vega.js",
    output:
        page=report(
            "results/report/{dataset}/{task}.html",
            caption="captions/report.rst",
            category="Reports",
            labels={"dataset": "{dataset}", "task": "{task}", "content": "report"},
        ),
        calibration=report(
            "results/report/{dataset}/{task}.calibration.csv",
            caption="captions/calibration.rst",
            category="Reports",
            labels={
                "dataset": "{dataset}",
                "task": "{task}",
                "content": "calibration",
            },
        ),
        tradeoff=report(
            "results/report/{dataset}/{task}.tradeoff.csv",
            caption="captions/tradeoff.rst",
            category="Reports",
            labels={"dataset": "{dataset}", "task": "{task}", "content": "trade-off"},
        ),
        heatmap="results/report/{dataset}/{task}.heatmap.csv",
        distributions="results/report/{dataset}/{task}.distributions.csv",
        map="results/report/{dataset}/{task}.map.csv",
    log:
        "logs/make_report/{dataset}/{task}.log",
    benchmark:
        "benchmarks/make_report/{dataset}/{task}.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=growing(1500, 120),
        runtime=growing(10, 1),
    params:
        dataset=lookup("datasets/{dataset}", within=config),
        task=lookup("tasks/{task}", within=config),
        models=models_shown,
        embedders=embedders_shown,
        searches=lambda wildcards: lookups.searches_of(config, wildcards.dataset),
        mapped=embedder,
        seed=lookup("seed", within=config),
        resamples=lookup("resamples", within=config),
        report=lookup("report", within=config),
        gate=lookup("gate", within=config),
        command=command,
        code=code("make_report"),
    script:
        "../scripts/make_report.py"


rule make_view:
    """Make the interactive view; scripts/view.py opens it."""
    input:
        metadata="resources/{dataset}/metadata.parquet",
        audio=audio,
        contents="resources/{dataset}/contents.parquet",
        scores=scores,
        slices=of_models("results/slices/{dataset}/{task}/{model}.csv"),
        members=of_models("results/slices/{dataset}/{task}/{model}.members.parquet"),
        embedding=mapped,
    output:
        table="results/spotlight/{dataset}/{task}/table.parquet",
        layout="results/spotlight/{dataset}/{task}/layout.json",
        issues="results/spotlight/{dataset}/{task}/issues.json",
        slices="results/spotlight/{dataset}/{task}/slices.parquet",
        slices_layout="results/spotlight/{dataset}/{task}/slices.layout.json",
    log:
        "logs/make_view/{dataset}/{task}.log",
    benchmark:
        "benchmarks/make_view/{dataset}/{task}.tsv"
    conda:
        "../envs/report.yaml"
    resources:
        mem_mb=growing(1500, 120),
        runtime=growing(10, 1),
    params:
        task=lambda wildcards: {
            key: value
            for key, value in config["tasks"][wildcards.task].items()
            if key in ("type", "unit")
        },
        models=lambda wildcards: lookups.models_of(
            config, wildcards.dataset, wildcards.task
        ),
        max_rows=lookup("spotlight/max_rows", within=config),
        seed=lookup("seed", within=config),
        code=code("make_view"),
    script:
        "../scripts/make_view.py"
