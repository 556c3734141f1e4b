"""Voxslice finds the slices of a dataset in which voice models fail, and compares models there."""

from snakemake.utils import min_version

min_version("9.25")


# A study given by --configfile replaces the default study. To extend it, give both files.
if "datasets" not in config:

    configfile: workflow.source_path("config/config.yaml")


include: "rules/all.smk"


rule all:
    """Build everything: report and interactive view per dataset and task, and costs per model."""
    input:
        EVERYTHING,
    localrule: True
