"""Columns and a search that a study has if its config names none: measures of the audio.

Snakemake imports this module each time it parses the workflow, on a cluster once per job. The
module therefore imports no heavy library.
"""

from collections.abc import Mapping
from typing import Any

from voxslice.config.lookups import source_of
from voxslice.errors import InputError

COLUMNS = {
    "length": "duration",
    "pitch": "pitch",
    "level": "level",
    "snr": "snr",
    "bandwidth": "bandwidth",
    "clipping": "clipping",
    "reverberation": "reverberation",
    "speech_share": "speech_share",
}
"""The measure of each default column. `duration` is a column of every table already."""
SEARCH = "sound"
"""Id of the default search."""


def add_default_measures(config: dict[str, Any]) -> None:
    """Add, in place, the default columns of datasets and the default search over them.

    A dataset without columns gets its labels and all measures. A dataset with columns gets the
    measures only if its key `measures` is `default`. The search is added if a dataset has the
    default measures and no search of the config has a measured column among its features.

    Args:
        config: config without mistakes in its form, without the defaults of the schema

    Raises:
        InputError: if a column has the name of a default column, or if there is nothing to search
    """
    names: dict[str, None] = {}
    for name, dataset in config["datasets"].items():
        if "columns" not in dataset:
            dataset["columns"] = _label_columns(dataset, config["tasks"])
            dataset.setdefault("measures", "default")
        if dataset.get("measures") == "default":
            names |= dict.fromkeys(_add_columns(name, dataset["columns"]))
    if not names and "searches" not in config:
        raise InputError(
            "searches: this key is missing: name at least one search, or give a dataset the key"
            " measures with the value default."
        )
    searches = config.setdefault("searches", {})
    searched = {feature for search in searches.values() for feature in search.get("features", ())}
    if names and SEARCH not in searches and not searched & _measured(config):
        searches[SEARCH] = {"finder": "subgroups", "features": list(names)}


def _label_columns(dataset: Mapping[str, Any], tasks: Mapping[str, Any]) -> dict[str, Any]:
    """Columns with the labels of all tasks, each read from the column of the same name."""
    place = {} if source_of(dataset) == "csv" else {"table": dataset.get("table", "")}
    return {task["target"]: {**place, "column": task["target"]} for task in tasks.values()}


def _add_columns(dataset: str, columns: dict[str, Any]) -> list[str]:
    """Add the measures that no column has yet.

    Returns:
        names of all columns of the dataset that hold one of the default measures
    """
    known = {column.get("measure"): name for name, column in columns.items()}
    for name, measure in COLUMNS.items():
        if measure in known:
            continue
        if name in columns:
            raise InputError(
                f"datasets.{dataset}.columns.{name}: this is also the name of a default measure:"
                " rename the column, or set measures: none."
            )
        columns[name] = {"measure": measure}
        known[measure] = name
    return [known[measure] for measure in COLUMNS.values()]


def _measured(config: Mapping[str, Any]) -> set[str]:
    """Names of the columns that are measured in the audio of any dataset."""
    return {
        name
        for dataset in config["datasets"].values()
        for name, column in dataset["columns"].items()
        if "measure" in column
    }
