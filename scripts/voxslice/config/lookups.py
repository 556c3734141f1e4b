"""Pure functions that look something up in a completed config.

Snakemake imports this module each time it parses the workflow, on a cluster once per job. The
module therefore imports no heavy library.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

HUB_FILES = ("*.json", "*.onnx*", "*.npz", "onnx/*.onnx*")
"""Files of a hub folder that a model is made from."""
SOURCES = ("csv", "audformat", "audb")
"""Sources of a dataset. Each dataset has exactly one of these keys."""


def source_of(dataset: Mapping[str, Any]) -> str:
    """Source of a dataset, one of `SOURCES`.

    Args:
        dataset: settings of the dataset

    Returns:
        the source
    """
    return next(source for source in SOURCES if source in dataset)


def table_files(path: str) -> list[str]:
    """Files of the table of a csv.

    Args:
        path: path of the table

    Returns:
        the path, or the files of a Kaldi folder that are read, sorted
    """
    if not Path(path).is_dir():
        return [path]
    patterns = ("wav.scp", "segments", "text", "utt2*", "spk2*")
    return sorted(str(file) for pattern in patterns for file in Path(path).glob(pattern))


def is_url(place: str) -> bool:
    """Whether a file is given by a URL and not by a local path.

    Args:
        place: URL or local path

    Returns:
        True for a URL, False for a local path
    """
    return "://" in place


def filters_of(dataset: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Settings of each column in the filter of a dataset, with the `values` that are kept.

    Args:
        dataset: settings of the dataset

    Returns:
        the settings by name of the column
    """
    return {
        name: {**dataset["columns"][name], "values": values}
        for name, values in dataset.get("filter", {}).items()
    }


def columns_read(dataset: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    """Settings of the columns that are read from the source of a dataset.

    Args:
        dataset: settings of the dataset

    Returns:
        the settings by name of the column
    """
    return {name: column for name, column in dataset["columns"].items() if "column" in column}


def columns_computed(dataset: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Settings of the columns that are not read from the source of a dataset.

    They are measured in the audio, predicted by a model or part of the names of files.

    Args:
        dataset: settings of the dataset

    Returns:
        the settings by name of the column
    """
    return {name: column for name, column in dataset["columns"].items() if "column" not in column}


def classes_of(task: Mapping[str, Any]) -> dict[str, Any] | None:
    """Arguments of `voxslice.classes.Classes` for a task; None for a regression.

    Args:
        task: settings of the task

    Returns:
        the arguments by name, or None
    """
    if task["type"] == "regression":
        return None
    return {"labels": task["labels"], "merged": task["classes"], "excluded": task["exclude"]}


def outputs_read(
    config: Mapping[str, Any], dataset: str, model: str, known: Mapping[str, Sequence[str]] | None
) -> dict[str, Any]:
    """List the outputs of a model that a study reads on a dataset. Other outputs are not computed.

    Args:
        config: completed config
        dataset: id of the dataset
        model: id of the model
        known: labels of the outputs of the model, None before the model is fetched

    Returns:
        `outputs`: names of the outputs that tasks and computed columns read, sorted; None for all
        outputs, if nothing reads the model or if labels are read and the outputs are not known yet.
        `labels`: labels that computed columns read and that no known output has, sorted.
        `embedding_output`: name of the output that searches read as the embedding, None if no
        search does
    """
    name = config["models"][model]["embedding_output"]
    columns = columns_computed(config["datasets"][dataset]).values()
    labels = {column["label"] for column in columns if column.get("model") == model}
    outputs = {config["tasks"][task]["output"] for task in tasks_of(config, dataset, model)}
    searches = searches_of(config, dataset).values()
    embedded = any(search.get("embedding_of") == model for search in searches)
    if not (labels or outputs or embedded) or (labels and known is None):
        return {"outputs": None, "labels": sorted(labels), "embedding_output": name}
    owners = {
        label: [own for own, names in (known or {}).items() if label in names] for label in labels
    }
    outputs.update(*owners.values())
    return {
        "outputs": sorted(outputs),
        "labels": sorted(label for label, own in owners.items() if not own),
        "embedding_output": name if embedded else None,
    }


def scale_of(config: Mapping[str, Any], task: str, model: str) -> str | None:
    """Scale of the output that a task reads, as given in the config.

    Args:
        config: completed config
        task: id of the task
        model: id of the model

    Returns:
        `logits` or `probabilities`; None if the config does not give it
    """
    return config["models"][model].get("scale", {}).get(config["tasks"][task].get("output"))


def sources_of(config: Mapping[str, Any], models: Sequence[str]) -> dict[str, str]:
    """Id of the source of each derived model among some models.

    Args:
        config: completed config
        models: ids of the models

    Returns:
        the id of the source by id of the derived model
    """
    derived = {name: config["models"][name].get("derive") for name in models}
    return {name: derive["from"] for name, derive in derived.items() if derive}


def fetched_model(config: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Settings by which a model is fetched.

    Args:
        config: completed config
        name: id of a model that is run

    Returns:
        the settings of the model. A variant that is another file of a hub folder has those of its
        source, with this file, and its own `derive`
    """
    model: Mapping[str, Any] = config["models"][name]
    derive = model.get("derive", {})
    if "file" not in derive:
        return model
    source = config["models"][derive["from"]]
    return {**source, "hub": {**source["hub"], "file": derive["file"]}, "derive": derive}


def datasets_of(config: Mapping[str, Any], model: str) -> list[str]:
    """Ids of the datasets that a model has predictions for.

    A model that is run has predictions for all datasets. A model that is given as predictions has
    them for the datasets that it names.

    Args:
        config: completed config
        model: id of the model

    Returns:
        the ids of the datasets
    """
    return list(config["models"][model].get("predictions", config["datasets"]))


def tasks_of(config: Mapping[str, Any], dataset: str, model: str) -> list[str]:
    """Ids of the tasks of a model that a dataset has labels for, in the order of the config.

    Args:
        config: completed config
        dataset: id of the dataset
        model: id of the model

    Returns:
        the ids of the tasks
    """
    columns, tasks = config["datasets"][dataset]["columns"], config["models"][model]["tasks"]
    return [
        name
        for name, task in config["tasks"].items()
        if name in tasks and task["target"] in columns
    ]


def models_of(config: Mapping[str, Any], dataset: str, task: str) -> list[str]:
    """Ids of the models that are compared on a dataset and task, in the order of the config.

    Args:
        config: completed config
        dataset: id of the dataset
        task: id of the task

    Returns:
        the ids of the models
    """
    return [
        name
        for name, model in config["models"].items()
        if task in model["tasks"] and dataset in datasets_of(config, name)
    ]


def run_models_of(config: Mapping[str, Any], dataset: str) -> list[str]:
    """Ids of the models that the workflow runs and that have a task on a dataset.

    Args:
        config: completed config
        dataset: id of the dataset

    Returns:
        the ids of the models in the order of the config
    """
    return [
        name
        for name, model in config["models"].items()
        if "predictions" not in model and tasks_of(config, dataset, name)
    ]


def condition_models_of(config: Mapping[str, Any], dataset: str) -> list[str]:
    """Ids of the models that are run in the conditions of a dataset.

    Args:
        config: completed config
        dataset: id of the dataset

    Returns:
        the ids of the models in the order of the config
    """
    run = run_models_of(config, dataset)
    named = config["datasets"][dataset].get("condition_models", run)
    return [name for name in run if name in named]


def conditions_of(config: Mapping[str, Any], dataset: str) -> list[str]:
    """Ids of the conditions in which the models of a dataset are run.

    Args:
        config: completed config
        dataset: id of the dataset

    Returns:
        the ids in the order in which the dataset names them
    """
    return list(config["datasets"][dataset]["conditions"])


def answer_pair(config: Mapping[str, Any], dataset: str, task: str) -> list[str]:
    """Ids of the two models that the answer of a report compares.

    The pair is the `answer` of the task. By default, and if the dataset lacks predictions of a
    model that is named there, it is the first and the last model that is no variant.

    Args:
        config: completed config
        dataset: id of the dataset
        task: id of the task

    Returns:
        the baseline and the candidate; fewer than two ids if there is no pair
    """
    models = models_of(config, dataset, task)
    named = config["tasks"][task].get("answer", {})
    roles = {role: name for role, name in named.items() if name in models}
    plain = [name for name in models if "derive" not in config["models"][name]]
    if "baseline" not in roles:
        left = [name for name in plain if name != roles.get("candidate")]
        roles |= {"baseline": left[0]} if left else {}
    if "candidate" not in roles:
        left = [name for name in plain if name != roles.get("baseline")]
        roles |= {"candidate": left[-1]} if left else {}
    return [roles[role] for role in ("baseline", "candidate") if role in roles]


def studies(config: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Pairs of dataset and task for which the dataset has labels and a model has predictions.

    Args:
        config: completed config

    Returns:
        pairs of the ids of a dataset and a task
    """
    return [
        (dataset, task)
        for dataset, settings in config["datasets"].items()
        for task, task_settings in config["tasks"].items()
        if task_settings["target"] in settings["columns"] and models_of(config, dataset, task)
    ]


def studies_of(config: Mapping[str, Any], model: str) -> list[tuple[str, str]]:
    """Pairs of dataset and task on which a model has results.

    Args:
        config: completed config
        model: id of the model

    Returns:
        pairs of the ids of a dataset and a task
    """
    return [pair for pair in studies(config) if model in models_of(config, *pair)]


def searches_of(
    config: Mapping[str, Any], dataset: str, finder: str | None = None
) -> dict[str, dict[str, Any]]:
    """Searches of a dataset by id, without the features that the dataset lacks.

    Args:
        config: completed config
        dataset: id of the dataset
        finder: only searches with this finder; None for all

    Returns:
        settings of each search that still has features or an embedding
    """
    columns = config["datasets"][dataset]["columns"]
    searches = {}
    for name, search in config["searches"].items():
        features = [feature for feature in search["features"] if feature in columns]
        if (features or "embedding_of" in search) and finder in (None, search["finder"]):
            searches[name] = {**search, "features": features}
    return searches


def audio_folder(config: Mapping[str, Any], dataset: str) -> str:
    """Folder that the file names of the utterances of a dataset are relative to.

    Args:
        config: completed config
        dataset: id of the dataset

    Returns:
        path of the folder
    """
    source = config["datasets"][dataset]
    if "csv" in source and "channels" not in source:
        return str(source["csv"]["audio"])
    if "audformat" in source:
        return str(source["audformat"]["path"])
    return f"resources/{dataset}/audio"


def model_files(model: Mapping[str, Any]) -> list[str]:
    """Local files of a model; none if it is downloaded.

    Args:
        model: settings of the model

    Returns:
        paths of the files
    """
    if "trust" in model:
        inside = [str(file) for file in Path(model["path"]).rglob("*") if file.is_file()]
        return sorted(inside) or [f"{model['path']}/model.yaml"]
    if "path" in model:
        reference = f"{model['path']}/reference.npz"
        files = [f"{model['path']}/model.yaml", f"{model['path']}/model.onnx"]
        return [*files, reference] if Path(reference).is_file() else files
    if "hub" in model and "path" not in model["hub"]:
        return []
    if "hub" in model:
        folder = Path(model["hub"]["path"])
        found = [file for pattern in HUB_FILES for file in folder.glob(pattern)]
        return sorted(str(file) for file in found if file.is_file())
    return [] if is_url(model.get("onnx", "://")) else [model["onnx"]]
