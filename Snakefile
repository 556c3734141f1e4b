"""Voxslice finds the slices of a dataset in which voice models fail, and compares models there."""

from snakemake.utils import min_version

min_version("9.25")


# A study given by --configfile replaces the default study. To extend it, give both files.
if "datasets" not in config:

    configfile: workflow.source_path("config/config.yaml")


include: "rules/common.smk"
include: "rules/local.smk"


onsuccess:
    for page in reports_made():
        logger.info(f"Report: {page}")


wildcard_constraints:
    dataset=one_of(STUDY.datasets),
    model=one_of(STUDY.models),
    task=one_of(STUDY.tasks),
    shard=r"\d+",


rule all:
    """Build everything: report and interactive view per dataset and task, and costs per model."""
    input:
        STUDY.per_task("results/report/{dataset}/{task}.html"),
        STUDY.per_task("results/spotlight/{dataset}/{task}/table.parquet"),
        STUDY.per_task("results/metrics/{dataset}/{task}.csv"),
        STUDY.per_task("results/comparison/{dataset}/{task}.csv"),
        collect("results/costs/{model}.csv", model=STUDY.run_models),
    localrule: True


rule datasets:
    """Fetch the datasets and read their metadata."""
    input:
        collect("resources/{dataset}/metadata.parquet", dataset=STUDY.datasets),
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
    localrule: True


rule comparisons:
    """Compare the models with each other, overall and on every slice."""
    input:
        STUDY.per_task("results/comparison/{dataset}/{task}.csv"),
    localrule: True


rule costs:
    """Measure time and memory of each model on this machine."""
    input:
        collect("results/costs/{model}.csv", model=STUDY.run_models),
    localrule: True


rule reports:
    """Make the reports."""
    input:
        STUDY.per_task("results/report/{dataset}/{task}.html"),
    localrule: True


rule views:
    """Make the interactive views."""
    input:
        STUDY.per_task("results/spotlight/{dataset}/{task}/table.parquet"),
    localrule: True


include: "rules/demo.smk"
include: "rules/data.smk"
include: "rules/models.smk"
include: "rules/inference.smk"
include: "rules/given.smk"
include: "rules/costs.smk"
include: "rules/slices.smk"
include: "rules/comparison.smk"
include: "rules/report.smk"
