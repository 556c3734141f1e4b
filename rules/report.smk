"""The report and the interactive view, built from tables alone -> results/report/, spotlight/"""


rule bundle_charts:
    """Bundle the library that draws charts in a browser, so that reports need no network."""
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
    """Make the report: one HTML file that opens offline, and the tables behind its charts."""
    input:
        unpack(sources_of_sounds),
        metadata="resources/{dataset}/metadata.parquet",
        audio=audio,
        contents="resources/{dataset}/contents.parquet",
        scores=scores,
        summaries=STUDY.of_compared("results/scores/{dataset}/{task}/{model}.json"),
        cards=STUDY.of_compared("resources/models/{model}/model.json"),
        failures=STUDY.of_compared("results/failures/{dataset}/{model}.csv"),
        silence=lambda wildcards: collect(
            "results/silence/{dataset}/{model}.csv",
            dataset=wildcards.dataset,
            model=STUDY.compared_run_models(wildcards),
        ),
        measures=measures,
        slices=STUDY.of_compared("results/slices/{dataset}/{task}/{model}.csv"),
        members=STUDY.of_compared(
            "results/slices/{dataset}/{task}/{model}.members.parquet"
        ),
        searches=STUDY.of_compared(
            "results/slices/{dataset}/{task}/{model}.searches.csv"
        ),
        study="results/study/searches.csv",
        units="results/units/{dataset}/{task}.csv",
        embedders=lambda wildcards: collect(
            "resources/models/{model}/model.json",
            model=STUDY.helper_settings(wildcards),
        ),
        audit="results/audit/{dataset}.csv",
        hints="results/audit/{dataset}/{task}.hints.csv",
        modes="results/modes/{dataset}/{task}.csv",
        mode_members="results/modes/{dataset}/{task}.members.parquet",
        mode_slices="results/modes/{dataset}/{task}.slices.parquet",
        mode_differences="results/modes/{dataset}/{task}.differences.csv",
        channels="results/modes/{dataset}/{task}.channels.csv",
        abstention=STUDY.abstention_tables,
        checks=STUDY.checks_table,
        recording_tables=STUDY.recording_tables,
        conditions=STUDY.condition_tables,
        probes=STUDY.probe_table,
        metrics="results/metrics/{dataset}/{task}.csv",
        confusion="results/metrics/{dataset}/{task}.confusion.csv",
        comparison="results/comparison/{dataset}/{task}.csv",
        regressions="results/comparison/{dataset}/{task}.regressions.csv",
        gates="results/comparison/{dataset}/{task}.gates.csv",
        speakers="results/speakers/{dataset}/{task}.csv",
        speaker_pairs="results/speakers/{dataset}/{task}.pairs.csv",
        costs=lambda wildcards: collect(
            "results/costs/{model}.csv", model=STUDY.compared_run_models(wildcards)
        ),
        embedding=map_embedding,
        library="resources/vega.js",
    output:
        page=report(
            "results/report/{dataset}/{task}.html",
            caption="captions/report.rst",
            category="Reports",
            labels={"dataset": "{dataset}", "task": "{task}", "content": "report"},
        ),
        summary=report(
            "results/report/{dataset}/{task}.summary.html",
            caption="captions/summary.rst",
            category="Reports",
            labels={"dataset": "{dataset}", "task": "{task}", "content": "summary"},
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
        dataset=STUDY.dataset_shown,
        task=setting(
            "tasks/{task}",
            "type",
            "target",
            "labels",
            "classes",
            "exclude",
            "unit",
            "metric",
            "min_drop",
            "margin",
            "answer_about",
        ),
        models=STUDY.compared_settings,
        sources=STUDY.sources,
        pair=STUDY.answer_pair,
        embedders=STUDY.helper_settings,
        searches=STUDY.searches("finder", "features", "embedding_of", "min_support"),
        mapped=STUDY.map_model,
        conditions=STUDY.task_conditions,
        seed=setting("seed"),
        resamples=setting("resamples"),
        report=setting("report", "max_megabytes", "shortest_seconds"),
        gate=setting("gate"),
        command=command,
        code=code("make_report"),
    script:
        "../scripts/make_report.py"


rule make_index:
    """Make the index: one page with every dataset, task and model, and what failed."""
    input:
        metrics=STUDY.per_task("results/metrics/{dataset}/{task}.csv"),
        comparisons=STUDY.per_task("results/comparison/{dataset}/{task}.csv"),
        modes=STUDY.per_task("results/modes/{dataset}/{task}.csv"),
        searches="results/study/searches.csv",
        checks=STUDY.per_checked("results/checks/{dataset}/{task}.csv"),
        conditions=STUDY.per_task_in_conditions(
            "results/conditions/{dataset}/{task}.worst.csv"
        ),
        reports=STUDY.per_task("results/report/{dataset}/{task}.html"),
        failures=STUDY.per_model("results/failures/{dataset}/{model}.csv"),
        cards=collect("resources/models/{model}/model.json", model=STUDY.models),
        costs=collect("results/costs/{model}.csv", model=STUDY.run_models),
    output:
        page=report(
            "results/report/index.html",
            caption="captions/index.rst",
            category="Reports",
            labels={"dataset": "all", "task": "all", "content": "index"},
        ),
    log:
        "logs/make_index.log",
    benchmark:
        "benchmarks/make_index.tsv"
    localrule: True
    conda:
        "../envs/report.yaml"
    params:
        studies=STUDY.studies(),
        checked=STUDY.checked_studies(),
        conditioned=STUDY.studies_in_conditions(),
        failures=STUDY.scored_pairs(),
        models=STUDY.models,
        run_models=STUDY.run_models,
        code=code("make_index"),
    script:
        "../scripts/make_index.py"


rule make_view:
    """Make the tables of the interactive view, which scripts/view.py opens."""
    input:
        metadata="resources/{dataset}/metadata.parquet",
        audio=audio,
        contents="resources/{dataset}/contents.parquet",
        scores=scores,
        slices=STUDY.of_compared("results/slices/{dataset}/{task}/{model}.csv"),
        members=STUDY.of_compared(
            "results/slices/{dataset}/{task}/{model}.members.parquet"
        ),
        audit="results/audit/{dataset}.csv",
        hints="results/audit/{dataset}/{task}.hints.csv",
        modes="results/modes/{dataset}/{task}.csv",
        mode_members="results/modes/{dataset}/{task}.members.parquet",
        mode_slices="results/modes/{dataset}/{task}.slices.parquet",
        searches="results/study/searches.csv",
        embedding=map_embedding,
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
        task=setting("tasks/{task}", "type", "unit"),
        models=STUDY.compared,
        max_rows=setting("spotlight/max_rows"),
        seed=setting("seed"),
        code=code("make_view"),
    script:
        "../scripts/make_view.py"
