"""Shared by all rules: the config of the study, and helpers that need Snakemake's objects."""

import functools
import os
import sys
import tarfile
import tempfile
import types
from pathlib import Path

import yaml
from snakemake.exceptions import IncompleteCheckpointException
from snakemake.logging import logger
from snakemake.sourcecache import LocalGitFile, LocalSourceFile


def project_folder():
    """Folder with this project's files, also when another workflow imports it as a module.

    If the module comes from a git repository, Snakemake reads only single files. The package needs a
    folder, so the scripts and the schema of the version are unpacked once.
    """
    rules = workflow.current_basedir
    if isinstance(rules, LocalSourceFile):
        return Path(rules).parent
    import git

    repository = (
        git.Repo(rules.repo_path)
        if isinstance(rules, LocalGitFile)
        else rules.hosted_repo.repo
    )
    version = repository.commit(rules.ref).hexsha
    folder = Path(".snakemake", "voxslice", version).absolute()
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as building:
            with tempfile.TemporaryFile() as archive:
                repository.archive(archive, version, path=["scripts", "config"])
                archive.seek(0)
                with tarfile.open(fileobj=archive) as files:
                    files.extractall(building, filter="data")
            Path(building).rename(folder)
            Path(building).mkdir()
    # Snakemake runs scripts of a git repository from its cache, without the package beside them
    os.environ.update(PYTHONPATH=str(folder / "scripts"))
    return folder


PROJECT = project_folder()
SCRIPTS = PROJECT / "scripts"
sys.path.insert(0, str(SCRIPTS))

from voxslice.config import job_resources
from voxslice.config.commands import command_of
from voxslice.config.complete import complete
from voxslice.config.fingerprints import fingerprint
from voxslice.config.job_resources import (
    MODEL,
    costs_memory,
    listing_memory,
    measure_minutes,
    predict_memory,
    predict_minutes,
    probe_memory,
)
from voxslice.config.model_outputs import outputs_read
from voxslice.config.places import check_existence
from voxslice.config.script_texts import check_folders
from voxslice.config.shard_audio import (
    RECORDING_SHARDS,
    longest_allowed,
    state_of_shard,
)
from voxslice.config.study_config import StudyConfig, is_made, one_of
from voxslice.errors import InputError

try:
    schema = (PROJECT / "config/schema.yaml").read_text()
    # the config is changed in place, so that a job on a cluster gets the completed config
    config.update(complete(config, yaml.safe_load(schema)))
    check_existence(config, os.getcwd())
    check_folders(os.getcwd(), workflow.main_snakefile, *workflow.configfiles)
except InputError as error:
    # for an exception, Snakemake would also print a line of this file
    sys.exit(f"Mistake in the config: {error}")

# Snakemake adds the prefix of a module to paths in rules; `made` adds it to all other paths
made = workflow.modifier.path_modifier.replace_prefix
STUDY = StudyConfig(config, made)
setting = STUDY.setting
growing = functools.partial(job_resources.growing, STUDY)


GPUS = 1 if config["device"] == "cuda" else 0
"""Number of GPUs that a job requests if it runs a model."""


# one job per GPU: a machine counts as one GPU, a cluster knows the GPUs of its nodes
resource_scopes:
    gpu="local",


if GPUS and "gpu" not in workflow.global_resources:
    workflow.register_resource("gpu", 1)
elif GPUS and workflow.is_main_process and workflow.resource_scopes.is_local("gpu"):
    # all jobs would share the first GPU
    if workflow.global_resources["gpu"].value > 1:
        sys.exit(
            "A machine counts as one GPU, which CUDA_VISIBLE_DEVICES selects: leave out"
            " --resources gpu, or run one study for each GPU (docs/gpu.md)."
        )


@functools.cache
def code(script):
    """Fingerprint of a script and its imports from the package. An edit reruns its jobs."""
    return fingerprint(SCRIPTS / f"{script}.py")


@functools.cache
def say_uncounted(dataset):
    """Log once per run that some jobs on a dataset are not planned yet."""
    if workflow.is_main_process:
        logger.info(
            f"Jobs that run models on {dataset} are not counted yet: their number is known after the"
            " utterances are listed. Jobs that need their results may be missing as well."
        )


def pages_made(rule):
    """Paths of the pages of a rule that a run asks for, including those that existed before."""
    return sorted(
        os.path.abspath(job.output.page)
        for job in workflow.dag.jobs
        if job.rule.name == rule
    )


def shards(dataset):
    """Numbers of the shards of a dataset. They are known after the checkpoint `split_dataset`."""
    try:
        table = checkpoints.split_dataset.get(dataset=dataset).output[0]
    except IncompleteCheckpointException:
        say_uncounted(dataset)
        raise
    rows = Path(table).read_text().count("\n") - 1  # without the header
    return range(rows)


def recording_shards(dataset):
    """Numbers of the shards of recordings. They are known after `split_recordings`."""
    try:
        table = checkpoints.split_recordings.get(dataset=dataset).output[0]
    except IncompleteCheckpointException:
        say_uncounted(dataset)
        raise
    return range(Path(table).read_text().count("\n") - 1)  # without the header


def recordings(dataset, what):
    """Path of the table of recordings of a dataset, or of the content of their files.

    Args:
        dataset: id of a segmented dataset
        what: `recordings` or `contents`
    """
    separated = dataset in STUDY.separated_datasets
    names = {
        "recordings": "channels" if separated else "listed",
        "contents": "channel_contents" if separated else "contents",
    }
    return f"resources/{dataset}/recordings/{names[what]}.parquet"


def segments(wildcards):
    """Segments of a dataset; none if its utterances are listed."""
    if not STUDY.is_segmented(wildcards):
        return []
    return "resources/{dataset}/segments.parquet"


def predictions(dataset, model):
    """The predictions of a model on a dataset: one file per shard, or one table if given."""
    if model in STUDY.given_models:
        return [f"results/predictions/{dataset}/{model}/table.parquet"]
    return collect(
        "results/predictions/{dataset}/{model}/{shard}.parquet",
        dataset=dataset,
        model=model,
        shard=shards(dataset),
    )


scores = STUDY.of_compared("results/scores/{dataset}/{task}/{model}.parquet")


def scores_in_conditions(wildcards):
    """The scores of each model with a task in all conditions of a dataset."""
    return [
        f"results/condition_scores/{wildcards.dataset}/{wildcards.task}/{model}.parquet"
        for model in STUDY.condition_models(wildcards)
    ]


def measures(wildcards):
    """The measures of a dataset, one file per shard; none if no column is measured."""
    if not STUDY.is_measured(wildcards):
        return []
    return collect(
        "resources/{dataset}/measures/{shard}.parquet",
        dataset=wildcards.dataset,
        shard=shards(wildcards.dataset),
    )


def examined(wildcards):
    """The examined audio of a dataset, one file per shard."""
    return collect(
        "resources/{dataset}/examined/{shard}.parquet",
        dataset=wildcards.dataset,
        shard=shards(wildcards.dataset),
    )


def modes_checked(wildcards):
    """The failure modes of a dataset and task as inputs of its checks, if one is on them."""
    if not STUDY.checks_modes(wildcards):
        return {}
    folder = f"results/modes/{wildcards.dataset}/{wildcards.task}"
    return {
        "modes": f"{folder}.csv",
        "mode_members": f"{folder}.members.parquet",
        "searches": "results/study/searches.csv",
    }


def computed(wildcards):
    """Inputs of the computed columns of a dataset: measures, and predictions by model."""
    columns = STUDY.columns_computed(wildcards).values()
    made = {
        f"model_{column['model']}": predictions(wildcards.dataset, column["model"])
        for column in columns
        if "model" in column
    }
    return made | {"measures": measures(wildcards)}


def embeddings(wildcards):
    """Predictions with the embedding that a search uses, by search."""
    return {
        f"embedding_{search}": predictions(wildcards.dataset, model)
        for search, model in STUDY.embedding_models(wildcards).items()
    }


def map_embedding(wildcards):
    """Predictions with the embedding that the maps show; none if no search uses an embedding."""
    model = STUDY.map_model(wildcards)
    return predictions(wildcards.dataset, model) if model else []


def collected_from(wildcards):
    """Predictions that tell which utterances to collect.

    These are the outputs of the models of a task, and for each dataset without its labels the
    outputs, the embedding and the metadata.
    """
    embedding, models = STUDY.map_model(wildcards), STUDY.collecting_models(wildcards)
    found = {}
    for place, model in enumerate(models):
        found[f"outputs_{place}"] = predictions(wildcards.dataset, model)
        for dataset in STUDY.pools(wildcards):
            found[f"outputs_{place}_{dataset}"] = predictions(dataset, model)
    for dataset in STUDY.pools(wildcards):
        found[f"embedding_{dataset}"] = predictions(dataset, embedding)
        found[f"metadata_{dataset}"] = f"resources/{dataset}/metadata.parquet"
    return found


def command(wildcards, output):
    """Command that makes a report again in the folder that holds the results.

    It is a function of the output, so that Snakemake does not compare it: a config file may move.
    """
    return command_of(
        output.page,
        snakefile=workflow.main_snakefile,
        folder=os.getcwd(),
        configfiles=workflow.configfiles,
        overrides=workflow.config_settings.config,
    )
