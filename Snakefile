"""Voxslice: find where voice models fail, slice by slice, and compare them there."""

from snakemake.utils import min_version

min_version("9.25")


# a study of one's own (--configfile) replaces the default study; name both to extend it
if "datasets" not in config:

    configfile: workflow.source_path("config/config.yaml")


include: "rules/common.smk"


wildcard_constraints:
    dataset="|".join(config["datasets"]),
    model="|".join(config["models"]),
    task="|".join(config["tasks"]),
    shard=r"\d+",


rule all:
    """Everything: the report and the interactive view of each dataset and task, and the costs."""
    input:
        study("results/report/{dataset}/{task}.html"),
        study("results/spotlight/{dataset}/{task}/table.parquet"),
        study("results/metrics/{dataset}/{task}.csv"),
        study("results/comparison/{dataset}/{task}.csv"),
        collect("results/costs/{model}.csv", model=RUN),
    localrule: True


rule datasets:
    """Fetch the datasets and read their metadata."""
    input:
        collect("resources/{dataset}/metadata.parquet", dataset=config["datasets"]),
    localrule: True


rule models:
    """Fetch and check the models."""
    input:
        collect("resources/models/{model}/model.json", model=config["models"]),
    localrule: True


rule predictions:
    """Score every dataset with every model, or read the scores that are given."""
    input:
        [
            f"results/failures/{dataset}/{model}.csv"
            for model in config["models"]
            for dataset in lookups.datasets_of(config, model)
        ],
    localrule: True


rule scores:
    """Hold the predictions against the labels."""
    input:
        study_models("results/scores/{dataset}/{task}/{model}.parquet"),
    localrule: True


rule metrics:
    """Measure every model on every task."""
    input:
        study("results/metrics/{dataset}/{task}.csv"),
    localrule: True


rule slices:
    """Find the slices in which a model fails."""
    input:
        study_models("results/slices/{dataset}/{task}/{model}.csv"),
    localrule: True


rule comparisons:
    """Compare the models with each other, overall and on every slice."""
    input:
        study("results/comparison/{dataset}/{task}.csv"),
    localrule: True


rule costs:
    """Measure what each model costs on this machine."""
    input:
        collect("results/costs/{model}.csv", model=RUN),
    localrule: True


rule reports:
    """Make the reports."""
    input:
        study("results/report/{dataset}/{task}.html"),
    localrule: True


rule views:
    """Make the interactive views."""
    input:
        study("results/spotlight/{dataset}/{task}/table.parquet"),
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
