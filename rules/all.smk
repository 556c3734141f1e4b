"""The targets of the workflow, and the list of rule files."""


include: "common.smk"
include: "local.smk"
include: "condition_inputs.smk"


onsuccess:
    for page in pages_made("make_report"):
        logger.info(f"Report: {page}")
    for page in pages_made("make_index"):
        logger.info(f"All results: {page}")


wildcard_constraints:
    dataset=one_of(STUDY.datasets),
    model=one_of(STUDY.models),
    task=one_of(STUDY.tasks),
    shard=r"\d+",
    condition=one_of(STUDY.condition_names()),
    probe=one_of(STUDY.probe_names()),


EVERYTHING = [
    "results/report/index.html",
    *STUDY.per_task("results/report/{dataset}/{task}.html"),
    *STUDY.per_task("results/spotlight/{dataset}/{task}/table.parquet"),
    *STUDY.per_task("results/metrics/{dataset}/{task}.csv"),
    *STUDY.per_task("results/comparison/{dataset}/{task}.csv"),
    *STUDY.per_classification("results/abstention/{dataset}/{task}.csv"),
    *STUDY.per_checked("results/checks/{dataset}/{task}.csv"),
    *STUDY.per_task_in_conditions("results/conditions/{dataset}/{task}.csv"),
    *STUDY.per_probed_task("results/probes/{dataset}/{task}.csv"),
    *collect("results/audit/{dataset}.csv", dataset=STUDY.datasets),
    *STUDY.per_task("results/speakers/{dataset}/{task}.csv"),
    *STUDY.per_segmented("results/recordings/{dataset}/{task}.metrics.csv"),
    *collect("results/costs/{model}.csv", model=STUDY.run_models),
]
"""Inputs of the rule `all`, which must be in a Snakefile to be the default target."""


rule datasets:
    """Fetch the datasets and read their metadata."""
    input:
        collect("resources/{dataset}/metadata.parquet", dataset=STUDY.datasets),
    localrule: True


rule audits:
    """Audit the datasets: list faults of their metadata and audio."""
    input:
        collect("results/audit/{dataset}.csv", dataset=STUDY.datasets),
    localrule: True


rule models:
    """Fetch and check the models."""
    input:
        collect("resources/models/{model}/model.json", model=STUDY.models),
    localrule: True


rule predictions:
    """Run every model on every dataset, or read the predictions that are given."""
    input:
        STUDY.per_model("results/failures/{dataset}/{model}.csv"),
    localrule: True


rule scores:
    """Compare the predictions with the labels."""
    input:
        STUDY.per_task_and_model("results/scores/{dataset}/{task}/{model}.parquet"),
    localrule: True


rule metrics:
    """Compute the metrics of every model on every task."""
    input:
        STUDY.per_task("results/metrics/{dataset}/{task}.csv"),
    localrule: True


rule slices:
    """Find the slices in which each model fails."""
    input:
        STUDY.per_task_and_model("results/slices/{dataset}/{task}/{model}.csv"),
        "results/study/searches.csv",
    localrule: True


rule modes:
    """Find the failure modes behind the slices of all models."""
    input:
        STUDY.per_task("results/modes/{dataset}/{task}.csv"),
    localrule: True


rule conditions:
    """Score the models in the conditions of each dataset, and compare them with clean audio."""
    input:
        STUDY.per_model_in_conditions(
            "results/condition_scores/{dataset}/{task}/{model}.parquet"
        ),
        STUDY.per_task_in_conditions("results/conditions/{dataset}/{task}.csv"),
        STUDY.per_probed_task("results/probes/{dataset}/{task}.csv"),
    localrule: True


rule condition_audio:
    """Write the audio of all conditions, to listen to it."""
    input:
        STUDY.per_dataset_condition("results/condition_audio/{dataset}/{condition}"),
    localrule: True


rule comparisons:
    """Compare the models with each other, overall and on every slice."""
    input:
        STUDY.per_task("results/comparison/{dataset}/{task}.csv"),
    localrule: True


rule abstentions:
    """Compute what happens if models do not answer where they are unsure."""
    input:
        STUDY.per_classification("results/abstention/{dataset}/{task}.csv"),
    localrule: True


rule checks:
    """Answer the checks of the models, and fail if one has failed."""
    input:
        STUDY.per_checked("results/checks/{dataset}/{task}.csv"),
        "results/checks/passed.txt",
    localrule: True


rule handovers:
    """Write a model card, a group table, a data sheet and a list of inputs for each model."""
    input:
        collect("results/handover/{model}/README.md", model=STUDY.handed_over()),
    localrule: True


rule collections:
    """List the utterances of unlabelled datasets that most likely belong to the failure modes."""
    input:
        STUDY.per_embedded("results/collect/{dataset}/{task}.html"),
    localrule: True


rule speakers:
    """Compute the results of each speaker, and what it contributes to differences of models."""
    input:
        STUDY.per_task("results/speakers/{dataset}/{task}.csv"),
    localrule: True


rule recordings:
    """Divide recordings into segments, and compute results per recording."""
    input:
        collect("results/recordings/{dataset}.csv", dataset=STUDY.segmented_datasets),
        STUDY.per_segmented("results/recordings/{dataset}/{task}.metrics.csv"),
    localrule: True


rule costs:
    """Measure time and memory of each model on this machine."""
    input:
        collect("results/costs/{model}.csv", model=STUDY.run_models),
    localrule: True


rule reports:
    """Make the reports and their index."""
    input:
        "results/report/index.html",
        STUDY.per_task("results/report/{dataset}/{task}.html"),
    localrule: True


rule views:
    """Make the interactive views."""
    input:
        STUDY.per_task("results/spotlight/{dataset}/{task}/table.parquet"),
    localrule: True


include: "demo.smk"
include: "data.smk"
include: "models.smk"
include: "inference.smk"
include: "recordings.smk"
include: "audit.smk"
include: "given.smk"
include: "costs.smk"
include: "slices.smk"
include: "comparison.smk"
include: "modes.smk"
include: "conditions.smk"
include: "abstention.smk"
include: "checks.smk"
include: "report.smk"
include: "collect.smk"
include: "handover.smk"
