"""Checks of a config that a JSON schema cannot express, such as ids and columns that must exist.

Snakemake imports this module each time it parses the workflow, on a cluster once per job. The
module therefore imports no heavy library.
"""

import re
from collections.abc import Mapping
from typing import Any

from voxslice.config.lookups import (
    columns_computed,
    columns_read,
    datasets_of,
    is_url,
    source_of,
    tasks_of,
)
from voxslice.config.places import check_places
from voxslice.errors import InputError
from voxslice.names import REFERENCES

RESERVED = {"models", "checksums", "rooms"}
"""Ids that a dataset must not have, because these folders of resources/ have another use."""


def check_references(config: dict[str, Any]) -> None:
    """Check that ids, columns and paths in a config exist and fit each other.

    Args:
        config: config with all defaults

    Raises:
        InputError: the config has a mistake; one sentence names the key and what to change
    """
    datasets, models, tasks = config["datasets"], config["models"], config["tasks"]
    columns = sorted({name for dataset in datasets.values() for name in dataset["columns"]})
    check_places(config)
    for name, dataset in datasets.items():
        if name in RESERVED:
            raise InputError(f"datasets.{name}: this id is reserved: choose another.")
        taken = {"file", "start", "end", "duration"} & set(dataset["columns"])
        if taken:
            raise InputError(
                f"datasets.{name}.columns: {sorted(taken)[0]} is a column of every table:"
                " choose another name."
            )
        _check_source(name, dataset)
        _check_computed(name, config)
        _check_file_names(name, dataset)
    for name, model in models.items():
        if name in REFERENCES:
            raise InputError(
                f"models.{name}: this id is reserved for a reference model: choose another."
            )
        unknown = [task for task in model["tasks"] if task not in tasks]
        if unknown:
            raise InputError(
                f"models.{name}.tasks: there is no task {unknown[0]!r}; the tasks are"
                f" {', '.join(tasks)}."
            )
        _check_model(name, model, models, tasks)
        _check_predictions(name, model, config)
    for name, task in tasks.items():
        if task["target"] not in columns:
            raise InputError(
                f"tasks.{name}.target: no dataset has the column {task['target']!r};"
                f" the columns are {', '.join(columns)}."
            )
        users = [
            model
            for model in models
            if any(
                name in tasks_of(config, dataset, model) for dataset in datasets_of(config, model)
            )
        ]
        if not users:
            raise InputError(f"tasks.{name}: no model has this task: add it to a model's tasks.")
        _check_classes(name, task)
        _check_labels(name, config)
        _check_answer(name, task, models, users)
        if "output" not in task and any("predictions" not in models[model] for model in users):
            raise InputError(
                f"tasks.{name}: give the output of the models that holds their predictions."
            )
    for name, dataset in config["datasets"].items():
        unknown = [unit for unit in dataset["units"] if unit not in dataset["columns"]]
        if unknown:
            raise InputError(
                f"datasets.{name}.units: the dataset has no column {unknown[0]!r}; the columns are"
                f" {', '.join(dataset['columns'])}."
            )
    for name, search in config["searches"].items():
        unknown = [feature for feature in search["features"] if feature not in columns]
        if unknown:
            raise InputError(
                f"searches.{name}.features: no dataset has the column {unknown[0]!r}; the columns"
                f" are {', '.join(columns)}."
            )
        source = search.get("embedding_of")
        if source is not None and source not in models:
            raise InputError(
                f"searches.{name}.embedding_of: there is no model {source!r}; the models are"
                f" {', '.join(models)}."
            )
        if source is not None and "predictions" in models[source]:
            raise InputError(
                f"searches.{name}.embedding_of: {source} is given as predictions and has no"
                " embedding: name another model."
            )
        if source is None and not search["features"]:
            raise InputError(f"searches.{name}: give features, embedding_of, or both.")


def _check_source(name: str, dataset: Mapping[str, Any]) -> None:
    """Check that the table, the columns and the filter of a dataset fit its source."""
    place, source, columns = f"datasets.{name}", source_of(dataset), dataset["columns"]
    if source == "csv":
        if "table" in dataset:
            raise InputError(f"{place}.table: a csv is one table: remove this key.")
        for column, settings in columns_read(dataset).items():
            other = [key for key in ("table", "map") if key in settings]
            if other:
                raise InputError(
                    f"{place}.columns.{column}.{other[0]}: a csv is one table without schemes:"
                    " remove this key."
                )
    else:
        if "table" not in dataset:
            raise InputError(f"{place}.table: name the table whose rows are the utterances.")
        for column, settings in columns.items():
            if "column" in settings and "table" not in settings:
                raise InputError(
                    f"{place}.columns.{column}.table: name the table that has the column."
                )
    known = columns_read(dataset)
    if known.get("speaker", {}).get("type") == "number":
        raise InputError(f"{place}.columns.speaker.type: a speaker is a category: remove this key.")
    for column in dataset.get("filter", {}):
        if column not in known:
            raise InputError(
                f"{place}.filter: {column!r} is not read from the data; the columns that are:"
                f" {', '.join(known)}."
            )


def _check_scale(name: str, model: Mapping[str, Any], tasks: Mapping[str, Any]) -> None:
    """Check that classifications of the model read the outputs with a scale."""
    if "scale" in model and "predictions" in model:
        raise InputError(
            f"models.{name}.scale: a table of predictions has no outputs, and its columns"
            " <task>.<class> are probabilities: remove this key."
        )
    own = [tasks[task] for task in model["tasks"]]
    outputs = [
        task["output"] for task in own if task["type"] == "classification" and "output" in task
    ]
    unknown = [output for output in model.get("scale", {}) if output not in outputs]
    if unknown:
        raise InputError(
            f"models.{name}.scale.{unknown[0]}: no classification of the model reads this output;"
            f" the outputs that are read: {', '.join(dict.fromkeys(outputs)) or 'none'}."
        )


def _check_model(
    name: str, model: Mapping[str, Any], models: Mapping[str, Any], tasks: Mapping[str, Any]
) -> None:
    """Check the keys that depend on the source of a model."""
    if "trust" in model and "path" not in model:
        raise InputError(
            f"models.{name}.trust: only the code of a local folder, which path names, can be"
            " trusted: remove this key."
        )
    downloaded = is_url(model.get("url") or model.get("onnx", ""))
    if "sha256" in model and not (downloaded or "trust" in model):
        raise InputError(
            f"models.{name}.sha256: only a download or a trusted folder has a checksum: remove this"
            " key."
        )
    if "onnx" in model and "outputs" not in model:
        raise InputError(
            f"models.{name}.outputs: an ONNX file without a model.yaml does not name the labels of"
            " its outputs: give them here."
        )
    if "outputs" in model and not ("onnx" in model or "hub" in model):
        raise InputError(f"models.{name}.outputs: its model.yaml has the labels: remove this key.")
    for key in ("pool", "window"):
        if key in model and ("derive" in model or "predictions" in model):
            raise InputError(
                f"models.{name}.{key}: only a model that is fetched can have it, and variants are"
                " as their source: remove this key."
            )
    _check_scale(name, model, tasks)
    if "derive" not in model:
        return
    source = model["derive"]["from"]
    if "file" in model["derive"] and "hub" not in models[source]:
        raise InputError(
            f"models.{name}.derive.file: {source} is no hub folder, so it has no other file: use"
            " quantize instead."
        )
    if model["derive"].get("file", "") == models[source].get("hub", {}).get("file"):
        raise InputError(
            f"models.{name}.derive.file: {source} itself is this file: name another one."
        )
    if "predictions" in models[source]:
        raise InputError(
            f"models.{name}.derive.from: {source} is given as predictions: name a model that is"
            " run."
        )
    for key in ("embedding_output", "sampling_rate"):
        if model[key] != models[source][key]:
            raise InputError(
                f"models.{name}.{key}: a variant has the value of its source {source}: remove this"
                " key."
            )
    alone = [task for task in model["tasks"] if task not in models[source]["tasks"]]
    if alone:
        raise InputError(
            f"models.{name}.tasks: its source {source} does not have the task {alone[0]!r}: add the"
            " task there, because a variant is compared with its source."
        )


def _check_labels(name: str, config: Mapping[str, Any]) -> None:
    """Check that the labels of a classification are not read as numbers."""
    task = config["tasks"][name]
    regressions = [other for other in config["tasks"].values() if other["type"] == "regression"]
    if task in regressions or any(other["target"] == task["target"] for other in regressions):
        return
    for dataset, settings in config["datasets"].items():
        if settings["columns"].get(task["target"], {}).get("type") == "number":
            raise InputError(
                f"datasets.{dataset}.columns.{task['target']}.type: the column holds the labels of"
                f" the classification {name}, which are categories: remove this key."
            )


def _check_classes(name: str, task: Mapping[str, Any]) -> None:
    """Check that the classes of models stand for labels of the classification."""
    for given, label in task.get("classes", {}).items():
        place = f"tasks.{name}.classes.{given}"
        if label not in (*task["labels"], given):
            raise InputError(
                f"{place}: {label!r} is not a label of the task; the labels are"
                f" {', '.join(task['labels'])}."
            )
        if given in task["exclude"]:
            raise InputError(f"{place}: this class is also in exclude: remove it in one place.")


def _check_answer(
    name: str, task: Mapping[str, Any], models: Mapping[str, Any], users: list[str]
) -> None:
    """Check that the models that the answer compares have the task and can be compared."""
    pair = task.get("answer", {})
    for role, model in pair.items():
        if model not in users:
            raise InputError(
                f"tasks.{name}.answer.{role}: no model {model!r} has this task; the models are"
                f" {', '.join(users)}."
            )
    if len(pair) == 2 and pair["baseline"] == pair["candidate"]:
        raise InputError(
            f"tasks.{name}.answer: baseline and candidate are the same: name two models."
        )
    for role, model in pair.items():
        source = models[model].get("derive", {}).get("from")
        if source is not None and source not in pair.values():
            other = "candidate" if role == "baseline" else "baseline"
            raise InputError(
                f"tasks.{name}.answer.{role}: {model} is a variant, which is compared with its"
                f" source only: name {source} as the {other}."
            )


def _check_computed(name: str, config: Mapping[str, Any]) -> None:
    """Check the computed columns of a dataset."""
    for column, settings in columns_computed(config["datasets"][name]).items():
        place = f"datasets.{name}.columns.{column}"
        if "file_name" in settings:
            _check_pattern(f"{place}.file_name", settings["file_name"])
            continue
        if column == "speaker":
            raise InputError(f"{place}: the speaker cannot be computed: choose another name.")
        model = settings.get("model")
        if model is None:
            continue
        if model not in config["models"]:
            raise InputError(
                f"{place}.model: there is no model {model!r}; the models are"
                f" {', '.join(config['models'])}."
            )
        if name not in datasets_of(config, model):
            raise InputError(
                f"{place}.model: {model} is given as predictions and has none for this dataset:"
                " name another model."
            )


def _check_file_names(name: str, dataset: Mapping[str, Any]) -> None:
    """Check the patterns of file names that the audit of a dataset compares with columns."""
    for column, settings in dataset["audit"]["file_names"].items():
        place = f"datasets.{name}.audit.file_names.{column}"
        if column not in dataset["columns"]:
            raise InputError(
                f"{place}: the dataset has no column {column!r}; the columns are"
                f" {', '.join(dataset['columns'])}."
            )
        _check_pattern(f"{place}.pattern", settings["pattern"])


def _check_pattern(place: str, pattern: str) -> None:
    """Check a regular expression that finds a value in names of files."""
    try:
        groups = re.compile(pattern).groupindex
    except re.error as error:
        raise InputError(
            f"{place}: this is not a regular expression ({error}): correct it."
        ) from error
    if "value" not in groups:
        raise InputError(
            f"{place}: it needs the group (?P<value>...) around the part of the file name that"
            " gives the value."
        )


def _check_predictions(name: str, model: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Check the datasets of a model that is given as predictions."""
    for dataset in model.get("predictions", {}):
        place = f"models.{name}.predictions.{dataset}"
        if dataset not in config["datasets"]:
            raise InputError(
                f"{place}: there is no dataset {dataset!r}; the datasets are"
                f" {', '.join(config['datasets'])}."
            )
        tasks = tasks_of(config, dataset, name)
        if not tasks:
            raise InputError(
                f"{place}: none of the model's tasks has labels in this dataset: add a task to the"
                " model or remove the table."
            )
        taken = sorted({"file", "start", "end"} & set(tasks))
        if taken:
            raise InputError(
                f"{place}: {taken[0]} is a column of every table: choose another id for the task."
            )
