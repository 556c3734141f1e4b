"""Score all predictions of a model for a task, and look for signs of mistakes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pandas as pd

from voxslice.files import read_predictions
from voxslice.scores.head_check import head_remarks
from voxslice.scores.label_check import unnamed_labels
from voxslice.scores.model_outputs import Scoring, labels_of, score_model_outputs
from voxslice.scores.scores import score_choices, score_values
from voxslice.speakers import speakers_of


def score_given_predictions(
    paths: Sequence[str], metadata: pd.DataFrame, *, task: str, settings: Mapping[str, Any]
) -> Scoring:
    """Score predictions from a table of the user, in the column with the name of the task.

    Args:
        paths: Parquet files of the predictions
        metadata: keys of all utterances, and the column of true labels
        task: id of the task
        settings: `type`, `target` and, for a classification, `labels` of the task

    Returns:
        the scores of the utterances that have a prediction and a label

    Raises:
        InputError: if no utterance has a known label, or labels of a regression are not numbers
    """
    predictions = read_predictions(list(paths))
    predictions = predictions[predictions[task].notna()].reset_index(drop=True)
    labels = labels_of(predictions, metadata, settings["target"])
    if settings["type"] == "classification":
        return Scoring(score_choices(predictions, labels, task=task, known=settings["labels"]))
    return Scoring(score_values(predictions, labels, column=task, scale=1))


def score_predictions(
    paths: Sequence[str],
    metadata: pd.DataFrame,
    *,
    given: bool,
    card: Mapping[str, Any],
    task: str,
    settings: Mapping[str, Any],
    classes: Mapping[str, Any],
    scale: str | None,
    model: str,
) -> Scoring:
    """Score the predictions of a model, and print how many utterances are left out.

    Args:
        paths: Parquet files of the predictions, one per shard
        metadata: keys of all utterances, the column of true labels, and `speaker` if there is one
        given: whether the predictions come from a table of the user instead of a model
        card: `outputs` (labels of each output) and `activations` of the model
        task: id of the task
        settings: settings of the task, see `score_given_predictions` and `score_model_outputs`
        classes: arguments of `voxslice.classes.Classes`, for a classification
        scale: whether the output contains logits or probabilities, if the config states it
        model: id of the model, for messages

    Returns:
        the scores of the utterances that have a prediction and a label
    """
    if given:
        scoring = score_given_predictions(paths, metadata, task=task, settings=settings)
    else:
        scoring = score_model_outputs(
            paths,
            metadata,
            card=card,
            settings=settings,
            classes=classes,
            scale=scale,
            model=model,
        )
    if settings["type"] == "classification":
        for sentence in unnamed_labels(metadata[settings["target"]], settings["labels"]):
            print(sentence)
        remarks = head_remarks(scoring.scores, speakers_of(scoring.scores, metadata), model)
        for sentence in remarks:
            print(sentence)
        scoring = replace(scoring, notes=[*scoring.notes, *remarks])
    print(f"{len(scoring.scores)} of {len(metadata)} utterances are scored.")
    return scoring
