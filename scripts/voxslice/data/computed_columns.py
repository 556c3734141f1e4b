"""Metadata columns that are computed: measures of the speech, predictions of another model."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from voxslice.bins import assign_bins, quantile_edges
from voxslice.conditions import is_numeric
from voxslice.errors import InputError
from voxslice.utterance_keys import KEY

NAMES = {2: ["low", "high"], 3: ["low", "middle", "high"]}
"""What few bins are called; more are numbered."""


def add_columns(
    metadata: pd.DataFrame,
    columns: Mapping[str, Mapping[str, Any]],
    *,
    measures: Mapping[str, pd.DataFrame],
    predictions: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Add the computed columns of a dataset.

    Args:
        metadata: the utterances with the columns that are read
        columns: what to add, by name: `measure`, or `model` with `label` and `bins`
        measures: by name, the keys and a column of that name
        predictions: by model, the keys and a column a label

    Returns:
        the utterances with the new columns; a value is missing where the utterance was not measured
        or predicted

    Raises:
        InputError: where a model has no such label, or no value at all
    """
    computed = {}
    for name, settings in columns.items():
        kind = settings.get("measure")
        if kind is None:
            computed[name] = _heard(name, settings, metadata, predictions[settings["model"]])
        elif kind == "duration":  # is in every table
            computed[name] = metadata["duration"].round(2)
        else:
            computed[name] = _align(metadata, measures[kind], kind)
    return metadata.assign(**computed)


def _heard(
    name: str, settings: Mapping[str, Any], metadata: pd.DataFrame, predictions: pd.DataFrame
) -> pd.Series:
    """What a model says on each utterance: a number in bins, or a class as it is."""
    model, label = settings["model"], settings["label"]
    labels = [column for column in predictions if column not in KEY]
    if label not in labels:
        raise InputError(
            f"The model {model} has no label {label!r}: the column {name} must name one of"
            f" {', '.join(labels)}."
        )
    values = _align(metadata, predictions, label)
    if values.isna().all():
        raise InputError(
            f"The model {model} has scored no utterance: remove the column {name}, or see the log"
            " of the model's predictions."
        )
    return in_bins(values, settings["bins"]) if is_numeric(values) else values


def in_bins(values: pd.Series, count: int) -> pd.Series:
    """Put numbers into bins that hold about as many rows each.

    Args:
        values: numbers; where many are equal, there are fewer bins
        count: of bins

    Returns:
        ordered categories that name the smallest and the largest number in them, as in
        `low 0.12..0.34`; missing where the number is
    """
    numbers = values.to_numpy(dtype=float)
    known = np.isfinite(numbers)
    edges = quantile_edges(numbers[known], count)
    codes = np.where(known, assign_bins(numbers, edges), -1)
    names = NAMES.get(len(edges)) or [f"{n} of {len(edges)}" for n in range(1, len(edges) + 1)]
    texts = []
    for code, name in enumerate(names):
        inside = numbers[codes == code]
        texts.append(f"{name} {inside.min():.3g}..{inside.max():.3g}")
    kind = pd.CategoricalDtype(texts, ordered=True)
    return pd.Series(pd.Categorical.from_codes(codes, dtype=kind), index=values.index)


def _align(metadata: pd.DataFrame, table: pd.DataFrame, column: str) -> pd.Series:
    """A column of another table for each utterance, missing where that has none."""
    values = table[[*KEY, column]].rename(columns={column: "_value"})
    return metadata[KEY].merge(values, on=KEY, how="left")["_value"].set_axis(metadata.index)
