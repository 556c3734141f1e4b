"""The metric by which models are compared on all utterances, from sums over speakers.

Each metric is a function of sums over utterances, so that the same vectorised code computes its
value, its bootstrap interval and its permutation test.
"""

import numpy as np
import pandas as pd

from voxslice.scores.bootstrap import speaker_sums
from voxslice.scores.metrics import (
    CLASSIFICATION_METRICS,
    REGRESSION_METRICS,
    classification_metrics,
    confusion_counts,
    regression_metrics,
    regression_moments,
)

LOSS_METRICS = ("accuracy", "mae")
"""Metrics that are functions of the mean loss."""


def metric_sums(scores: pd.DataFrame, speakers: np.ndarray | None, metric: str) -> np.ndarray:
    """Sum what a metric needs over the utterances of each speaker.

    Args:
        scores: `loss` of each utterance; for other metrics than those of `LOSS_METRICS` also
            `label` and `prediction`
        speakers: speaker of each utterance, None to treat every utterance as independent
        metric: name of the metric

    Returns:
        shape (speakers, ...). The numbers of an utterance are 1 and its loss for the metrics of
        `LOSS_METRICS`, the moments of label and prediction for `ccc`, and otherwise its confusion
        matrix, in which all classes that no utterance has as its label share one column
    """
    if metric in LOSS_METRICS:
        loss = scores["loss"].to_numpy(float)
        return speaker_sums(np.stack([np.ones(len(loss)), loss], axis=-1), speakers)
    if metric in REGRESSION_METRICS:
        moments = regression_moments(scores["label"].to_numpy(), scores["prediction"].to_numpy())
        return speaker_sums(moments, speakers)
    labels = sorted(set(scores["label"].astype(str)))
    prediction = scores["prediction"].astype(str)
    counts = confusion_counts(scores["label"], prediction, labels, sorted(set(prediction)))
    own, others = counts[..., : len(labels)], counts[..., len(labels) :]
    return speaker_sums(np.concatenate([own, others.sum(-1, keepdims=True)], axis=-1), speakers)


def metric_value(sums: np.ndarray, metric: str) -> np.ndarray:
    """Compute a metric from sums over utterances.

    The concordance is 0 if the predictions or the labels do not vary. So a reference that always
    predicts the median can be compared with a model.

    Args:
        sums: sums of `metric_sums` over speakers, shape (..., numbers of the metric)
        metric: name of the metric

    Returns:
        shape (...), NaN if there are no utterances
    """
    if metric in LOSS_METRICS:
        with np.errstate(invalid="ignore", divide="ignore"):
            loss = sums[..., 1] / sums[..., 0]
        return 1 - loss if metric == "accuracy" else loss
    if metric in REGRESSION_METRICS:
        value = regression_metrics(sums)[..., REGRESSION_METRICS.index(metric)]
        return np.where(sums[..., 0] > 0, np.nan_to_num(value, nan=0.0), np.nan)
    return classification_metrics(sums)[..., CLASSIFICATION_METRICS.index(metric)]


def rarest_label(sums: np.ndarray, metric: str) -> tuple[int, int]:
    """Count what the smallest change of a classification's metric rests on.

    Args:
        sums: sums of `metric_sums` over all utterances
        metric: name of the metric

    Returns:
        number of labels that the metric averages over (1 for the accuracy), and number of
        utterances of the rarest one
    """
    if metric in LOSS_METRICS:
        return 1, int(sums[0])
    utterances = sums.sum(-1)
    return len(utterances), int(utterances.min()) if len(utterances) else 0
