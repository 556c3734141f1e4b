"""Predictions from elsewhere: a table of classes or values in place of a model that is run."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from voxslice.data.file_names import match_names
from voxslice.data.user_tables import numbers, times
from voxslice.errors import InputError
from voxslice.files import sha256
from voxslice.scores.classes import Classes
from voxslice.utterance_keys import KEY


def check_table(
    table: pd.DataFrame,
    utterances: pd.DataFrame,
    tasks: Mapping[str, Classes | None],
    *,
    source: str,
    filtered: bool = False,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bring a table of predictions onto the utterances of a dataset.

    Args:
        table: `file` (as in the dataset), both or none of `start` and `end` in seconds, for each
            task a column with its id (the predicted class, or the value in the task's unit) and
            maybe `<task>.<class>` with probabilities
        utterances: of the dataset
        tasks: the labels of each task and the classes that stand for them, None for a regression
        source: name of the table, for messages
        filtered: whether the table may have rows of utterances that the dataset's filter leaves out

    Returns:
        the predictions: keys, for each task a column with its id (a categorical of all classes
        that the table knows, the task's labels first, or a float) and `<task>.<class>` where
        given, in the order of the utterances; and the failures (keys and `reason`): utterances
        that the table lacks, or has without a prediction. Where a task names classes, they are
        those of the task: probabilities are added up over the classes of a label, without those
        that are excluded, and the most probable one is predicted

    Raises:
        InputError: where a column is missing, a row names no utterance or one that another row
            names too, or a cell does not hold what it should
    """
    needed = ["file", *tasks]
    missing = [name for name in needed if name not in table]
    if missing:
        raise InputError(
            f"{source} has no column {missing[0]!r} but {', '.join(table.columns)}: it needs"
            f" {', '.join(needed)}."
        )
    order = _rows(table, utterances, source, filtered)
    given = order >= 0
    matched = table.iloc[order[given]].reset_index(drop=True)
    predictions = utterances.loc[given, KEY].reset_index(drop=True)
    for task, classes in tasks.items():
        if classes is None:
            predictions[task] = numbers(matched, task, source)
        else:
            predictions = predictions.join(_classes(matched, task, classes, source))
    reasons = pd.Series("the table has no row", index=utterances.index)
    reasons[given] = _lacking(matched, predictions, list(tasks))
    failures = utterances[KEY].assign(reason=reasons)[reasons != ""]
    return predictions, failures.reset_index(drop=True)


def _lacking(table: pd.DataFrame, predictions: pd.DataFrame, tasks: Sequence[str]) -> list[str]:
    """What is wrong with each row of a table whose predictions are missing, empty where nothing."""
    every = pd.DataFrame(index=predictions.index)
    for task in tasks:
        said = np.where(table[task].isna(), f"no {task}", f"only excluded classes as {task}")
        every[task] = np.where(predictions[task].isna(), said, "")
    parts = [[part for part in row if part] for row in every.to_numpy()]
    return [f"the table has {' and '.join(some)}" if some else "" for some in parts]


def _rows(table: pd.DataFrame, utterances: pd.DataFrame, source: str, filtered: bool) -> np.ndarray:
    """Position of each utterance's row in the table, -1 where there is none."""
    spans = [name for name in ("start", "end") if name in table]
    if len(spans) == 1:
        raise InputError(f"{source} has the column {spans[0]} alone: give both start and end.")
    keys = ["file", *spans]
    rows, known = table[keys].copy(), utterances[keys].astype({"file": "string"})
    rows["file"] = pd.array(match_names(rows["file"], known["file"]), dtype="string")
    for name in spans:
        # to the millisecond: not every digit of a duration survives a CSV file
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
    """The predicted class, and the probabilities where the table has them."""
    prefix = f"{task}."
    heard = [name.removeprefix(prefix) for name in table.columns if name.startswith(prefix)]
    chosen = table[task]
    known = [*classes.labels, *classes.merged, *classes.excluded, *heard]
    unknown = chosen.notna() & ~chosen.isin(known)
    if unknown.any():
        raise InputError(
            f"{source} has the class {chosen[unknown].iloc[0]!r} in the column {task}, but the task"
            f" the labels {', '.join(classes.labels)}: correct the table, name the class in the"
            " task's classes, or give probabilities if the model knows more classes than the task."
        )
    if not heard:
        kept = chosen.mask(chosen.isin(classes.excluded))
        stands_for = kept.map(lambda name: classes.merged.get(name, name), na_action="ignore")
        order = list(dict.fromkeys([*classes.labels, *classes.merged.values()]))
        return pd.DataFrame({task: pd.Categorical(stands_for, categories=order)})
    lacking = [label for label in classes.labels if label not in heard]
    if lacking and not classes.named:
        raise InputError(
            f"{source} has probabilities of {heard[0]} but none of {lacking[0]}: add the column"
            f" {prefix}{lacking[0]}, or remove all that begin with {prefix}"
        )
    groups = classes.groups(heard)
    values = pd.DataFrame({name: _probability(table, task, name, source) for name in heard})
    shares = pd.DataFrame({name: values[members].sum(axis=1) for name, members in groups.items()})
    if classes.named:
        total = shares.sum(axis=1)
        shares = shares.div(total.where(total > 0), axis=0)
        best = pd.Series(shares.columns[shares.fillna(0).to_numpy().argmax(axis=1)])
        chosen = best.where(chosen.notna() & (total > 0))
    order = [*classes.labels, *(name for name in groups if name not in classes.labels)]
    result = pd.DataFrame({task: pd.Categorical(chosen, categories=order)})
    return result.join(shares[order].add_prefix(prefix))


def _probability(table: pd.DataFrame, task: str, name: str, source: str) -> pd.Series:
    """A column of probabilities, wanted wherever a class is predicted."""
    column = f"{task}.{name}"
    values = pd.Series(numbers(table, column, source))
    wrong = table[task].notna().to_numpy() & ~values.between(0, 1).to_numpy()
    if wrong.any():
        raise InputError(
            f"{source} has no probability from 0 to 1 as {column} of"
            f" {table['file'].iloc[int(wrong.argmax())]}: correct it, or remove all columns that"
            f" begin with {task}."
        )
    return values


def describe_tables(paths: Sequence[str | Path]) -> dict[str, object]:
    """What is known of a model that is given as tables, with the keys of a model's card."""
    return {
        "origin": ", ".join(str(path) for path in paths),
        "sha256": ", ".join(sha256(path) for path in paths),
        "size_mb": None,
        "outputs": {},
        "parameters": None,
        "sampling_rate": None,
    }
