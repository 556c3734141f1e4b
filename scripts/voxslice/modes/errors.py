"""Which errors a model makes inside a mode, and who makes them."""

import numpy as np
import pandas as pd

from voxslice.speakers import UNKNOWN_SPEAKER
from voxslice.task import Task

SHOWN_CONFUSIONS = 2
"""Largest number of confusions that are named."""
MIN_SHARE = 0.2
"""Smallest share of the errors of a confusion that is named second."""
MIN_BIAS = 0.5
"""Smallest ratio of the mean error to the mean absolute error that gives errors a direction."""


def confusions(scores: pd.DataFrame, task: Task) -> str:
    """Describe the errors on some utterances.

    Args:
        scores: scores of the model on these utterances, with `label`, `prediction` and `loss`
        task: what is measured

    Returns:
        the most frequent confusions of classes, or the direction of the errors of a regression;
        empty if there are no errors
    """
    if task.is_classification:
        return _classes(scores[scores["loss"] > 0])
    error = scores["prediction"].astype(float) - scores["label"].astype(float)
    if not len(error) or not error.abs().mean() > 0:
        return ""
    bias = float(error.mean())
    if abs(bias) < MIN_BIAS * float(error.abs().mean()):
        return "predicts too high and too low"
    size = f"{abs(bias):.3g} {task.unit}".rstrip()
    return f"predicts {size} too {'high' if bias > 0 else 'low'} on average"


def _classes(wrong: pd.DataFrame) -> str:
    """The most frequent pairs of label and prediction among errors."""
    pairs = wrong[["label", "prediction"]].astype(str).value_counts().reset_index(name="count")
    pairs = pairs.sort_values(["count", "label", "prediction"], ascending=[False, True, True]).head(
        SHOWN_CONFUSIONS
    )
    named = pairs[(pairs["count"] >= MIN_SHARE * len(wrong)) | (pairs.index == pairs.index.min())]
    return "; ".join(
        f"{row['label']} predicted as {row['prediction']} ({row['count']} of {len(wrong)}"
        f" error{'' if len(wrong) == 1 else 's'})"
        for row in named.to_dict("records")
    )


def leading_speaker(loss: np.ndarray, speakers: np.ndarray | None) -> str:
    """The speaker who makes more than half of the errors.

    Args:
        loss: loss of each utterance
        speakers: speaker of each utterance, None if not known

    Returns:
        the speaker; empty if there is none or if there are no errors
    """
    if speakers is None or not loss.sum() > 0:
        return ""
    sums = pd.Series(loss).groupby(speakers).sum()
    name = str(sums.idxmax())
    return name if name != UNKNOWN_SPEAKER and sums.max() > loss.sum() / 2 else ""
