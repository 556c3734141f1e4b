"""Score the output of a model that a task reads, as the task and the model's card define it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from voxslice.classes import Classes
from voxslice.files import read_predictions
from voxslice.scores.scale import scale_of_output
from voxslice.scores.scores import labels_of_output, score_classes, score_values, value_label
from voxslice.utterance_keys import KEY


@dataclass(frozen=True)
class Scoring:
    """The scores of a model, and how its outputs were read.

    Attributes:
        scores: one row per utterance, see `voxslice.scores.scores`
        scale: whether the output of a classification contains logits or probabilities, see
            `voxslice.scores.scale`; None for a regression, and for predictions from a table
        notes: sentences for the report, on the scale and on signs that the head of the model is
            wrong
    """

    scores: pd.DataFrame
    scale: str | None = None
    notes: list[str] = field(default_factory=list)


def score_model_outputs(
    paths: Sequence[str],
    metadata: pd.DataFrame,
    *,
    card: Mapping[str, Any],
    settings: Mapping[str, Any],
    classes: Mapping[str, Any],
    scale: str | None,
    model: str,
) -> Scoring:
    """Score the output of a model that a task reads.

    Args:
        paths: Parquet files of the predictions, one per shard
        metadata: keys of all utterances, and the column of true labels
        card: `outputs` (labels of each output) and `activations` of the model
        settings: `type`, `target` and `output` of the task; for a regression also `scale` and, if
            the config sets it, `label`
        classes: arguments of `voxslice.classes.Classes`, for a classification
        scale: whether the output contains logits or probabilities, if the config states it
        model: id of the model, for messages

    Returns:
        the scores of the utterances that have a label

    Raises:
        InputError: if the output, or its labels, do not fit the task; or if no utterance has a
            known label
    """
    output = settings["output"]
    names = labels_of_output(card["outputs"], output, model)
    if settings["type"] == "classification":
        predictions = read_predictions(list(paths), [*KEY, *names])
        decided = scale_of_output(
            predictions[names].to_numpy(float),
            declared=scale,
            activation=card["activations"].get(output),
            model=model,
            output=output,
        )
        print(decided.note or f"The output {output} of {model} holds {decided.kind}.")
        scores = score_classes(
            predictions,
            labels_of(predictions, metadata, settings["target"]),
            classes=names,
            task=Classes(**classes),
            scale=decided.kind,
            owner=f"The model {model}",
        )
        return Scoring(scores, decided.kind, [decided.note] if decided.note else [])
    column = value_label(names, settings.get("label"), output, model)
    predictions = read_predictions(list(paths), [*KEY, column])
    labels = labels_of(predictions, metadata, settings["target"])
    return Scoring(score_values(predictions, labels, column=column, scale=settings["scale"]))


def labels_of(predictions: pd.DataFrame, metadata: pd.DataFrame, target: str) -> pd.Series:
    """Look up the true label of each row of the predictions.

    Args:
        predictions: keys of the utterances
        metadata: keys of all utterances, and the column of true labels
        target: name of that column

    Returns:
        the label of each row
    """
    return predictions[KEY].merge(metadata[[*KEY, target]], on=KEY, how="left")[target]
