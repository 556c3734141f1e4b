"""Metadata columns that are computed.

They are measures of the speech, predictions of another model, or parts of the names of files.
"""

from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import pandas as pd

from voxslice.bins import assign_bins, quantile_edges
from voxslice.data.name_parts import column_of_names
from voxslice.errors import InputError
from voxslice.rule_conditions import is_numeric
from voxslice.utterance_keys import KEY

NAMES = {2: ["low", "high"], 3: ["low", "middle", "high"]}
"""Names of the bins, by the number of bins. More bins are numbered."""


def add_columns(
    metadata: pd.DataFrame,
    columns: Mapping[str, Mapping[str, Any]],
    *,
    measures: pd.DataFrame | None,
    predictions: Mapping[str, pd.DataFrame],
) -> pd.DataFrame:
    """Add the computed columns of a dataset.

    Args:
        metadata: table with one row per utterance and the columns that are read from the dataset
        columns: settings of each new column by its name: `measure`, or `model`, `label` and `bins`,
            or `file_name` and optionally `map` (see `voxslice.data.name_parts`)
        measures: table with the keys and one column per measure; None if no column needs it
        predictions: by model, a table with the keys and one column per label

    Returns:
        the table with the new columns; a speaker follows the duration. A value is missing if the
        utterance was not measured or has no prediction, if the name of its file does not fit, and a
        duration if the audio cannot be read.

    Raises:
        InputError: if a model does not have the label, or has no prediction at all, or if no file
            name fits
    """
    computed = {}
    for name, settings in columns.items():
        kind = settings.get("measure")
        if "file_name" in settings:
            computed[name] = column_of_names(
                metadata["file"], settings["file_name"], settings.get("map", {}), name=name
            )
        elif kind is None:
            computed[name] = _predicted(name, settings, metadata, predictions[settings["model"]])
        elif kind == "duration":  # it is 0 for audio that cannot be read
            duration = metadata["duration"].round(2)
            computed[name] = duration.where(metadata["duration"] > 0)
        else:
            values = _align(metadata, cast(pd.DataFrame, measures), kind)
            computed[name] = values if is_numeric(values) else values.astype("category")
    full = metadata.assign(**computed)
    if "speaker" in computed:
        full.insert(full.columns.get_loc("duration") + 1, "speaker", full.pop("speaker"))
    return full


def _predicted(
    name: str, settings: Mapping[str, Any], metadata: pd.DataFrame, predictions: pd.DataFrame
) -> pd.Series:
    """Return the predictions of a model: numbers in bins, or classes as they are."""
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
    """Divide numbers into bins of about the same number of rows.

    Args:
        values: the numbers
        count: number of bins. There are fewer if many numbers are equal.

    Returns:
        ordered categories that name the smallest and the largest number of a bin, as in
        `low 0.12..0.34`. A category is missing if the number is missing.
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
    """Return a column of another table in the order of the utterances, with missing values."""
    values = table[[*KEY, column]].rename(columns={column: "_value"})
    return metadata[KEY].merge(values, on=KEY, how="left")["_value"].set_axis(metadata.index)
