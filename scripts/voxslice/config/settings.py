"""The config of a study: checked against the schema and in itself, completed with defaults.

Imported whenever Snakemake parses the workflow, on a cluster once a job: it stays light.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import jsonschema

from voxslice.config.key_names import check_key_names
from voxslice.config.places import check_places
from voxslice.config.sentences import sentence
from voxslice.config.validator import Validator
from voxslice.errors import InputError
from voxslice.names import REFERENCES
from voxslice.unicode_text import nfc

RESERVED = {"models", "checksums"}
"""Folders beside those of the datasets."""
INHERITED = ("license", "tasks", "embedding_output", "sampling_rate", "scale")
"""What a derived model has from its source where it is not given."""
PLACES = {"path", "audio", "url", "onnx", "host", "predictions"}
"""Keys that name files, whose names may be in any Unicode form."""
SOURCES = ("csv", "audformat", "audb")
"""Where a dataset may come from; it has one of these keys."""


def complete(config: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Check a config and fill in the defaults of the schema.

    Args:
        config: as read from YAML
        schema: JSON schema, draft 2020-12

    Returns:
        a new config with all defaults

    Raises:
        InputError: with one sentence that names the key and says what to change
    """
    check_key_names(config, schema)
    errors = list(Validator(schema).iter_errors(config))
    if errors:
        raise InputError(sentence(jsonschema.exceptions.best_match(errors)))
    full = _composed(copy.deepcopy(dict(config)))
    _inherit(full["models"])
    full = _defaults(full, schema, schema)
    _cross_check(full)
    return full


def _composed(node: Any) -> Any:
    """The config with its text in the normal form C of Unicode, but places as they are written."""
    if isinstance(node, dict):
        return {
            _composed(key): value if key in PLACES else _composed(value)
            for key, value in node.items()
        }
    if isinstance(node, list):
        return [_composed(item) for item in node]
    return nfc(node) if isinstance(node, str) else node


def _inherit(models: dict[str, Any]) -> None:
    """Give derived models, in place, what they do not say themselves."""
    for name, model in models.items():
        if "derive" not in model:
            continue
        source = model["derive"]["from"]
        if source not in models:
            known = ", ".join(other for other in models if other != name)
            raise InputError(
                f"models.{name}.derive.from: there is no model {source!r}; the others are {known}."
            )
        if "derive" in models[source]:
            raise InputError(
                f"models.{name}.derive.from: {source} is derived itself: name the model that is"
                " fetched."
            )
        given = models[source]
        inherited = {key: given[key] for key in INHERITED if key in given and key not in model}
        model.update(copy.deepcopy(inherited))


def _defaults(node: Any, schema: Mapping[str, Any], root: Mapping[str, Any]) -> Any:
    """Fill in defaults, following references and conditions."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return _defaults(node, root["$defs"][name], root)
    if not isinstance(node, dict):
        if isinstance(node, list) and "items" in schema:
            return [_defaults(item, schema["items"], root) for item in node]
        return node
    if "if" in schema:
        fits = jsonschema.Draft202012Validator(schema["if"]).is_valid(node)
        node = _defaults(node, schema.get("then" if fits else "else", {}), root)
    for key, value in schema.get("properties", {}).items():
        if key not in node and "default" in value:
            node[key] = copy.deepcopy(value["default"])
        if key in node:
            node[key] = _defaults(node[key], value, root)
    others = schema.get("additionalProperties")
    if isinstance(others, dict):
        known = schema.get("properties", {})
        node |= {k: _defaults(v, others, root) for k, v in node.items() if k not in known}
    return node


def _cross_check(config: dict[str, Any]) -> None:
    datasets, models, tasks = config["datasets"], config["models"], config["tasks"]
    columns = sorted({name for dataset in datasets.values() for name in dataset["columns"]})
    check_places(config)
    for name, dataset in datasets.items():
        if name in RESERVED:
            raise InputError(f"datasets.{name}: this id is taken by the workflow: choose another.")
        taken = {"file", "start", "end", "duration"} & set(dataset["columns"])
        if taken:
            raise InputError(
                f"datasets.{name}.columns: {sorted(taken)[0]} is a column of every table:"
                " choose another name."
            )
        _check_source(name, dataset)
        _check_computed(name, config)
    for name, model in models.items():
        if name in REFERENCES:
            raise InputError(
                f"models.{name}: this id is taken by a reference model that every task has: choose"
                " another."
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
        if "output" not in task and any("predictions" not in models[model] for model in users):
            raise InputError(f"tasks.{name}: name the output of the models that is their answer.")
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
    """Check that a dataset's table, columns and filter fit the kind of its source."""
    place, source, columns = f"datasets.{name}", source_of(dataset), dataset["columns"]
    if source == "csv":
        if "table" in dataset:
            raise InputError(f"{place}.table: a csv is one table: remove this key.")
        for column, settings in columns.items():
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


def source_of(dataset: Mapping[str, Any]) -> str:
    """Which of `SOURCES` a dataset comes from."""
    return next(source for source in SOURCES if source in dataset)


def _check_scale(name: str, model: Mapping[str, Any], tasks: Mapping[str, Any]) -> None:
    """Check that the outputs with a scale are those of the model's classifications."""
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
    """Check where a model comes from, as far as the schema cannot."""
    if "sha256" in model and not is_url(model.get("url") or model.get("onnx", "")):
        raise InputError(f"models.{name}.sha256: only what is downloaded has one: remove it.")
    if "onnx" in model and "outputs" not in model:
        raise InputError(
            f"models.{name}.outputs: a bare ONNX file does not name the labels of its outputs: give"
            " them here."
        )
    if "outputs" in model and "onnx" not in model:
        raise InputError(
            f"models.{name}.outputs: only a bare ONNX file needs them: remove them, its model.yaml"
            " has the labels."
        )
    _check_scale(name, model, tasks)
    if "derive" not in model:
        return
    source = model["derive"]["from"]
    if "predictions" in models[source]:
        raise InputError(
            f"models.{name}.derive.from: {source} is given as predictions: name a model that is"
            " run."
        )
    for key in ("embedding_output", "sampling_rate"):
        if model[key] != models[source][key]:
            raise InputError(
                f"models.{name}.{key}: a variant has that of its source {source}: remove it."
            )
    alone = [task for task in model["tasks"] if task not in models[source]["tasks"]]
    if alone:
        raise InputError(
            f"models.{name}.tasks: its source {source}, which it is held against, lacks"
            f" {alone[0]!r}: add the task there."
        )


def is_url(place: str) -> bool:
    """Whether a file is given by its address, not by its path."""
    return "://" in place


def filters_of(dataset: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """For each column of a dataset's filter where it is read, and the `values` that are kept."""
    return {
        name: {**dataset["columns"][name], "values": values}
        for name, values in dataset.get("filter", {}).items()
    }


def columns_read(dataset: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """The columns of a dataset that are read from its source, not computed."""
    return {name: column for name, column in dataset["columns"].items() if "column" in column}


def columns_computed(dataset: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The columns of a dataset that are measured or predicted."""
    return {name: column for name, column in dataset["columns"].items() if "column" not in column}


def _check_classes(name: str, task: Mapping[str, Any]) -> None:
    """Check what a classification makes of the classes of models."""
    for given, label in task.get("classes", {}).items():
        place = f"tasks.{name}.classes.{given}"
        if label not in (*task["labels"], given):
            raise InputError(
                f"{place}: {label!r} is no label of the task; its labels are"
                f" {', '.join(task['labels'])}."
            )
        if given in task["exclude"]:
            raise InputError(f"{place}: this class is excluded, too: remove it here or there.")


def _check_computed(name: str, config: Mapping[str, Any]) -> None:
    """Check the columns of a dataset that are computed."""
    for column, settings in columns_computed(config["datasets"][name]).items():
        place = f"datasets.{name}.columns.{column}"
        if column == "speaker":
            raise InputError(f"{place}: a speaker is read from the data: choose another name.")
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


def _check_predictions(name: str, model: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Check the tables of predictions of a model that is given by them."""
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


def classes_of(task: Mapping[str, Any]) -> dict[str, Any] | None:
    """What a task makes of the classes of models, the parts of `Classes`; None for numbers."""
    if task["type"] == "regression":
        return None
    return {"labels": task["labels"], "merged": task["classes"], "excluded": task["exclude"]}


def scale_of(config: Mapping[str, Any], task: str, model: str) -> str | None:
    """What the config says of the output that a task reads.

    Args:
        config: completed
        task: id of the task
        model: id of the model

    Returns:
        `logits` or `probabilities`; None if the config does not say it
    """
    return config["models"][model].get("scale", {}).get(config["tasks"][task].get("output"))


def sources_of(config: Mapping[str, Any], models: Sequence[str]) -> dict[str, str]:
    """Ids of the derived ones among models, each with that of its source."""
    derived = {name: config["models"][name].get("derive") for name in models}
    return {name: derive["from"] for name, derive in derived.items() if derive}


def datasets_of(config: Mapping[str, Any], model: str) -> list[str]:
    """Ids of the datasets that a model has predictions for: all, unless they are given."""
    return list(config["models"][model].get("predictions", config["datasets"]))


def tasks_of(config: Mapping[str, Any], dataset: str, model: str) -> list[str]:
    """Ids of a model's tasks that a dataset has labels for, in the order of the config."""
    columns, tasks = config["datasets"][dataset]["columns"], config["models"][model]["tasks"]
    return [
        name
        for name, task in config["tasks"].items()
        if name in tasks and task["target"] in columns
    ]


def models_of(config: Mapping[str, Any], dataset: str, task: str) -> list[str]:
    """Ids of the models that are compared on a dataset and task, in the order of the config."""
    return [
        name
        for name, model in config["models"].items()
        if task in model["tasks"] and dataset in datasets_of(config, name)
    ]


def studies(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Pairs of dataset and task where the dataset has labels and a model predictions."""
    return [
        (dataset, task)
        for dataset, settings in config["datasets"].items()
        for task, task_settings in config["tasks"].items()
        if task_settings["target"] in settings["columns"] and models_of(config, dataset, task)
    ]


def searches_of(
    config: Mapping[str, Any], dataset: str, finder: str | None = None
) -> dict[str, dict[str, Any]]:
    """The searches of a dataset, without the features that it lacks; empty searches are left out.

    Args:
        config: completed
        dataset: its id
        finder: only searches of this finder, None for all
    """
    columns = config["datasets"][dataset]["columns"]
    searches = {}
    for name, search in config["searches"].items():
        features = [feature for feature in search["features"] if feature in columns]
        if (features or "embedding_of" in search) and finder in (None, search["finder"]):
            searches[name] = {**search, "features": features}
    return searches
