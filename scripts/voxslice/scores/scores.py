"""Scores: the prediction and the loss of a model on each utterance."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.special import logsumexp, softmax

from voxslice.classes import Classes
from voxslice.errors import InputError
from voxslice.probabilities import shares
from voxslice.scores.scale import LOGITS, PROBABILITIES
from voxslice.utterance_keys import KEY


def score_classes(
    predictions: pd.DataFrame,
    labels: pd.Series,
    *,
    classes: Sequence[str],
    task: Classes,
    scale: str = LOGITS,
    owner: str = "The model",
) -> pd.DataFrame:
    """Score a classification.

    Args:
        predictions: the keys and one column of logits or probabilities per class
        labels: true label of each row of the predictions
        classes: classes of the model, which are columns of the predictions
        task: labels of the task, and the classes that stand for them; a model is wrong if it
            predicts a class that stands for no label
        scale: `LOGITS` or `PROBABILITIES`
        owner: what has the classes, for messages: the subject of a sentence

    Returns:
        one row per utterance with a known label: the keys, `label`, `prediction` (the most probable
        class), `loss` (0 right, 1 wrong) and `p_<class>`. For logits, it is the softmax over the
        classes that are not excluded. For probabilities, it is the value itself, divided by the sum
        if the task merges or excludes classes. Probabilities of classes that stand for the same
        label are added

    Raises:
        InputError: if a label has no class, the task does not name a class of the model, or no row
            has a known label
    """
    groups = task.groups(classes, owner)
    text, kept = known_labels(labels, task.labels)
    values = [predictions.loc[kept, members].to_numpy(np.float64) for members in groups.values()]
    if scale == PROBABILITIES:
        ranks = np.column_stack([value.clip(0, 1).sum(axis=1) for value in values])
        probabilities = shares(ranks) if task.named else ranks
    else:
        ranks = np.column_stack([logsumexp(value, axis=1) for value in values])
        probabilities = softmax(ranks, axis=1)
    scores = predictions.loc[kept, KEY].reset_index(drop=True)
    chosen = pd.Categorical.from_codes(ranks.argmax(1), categories=list(groups))
    scores = _with_loss(scores, text[kept], chosen)
    for position, name in enumerate(groups):
        scores[f"p_{name}"] = probabilities[:, position].astype(np.float32)
    return scores


def score_choices(
    predictions: pd.DataFrame, labels: pd.Series, *, task: str, known: Sequence[str]
) -> pd.DataFrame:
    """Score a classification whose predicted classes are given.

    Args:
        predictions: the keys; the predicted classes in a categorical column that has the name of
            the task, none missing; and optionally `<task>.<class>`, the probability of each class
        labels: true label of each row of the predictions
        task: id of the task
        known: labels of the task

    Returns:
        one row per utterance with a known label: the keys, `label`, `prediction`, `loss` (0 right,
        1 wrong), and `p_<class>` if the predictions have probabilities

    Raises:
        InputError: if no row has a known label
    """
    text, kept = known_labels(labels, known)
    rows = predictions[kept].reset_index(drop=True)
    classes = list(rows[task].cat.categories)
    scores = _with_loss(rows[KEY], text[kept], pd.Categorical(rows[task]))
    for name in classes:
        if f"{task}.{name}" in rows:
            scores[f"p_{name}"] = rows[f"{task}.{name}"].astype(np.float32)
    return scores


def known_labels(labels: pd.Series, known: Sequence[str]) -> tuple[pd.Series, np.ndarray]:
    """Labels as text, and the rows whose label belongs to the task.

    Args:
        labels: labels as in the metadata
        known: labels of the task

    Returns:
        the labels as text, and a mask of shape (rows,)

    Raises:
        InputError: if no row has a known label
    """
    # labels can be numbers or booleans in the metadata, and are text in the config
    text = labels.astype("string").reset_index(drop=True)
    kept = text.isin(known).to_numpy(bool, na_value=False)
    if not kept.any():
        found = ", ".join(sorted(set(text.dropna()))[:5]) or "none"
        raise InputError(
            f"No utterance has one of the labels {', '.join(known)} (found: {found}):"
            f" correct the column {labels.name}, or the task's target or labels."
        )
    return text, kept


def _with_loss(keys: pd.DataFrame, labels: pd.Series, chosen: pd.Categorical) -> pd.DataFrame:
    scores = keys.copy()
    scores["label"] = pd.Categorical(labels, categories=chosen.categories)
    scores["prediction"] = chosen
    scores["loss"] = (scores["label"] != scores["prediction"]).astype(float)
    return scores


def score_values(
    predictions: pd.DataFrame, labels: pd.Series, *, column: str, scale: float
) -> pd.DataFrame:
    """Score a regression.

    Args:
        predictions: the keys and the column of the predicted value
        labels: true value of each row of the predictions, in the task's unit
        column: column of the predicted values
        scale: number of task units in one unit of the model (100 if the model counts in centuries)

    Returns:
        one row per utterance with a label: the keys, `label`, `prediction` and `loss` (absolute
        error), all in the task's unit

    Raises:
        InputError: if labels are not numbers, or no row has a label
    """
    values, kept = known_values(labels)
    scores = predictions.loc[kept, KEY].reset_index(drop=True)
    scores["label"] = values[kept].to_numpy()
    scores["prediction"] = predictions.loc[kept, column].to_numpy(np.float64) * scale
    scores["loss"] = (scores["prediction"] - scores["label"]).abs()
    return scores


def known_values(labels: pd.Series) -> tuple[pd.Series, np.ndarray]:
    """Labels as numbers, and the rows that have one.

    Args:
        labels: labels as in the metadata

    Returns:
        the labels as numbers, and a mask of shape (rows,)

    Raises:
        InputError: if labels are not numbers, or no row has a label
    """
    values = pd.to_numeric(labels.astype("object"), errors="coerce").astype(float)
    wrong = labels[labels.notna() & values.isna()]
    if len(wrong):
        raise InputError(
            f"The column {labels.name} has {str(wrong.iloc[0])!r} among the labels of a regression,"
            " which are numbers: correct the table, or the task's target or type."
        )
    values = values.reset_index(drop=True)
    kept = np.isfinite(values).to_numpy()
    if not kept.any():
        raise InputError(
            f"No utterance has a label in the column {labels.name}: correct the task's target."
        )
    return values, kept


def labels_of_output(outputs: dict[str, list[str]], output: str, model: str) -> list[str]:
    """Labels of the output that a task reads.

    Args:
        outputs: labels of each output of the model
        output: name of the output
        model: id of the model, for the message

    Returns:
        the labels

    Raises:
        InputError: if the model has no such output
    """
    if output not in outputs:
        raise InputError(
            f"The model {model} has no output {output!r}, but {', '.join(outputs)}:"
            " correct the task's output or remove the task from the model."
        )
    return outputs[output]


def value_label(labels: Sequence[str], wanted: str | None, output: str, model: str) -> str:
    """The label of an output that a regression reads.

    Args:
        labels: labels of the output
        wanted: label that the task names, or None
        output: name of the output, for the message
        model: id of the model, for the message

    Returns:
        the label

    Raises:
        InputError: if the output has no such label, or several labels and the task names none
    """
    if wanted is None and len(labels) == 1:
        return labels[0]
    if wanted is None or wanted not in labels:
        raise InputError(
            f"The output {output} of {model} has the labels {', '.join(labels)}:"
            " name one of them as the task's label."
        )
    return wanted
