"""Helpers of the rules: the checked config, the targets of a study, fingerprints of code."""

import csv
import functools
import math
import os
import sys
from pathlib import Path

import yaml

SCRIPTS = Path(workflow.basedir) / "scripts"
sys.path.insert(0, str(SCRIPTS))

from voxslice import workload
from voxslice.config import lookups
from voxslice.config.complete import complete
from voxslice.data import local_data
from voxslice.errors import InputError
from voxslice.config.commands import command_of
from voxslice.config.fingerprints import fingerprint

try:
    schema = Path(workflow.basedir, "config", "schema.yaml").read_text()
    # updated in place: the rules, and the scripts of cluster jobs, see the completed config
    config.update(complete(config, yaml.safe_load(schema)))
except InputError as error:
    # not an exception of Snakemake's, which would end with the place in this file
    sys.exit(f"Mistake in the config: {error}")


GIVEN = [name for name, model in config["models"].items() if "predictions" in model]
RUN = [name for name in config["models"] if name not in GIVEN]
DERIVED = [name for name in RUN if "derive" in config["models"][name]]
FETCHED = [name for name in RUN if name not in DERIVED]
AUDB = [name for name, dataset in config["datasets"].items() if "audb" in dataset]


GPUS = 1 if config["device"] == "cuda" else 0
"""GPUs that a job which runs a model asks for."""


# one job a GPU: a machine counts as one, a cluster knows those of its nodes
resource_scopes:
    gpu="local",


if GPUS and "gpu" not in workflow.global_resources:
    workflow.register_resource("gpu", 1)
elif GPUS and workflow.is_main_process and workflow.resource_scopes.is_local("gpu"):
    # all jobs would share the first one
    if workflow.global_resources["gpu"].value > 1:
        sys.exit(
            "A machine counts as one GPU, that which CUDA_VISIBLE_DEVICES names: leave out"
            " --resources gpu, or run one study for each GPU (docs/gpu.md)."
        )


def one_of(names):
    """Constrain a wildcard to names; to nothing where there are none."""
    return "|".join(names) or "(?!)"


def study(pattern):
    """One target for each pair of dataset and task."""
    return [
        pattern.format(dataset=dataset, task=task)
        for dataset, task in lookups.studies(config)
    ]


def study_models(pattern):
    """One target for each dataset, task and model."""
    return [
        pattern.format(dataset=dataset, task=task, model=model)
        for dataset, task in lookups.studies(config)
        for model in lookups.models_of(config, dataset, task)
    ]


def shards(dataset):
    """Numbers of the shards that inference on a dataset is split into, once that is known."""
    table = checkpoints.split_dataset.get(dataset=dataset).output[0]
    return range(
        Path(table).read_text().count("\n") - 1
    )  # a line a shard, and a header


@functools.cache
def audio_of_shards(table, changed):
    """Seconds of audio, seconds of the longest utterance and state of the audio of each shard.

    `changed` is the modification time of the table.
    """
    with open(table, encoding="utf-8") as file:
        return [
            (float(row["seconds"]), float(row["longest"]), row["state"])
            for row in csv.DictReader(file)
        ]


def audio_of_shard(wildcards):
    """What `audio_of_shards` gives of one shard; None where the dataset is not split yet."""
    table = f"resources/{wildcards.dataset}/shards.csv"
    try:
        return audio_of_shards(table, os.stat(table).st_mtime_ns)[int(wildcards.shard)]
    except (FileNotFoundError, KeyError, IndexError):
        return None


def state_of_shard(wildcards):
    """State of the utterances and the audio of a shard: another one has to be scored again."""
    known = audio_of_shard(wildcards)
    return known[2] if known else None


def longest_allowed(wildcards):
    """The longest utterance of a shard that is scored, in seconds; no limit where none reaches it.

    So another limit scores again only the shards in which it makes a difference.
    """
    limit, known = config["longest_seconds"], audio_of_shard(wildcards)
    return math.inf if known and known[1] <= limit else limit


def predictions(dataset, model):
    """The shards of a model's predictions, or those that are given in their place."""
    if model in GIVEN:
        return [f"results/predictions/{dataset}/{model}/table.parquet"]
    return collect(
        "results/predictions/{dataset}/{model}/{shard}.parquet",
        dataset=dataset,
        model=model,
        shard=shards(dataset),
    )


def scores(wildcards):
    """The scores of all models of a task, in the order of the config."""
    return collect(
        "results/scores/{dataset}/{task}/{model}.parquet",
        dataset=wildcards.dataset,
        task=wildcards.task,
        model=lookups.models_of(config, wildcards.dataset, wildcards.task),
    )


def repository_headers(wildcards):
    """Header of a database in a repository that this workflow makes itself (the embedded study)."""
    source = config["datasets"][wildcards.dataset]["audb"]
    return [
        f"{place['host']}/{place['name']}/{source['name']}/{source['version']}/db.yaml"
        for place in source["repositories"]
        if place["backend"] == "file-system" and place["host"].startswith("resources/")
    ]


def audio_folder(dataset):
    """The folder that a dataset's files are relative to: made here, or where the user has it."""
    source = config["datasets"][dataset]
    if "csv" in source:
        return source["csv"]["audio"]
    if "audformat" in source:
        return source["audformat"]["path"]
    return f"resources/{dataset}/audio"


def audio(wildcards):
    """That folder as an input; the list of utterances, not its time, says whether it changed."""
    return ancient(audio_folder(wildcards.dataset))


def local_tables(dataset):
    """The tables of a dataset that stay where the user has them."""
    source = config["datasets"][dataset]
    if "csv" in source:
        return [source["csv"]["path"]]
    folder = Path(audio_folder(dataset))
    found = [*folder.glob("db.*.csv"), *folder.glob("db.*.parquet")]
    return [f"{folder}/db.yaml", *sorted(str(path) for path in found)]


def tables(wildcards):
    """The tables that a dataset's metadata is read from, or the folder that holds them.

    Of local tables the content counts, not the time: see `tables_of_metadata` and
    `tables_of_listing`.
    """
    if "audb" in config["datasets"][wildcards.dataset]:
        return audio_folder(wildcards.dataset)
    return ancient(local_tables(wildcards.dataset))


@functools.cache
def state_of_tables(*paths):
    """Fingerprint of the content of tables that stay where the user has them."""
    return local_data.tables_state(paths)


def tables_of_metadata(wildcards):
    """State of the tables that the metadata is read from; None where the workflow fetches them."""
    if "audb" in config["datasets"][wildcards.dataset]:
        return None
    return state_of_tables(*local_tables(wildcards.dataset))


def tables_of_listing(wildcards):
    """The same for listing utterances; of a csv only some columns count, see `local_state`."""
    if "csv" in config["datasets"][wildcards.dataset]:
        return None
    return tables_of_metadata(wildcards)


def given_tables(model):
    """The tables of predictions of a model, as inputs of which the content counts."""
    return ancient(list(config["models"][model]["predictions"].values()))


# what a job has seen of local files; no outputs, which would be missing while a job that makes them
# again parses the workflow on a cluster
SEEN = "resources/{dataset}/seen.json"
SEEN_MODEL = "resources/models/{model}/seen.json"


@functools.cache
def local_state(dataset):
    """Fingerprint of utterances and audio that stay where the user has them."""
    source = config["datasets"][dataset]
    if "csv" in source:
        filters = lookups.filters_of(source)
        data = local_data.of_table(**source["csv"], filters=filters)
    elif "audformat" in source:
        data = local_data.of_database(audio_folder(dataset))
    else:
        data = None
    return data and data.fingerprint(SEEN.format(dataset=dataset))


def local_model(name):
    """Files of a model that is not downloaded."""
    model = config["models"][name]
    if "path" in model:
        return [f"{model['path']}/model.yaml", f"{model['path']}/model.onnx"]
    return [] if lookups.is_url(model.get("onnx", "://")) else [model["onnx"]]


def is_made(files):
    """Whether files are made by the workflow itself (the embedded study)."""
    return all(file.startswith("resources/") for file in files)


def model_files(wildcards):
    """Those files as an input; where the user has them, `model_state` says whether they changed."""
    files = local_model(wildcards.model)
    return files if is_made(files) else ancient(files)


@functools.cache
def model_state(name):
    """Fingerprint of the files of a model that stay where the user has them."""
    files = local_model(name)
    if is_made(files):
        return None
    return local_data.of_files(files).fingerprint(SEEN_MODEL.format(model=name))


def computed(wildcards):
    """What the computed columns of a dataset are made from, by measure and by model."""
    columns = lookups.columns_computed(config["datasets"][wildcards.dataset]).values()
    made = {
        f"measure_{column['measure']}": (
            f"resources/{wildcards.dataset}/measures/{column['measure']}.parquet"
        )
        for column in columns
        # the list of utterances has their duration
        if column.get("measure") not in (None, "duration")
    }
    heard = {
        f"model_{column['model']}": predictions(wildcards.dataset, column["model"])
        for column in columns
        if "model" in column
    }
    return made | heard


def embeddings(wildcards):
    """Predictions whose embeddings the searches of a dataset look at, by search."""
    return {
        f"embedding_{name}": predictions(wildcards.dataset, search["embedding_of"])
        for name, search in lookups.searches_of(config, wildcards.dataset).items()
        if "embedding_of" in search
    }


@functools.cache
def code(script):
    """Fingerprint a script and the package's modules that it imports: an edit reruns its jobs."""
    return fingerprint(SCRIPTS / f"{script}.py")


MODEL = "resources/models/{model}/model.onnx"


def size_mb(path):
    """Megabytes of a file, 0 where it is not there yet."""
    return os.stat(path).st_size / 1e6 if os.path.exists(path) else 0


def growing(base, per_mb=0, size_of="resources/{dataset}/utterances.parquet"):
    """Memory (MB) or time (minutes) of a job: grows with the size of a file and with each attempt.

    The table of utterances tells how much all steps behind it have to do. The path is looked at
    here, and not the job's input, since inside of a group of jobs the inputs are yet to be made.
    """

    def amount(wildcards, attempt):
        size = size_mb(size_of.format(**wildcards)) if per_mb else 0
        return math.ceil(attempt * (base + per_mb * size))

    return amount


def listing_memory(wildcards, attempt):
    """Memory (MB) of listing utterances: grows with the tables."""
    source = config["datasets"][wildcards.dataset]
    if "csv" in source:
        files = [source["csv"]["path"]]
    else:
        files = Path(audio_folder(wildcards.dataset)).glob("db.*")
    # a row takes a fifth of the place in Parquet
    sizes = [
        size_mb(file) * (5 if Path(file).suffix == ".parquet" else 1) for file in files
    ]
    return math.ceil(attempt * (1000 + 30 * sum(sizes)))


def audio_scored(wildcards):
    """Seconds of audio of a shard that a model hears, and of its longest utterance."""
    # as long as they may be where it is not split yet
    hours = config["datasets"][wildcards.dataset]["shard_hours"]
    limit = config["longest_seconds"]
    seconds, longest, _ = audio_of_shard(wildcards) or (3600 * hours, limit, None)
    return seconds, min(longest, limit)


def predict_memory(wildcards, attempt, threads):
    """Memory (MB) of scoring a shard: grows with model, threads and longest utterance."""
    _, longest = audio_scored(wildcards)
    model_mb = size_mb(MODEL.format(**wildcards))
    return attempt * workload.memory_mb(longest, model_mb=model_mb, threads=threads)


def predict_minutes(wildcards, attempt, threads):
    """Minutes of scoring a shard: grows with model and shard."""
    seconds, longest = audio_scored(wildcards)
    model_mb = size_mb(MODEL.format(**wildcards))
    return attempt * workload.minutes(
        seconds, longest=longest, model_mb=model_mb, threads=threads
    )


def costs_memory(wildcards, attempt):
    """Memory (MB) of measuring a model, on one utterance at a time."""
    longest = max(config["costs"]["durations"])
    model_mb = size_mb(MODEL.format(**wildcards))
    return attempt * workload.memory_mb(longest, model_mb=model_mb, threads=1)


def models_shown(wildcards):
    """What the report says of the compared models, by id."""
    return {
        name: {key: config["models"][name][key] for key in ("license", "note")}
        for name in lookups.models_of(config, wildcards.dataset, wildcards.task)
    }


def embedders_shown(wildcards):
    """The same of models that are not compared, but give an embedding to a search or a column."""
    compared = lookups.models_of(config, wildcards.dataset, wildcards.task)
    used = {
        search.get("embedding_of")
        for search in lookups.searches_of(config, wildcards.dataset).values()
    } | {
        column.get("model")
        for column in lookups.columns_computed(
            config["datasets"][wildcards.dataset]
        ).values()
    }
    return {
        name: {key: model[key] for key in ("license", "note")}
        for name, model in config["models"].items()
        if name in used and name not in compared
    }


def costs_shown(wildcards):
    """The costs of the compared models; predictions that are given have none."""
    compared = lookups.models_of(config, wildcards.dataset, wildcards.task)
    return collect(
        "results/costs/{model}.csv", model=[name for name in compared if name in RUN]
    )


def of_models(pattern):
    """The files of all models of a task, in the order of the config."""
    return lambda wildcards: [
        pattern.format(model=model, **wildcards)
        for model in lookups.models_of(config, wildcards.dataset, wildcards.task)
    ]


def command(wildcards):
    """The command that makes a report again in the folder that holds the results."""
    return command_of(
        f"results/report/{wildcards.dataset}/{wildcards.task}.html",
        snakefile=workflow.main_snakefile,
        folder=os.getcwd(),
        configfiles=workflow.configfiles,
        overrides=workflow.config_settings.config,
    )


def embedder(wildcards):
    """The model whose embedding the maps show: that of the first search that names one."""
    for search in lookups.searches_of(config, wildcards.dataset).values():
        if "embedding_of" in search:
            return search["embedding_of"]
    return None


def mapped(wildcards):
    """Its predictions; nothing where no search looks at an embedding."""
    model = embedder(wildcards)
    return predictions(wildcards.dataset, model) if model else []
