"""Hand over a model: model card, group table, data sheet and inputs -> results/handover/"""


rule hand_over:
    """Write the model card of a model, its group table, the data sheet and the list of inputs."""
    input:
        card="resources/models/{model}/model.json",
        metadata=STUDY.of_handed_over("resources/{dataset}/metadata.parquet"),
        scores=STUDY.of_handed_over("results/scores/{dataset}/{task}/{model}.parquet"),
        metrics=STUDY.of_handed_over("results/metrics/{dataset}/{task}.csv"),
        modes=STUDY.of_handed_over("results/modes/{dataset}/{task}.csv"),
        searches="results/study/searches.csv",
        checks=STUDY.of_handed_over("results/checks/{dataset}/{task}.csv", checked=True),
    output:
        card="results/handover/{model}/README.md",
        groups="results/handover/{model}/groups.csv",
        sheet="results/handover/{model}/test_set.csv",
        sheet_page="results/handover/{model}/test_set.md",
        inputs="results/handover/{model}/inputs.csv",
    log:
        "logs/hand_over/{model}.log",
    benchmark:
        "benchmarks/hand_over/{model}.tsv"
    localrule: True
    conda:
        "../envs/report.yaml"
    params:
        settings=STUDY.hand_over_settings,
        studies=STUDY.hand_over_studies,
        code=code("hand_over"),
    script:
        "../scripts/hand_over.py"
