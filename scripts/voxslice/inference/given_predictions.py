"""Predictions that were made elsewhere: a table of classes or values instead of a model to run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from voxslice.classes import Classes
from voxslice.data.file_names import match_names
from voxslice.data.user_tables import numbers, read_table, times
from voxslice.errors import InputError
from voxslice.files import sha256
from voxslice.inference.failures import require_few
from voxslice.probabilities import is_probability
from voxslice.utterance_keys import KEY


def read_predictions(
    path: str | Path,
    utterances: pd.DataFrame,
    tasks: Mapping[str, Classes | None],
    *,
    filtered: bool,
    tolerated: float,
    model: str,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a table of predictions and refuse it if too many utterances have no prediction.

    Args:
        path: CSV or Parquet file.
        utterances: The utterances of the dataset.
        tasks: For each task the labels that the model's classes stand for; None for a regression.
        filtered: Whether the table may have rows of utterances that the dataset's filter leaves
            out.
        tolerated: Share of the utterances that may have no prediction, from 0 to 1.
        model: Id of the model, for the message.

    Returns:
        The predictions and the failures, as `match_predictions` returns them.

    Raises:
        InputError: The table cannot be read, does not fit the dataset or its tasks, or lacks too
            many predictions.
    """
    predictions, failures = match_predictions(
        read_table(path), utterances, tasks, source=str(path), filtered=filtered
    )
    require_few(failures, total=len(utterances), tolerated=tolerated, model=model)
    return predictions, failures


def match_predictions(
    table: pd.DataFrame,
    utterances: pd.DataFrame,
    tasks: Mapping[str, Classes | None],
    *,
    source: str,
    filtered: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Match the rows of a table of predictions with the utterances of a dataset.

    If a task merges or excludes classes, the predictions are labels of the task: the probabilities
    of the classes that stand for one label are added, those of excluded classes are left out, and
    the most probable label is predicted.

    Args:
        table: Text columns: `file` as in the dataset; both `start` and `end`, or neither; for each
            task a column with its id, which holds the predicted class or the value in the unit of
            the task; and optionally `<task>.<class>` with the probability of each class.
        utterances: The utterances of the dataset.
        tasks: For each task the labels that the model's classes stand for; None for a regression.
        source: Name of the table, for messages.
        filtered: Whether the table may have rows of utterances that the dataset's filter leaves
            out.

    Returns:
        The predictions, in the order of the utterances: the keys, one column per task (floats, or
        categories with the labels of the task first) and `<task>.<class>` if the table has
        probabilities. The failures, which are the utterances without a row or without a prediction:
        the keys and `reason`.

    Raises:
        InputError: A column is missing, a row names no utterance, two rows name the same one, or a
            cell has a wrong value.
    """
    needed = ["file", *tasks]
    missing = [name for name in needed if name not in table]
    if missing:
        raise InputError(
            f"{source} has no column {missing[0]!r}; its columns are {', '.join(table.columns)}:"
            f" add the column, since {', '.join(needed)} are needed."
        )
    order = _rows(table, utterances, source, filtered)
    present = order >= 0
    matched = table.iloc[order[present]].reset_index(drop=True)
    predictions = utterances.loc[present, KEY].reset_index(drop=True)
    for task, classes in tasks.items():
        if classes is None:
            predictions[task] = numbers(matched, task, source)
        else:
            predictions = predictions.join(_classes(matched, task, classes, source))
    reasons = pd.Series("the table has no row", index=utterances.index)
    reasons[present] = _reasons(matched, predictions, list(tasks))
    failures = utterances[KEY].assign(reason=reasons)[reasons != ""]
    return predictions, failures.reset_index(drop=True)


def _reasons(table: pd.DataFrame, predictions: pd.DataFrame, tasks: Sequence[str]) -> list[str]:
    """Why predictions of each row are missing; an empty text if none are."""
    by_task = pd.DataFrame(index=predictions.index)
    for task in tasks:
        reason = np.where(table[task].isna(), f"no {task}", f"only excluded classes as {task}")
        by_task[task] = np.where(predictions[task].isna(), reason, "")
    parts = [[part for part in row if part] for row in by_task.to_numpy()]
    return [f"the table has {' and '.join(some)}" if some else "" for some in parts]


def _rows(table: pd.DataFrame, utterances: pd.DataFrame, source: str, filtered: bool) -> np.ndarray:
    """Position of each utterance's row in the table, -1 for an utterance without a row."""
    spans = [name for name in ("start", "end") if name in table]
    if len(spans) == 1:
        raise InputError(
            f"{source} has the column {spans[0]} but not the other of start and end: add it."
        )
    keys = ["file", *spans]
    rows, known = table[keys].copy(), utterances[keys].astype({"file": "string"})
    rows["file"] = pd.array(match_names(rows["file"], known["file"]), dtype="string")
    for name in spans:
        # to the millisecond: a CSV file does not keep every digit of a duration
        rows[name] = (1000 * times(table, name, source)).round()
        known[name] = (1000 * known[name]).round()
    if rows.isna().any(axis=None):
        number = int(rows.isna().any(axis=1).to_numpy().argmax()) + 1
        raise InputError(f"Row {number} of {source} lacks one of {', '.join(keys)}: fill it in.")
    if rows.duplicated().any():
        file = rows.loc[rows.duplicated(), "file"].iloc[0]
        raise InputError(f"{source} has more than one row for {file}: keep one.")
    if known.duplicated().any():
        file = known.loc[known.duplicated(), "file"].iloc[0]
        raise InputError(
            f"The dataset has several utterances in {file}: add the columns start and end to"
            f" {source}."
        )
    index = pd.MultiIndex.from_frame(rows)
    other = ~index.isin(pd.MultiIndex.from_frame(known))
    if other.any() and not filtered:
        first = " ".join(str(table[name].iloc[int(other.argmax())]) for name in keys)
        like = " ".join(str(utterances[name].iloc[0]) for name in keys)
        raise InputError(
            f"{other.sum()} rows of {source} name no utterance of the dataset, the first {first}:"
            f" write {', '.join(keys)} as the dataset has them, as in {like}, or remove the rows."
        )
    return index.get_indexer(pd.MultiIndex.from_frame(known))


def _classes(table: pd.DataFrame, task: str, classes: Classes, source: str) -> pd.DataFrame:
    """The predicted classes of a task, and the probabilities if the table has them."""
    prefix = f"{task}."
    named = [name.removeprefix(prefix) for name in table.columns if name.startswith(prefix)]
    predicted = table[task]
    known = [*classes.labels, *classes.merged, *classes.excluded, *named]
    unknown = predicted.notna() & ~predicted.isin(known)
    if unknown.any():
        raise InputError(
            f"{source} has the class {predicted[unknown].iloc[0]!r} in the column {task}, but the"
            f" labels of the task are {', '.join(classes.labels)}: correct the table, add the class"
            " to the task's classes, or give probabilities if the model has more classes than the"
            " task has labels."
        )
    if not named:
        kept = predicted.mask(predicted.isin(classes.excluded))
        labels = kept.map(lambda name: classes.merged.get(name, name), na_action="ignore")
        order = list(dict.fromkeys([*classes.labels, *classes.merged.values()]))
        return pd.DataFrame({task: pd.Categorical(labels, categories=order)})
    lacking = [label for label in classes.labels if label not in named]
    if lacking and not classes.named:
        raise InputError(
            f"{source} has probabilities of {named[0]} but none of {lacking[0]}: add the column"
            f" {prefix}{lacking[0]}, or remove all columns that begin with {prefix}"
        )
    groups = classes.groups(named, source)
    values = pd.DataFrame({name: _probabilities(table, task, name, source) for name in named})
    sums = pd.DataFrame({name: values[members].sum(axis=1) for name, members in groups.items()})
    if classes.named:
        total = sums.sum(axis=1)
        sums = sums.div(total.where(total > 0), axis=0)
        best = pd.Series(sums.columns[sums.fillna(0).to_numpy().argmax(axis=1)])
        predicted = best.where(predicted.notna() & (total > 0))
    order = [*classes.labels, *(name for name in groups if name not in classes.labels)]
    result = pd.DataFrame({task: pd.Categorical(predicted, categories=order)})
    return result.join(sums[order].add_prefix(prefix))


def _probabilities(table: pd.DataFrame, task: str, name: str, source: str) -> pd.Series:
    """The probability of one class, from 0 to 1; it is needed wherever a class is predicted."""
    column = f"{task}.{name}"
    values = pd.Series(numbers(table, column, source))
    wrong = table[task].notna().to_numpy() & ~is_probability(values.to_numpy())
    if wrong.any():
        row = table.iloc[int(wrong.argmax())]
        cell = "no value" if pd.isna(row[column]) else row[column]
        raise InputError(
            f"{source} has {cell} as {column} of {row['file']} instead of a probability from 0 to"
            f" 1: correct it, or remove all columns that begin with {task}."
        )
    return values.clip(0, 1)


def describe_tables(paths: Sequence[str | Path]) -> dict[str, object]:
    """Describe a model that is given as tables, with the keys of a model card.

    Args:
        paths: The tables.

    Returns:
        The content of `model.json`: paths and checksums of the tables. Keys that only apply to an
        ONNX file are None or empty.
    """
    return {
        "origin": ", ".join(str(path) for path in paths),
        "sha256": ", ".join(sha256(path) for path in paths),
        "size_mb": None,
        "outputs": {},
        "refused": {},
        "activations": {},
        "parameters": None,
        "sampling_rate": None,
    }
