"""How the difference of two models depends on single speakers, for any metric.

A metric is a function of sums over utterances, see `voxslice.scores.metrics`. So a speaker is left
out by subtracting its sums, and a metric without this speaker needs no pass over the utterances.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from voxslice.scores.bootstrap import block_sizes, percentile_interval
from voxslice.scores.metrics import (
    CLASSIFICATION_METRICS,
    REGRESSION_METRICS,
    classification_metrics,
    confusion_counts,
    regression_metrics,
    regression_moments,
)

CHUNK = 100_000
"""Utterances whose confusion matrices are in memory at the same time."""
MAX_FLAGS = 400_000_000
"""Largest number of resamples times speakers. Very many speakers get fewer resamples."""


def metric_of(sums: np.ndarray, metric: str) -> np.ndarray:
    """Compute a metric from sums.

    Args:
        sums: confusion matrices of shape (..., labels, classes) for a metric of a classification,
            otherwise sums of `regression_moments` of shape (..., 7)
        metric: name of the metric, such as `uar` or `mae`

    Returns:
        shape (...), NaN where the metric is not defined
    """
    if metric in CLASSIFICATION_METRICS:
        return classification_metrics(sums)[..., CLASSIFICATION_METRICS.index(metric)]
    return regression_metrics(sums)[..., REGRESSION_METRICS.index(metric)]


def difference_of(sums: np.ndarray, metric: str) -> np.ndarray:
    """Compute the difference of two models in a metric.

    Args:
        sums: sums of both models, shape (..., 2, labels, classes) or (..., 2, 7)
        metric: name of the metric

    Returns:
        the metric of the second model minus that of the first, shape (...)
    """
    axis = -3 if metric in CLASSIFICATION_METRICS else -2
    values = metric_of(np.moveaxis(sums, axis, 0), metric)
    return values[1] - values[0]


def contributions(sums: np.ndarray, total: np.ndarray, metric: str) -> np.ndarray:
    """How much single speakers, or single utterances, contribute to the difference of two models.

    The contribution of a speaker is the change of the metric if the predictions of the first model
    are replaced by those of the second for this speaker only. It is the mean of two changes: the
    other speakers have the predictions of the first model, and of the second. For accuracy, UAR
    and mean absolute error both are equal, and the contributions sum to the difference.

    Args:
        sums: sums of each speaker or utterance for both models, shape (speakers, 2, ...)
        total: sums over all speakers, shape (2, ...)
        metric: name of the metric

    Returns:
        shape (speakers,), in the direction of the second model minus the first
    """
    first, second = sums[:, 0], sums[:, 1]
    forwards = metric_of(total[0] - first + second, metric) - metric_of(total[0], metric)
    backwards = metric_of(total[1], metric) - metric_of(total[1] - second + first, metric)
    return (forwards + backwards) / 2


def pair_sums(
    a: pd.DataFrame, b: pd.DataFrame, numbers: np.ndarray, labels: Sequence[str] | None
) -> np.ndarray:
    """Sum what the metrics of two models are computed from over the utterances of each speaker.

    Args:
        a: scores of the first model
        b: scores of the second model, of the same utterances in the same order
        numbers: number of each utterance's speaker, from 0, shape (utterances,)
        labels: labels of a classification, None for a regression

    Returns:
        confusion matrices of shape (speakers, 2, labels, classes), or moments of shape
        (speakers, 2, 7)
    """
    parts = _parts(a.iloc[:1], b.iloc[:1], labels)
    sums = np.zeros((numbers.max(initial=-1) + 1, *parts.shape[1:]))
    for rows in _chunks(len(a)):
        np.add.at(sums, numbers[rows], _parts(a.iloc[rows], b.iloc[rows], labels))
    return sums


def utterance_contributions(
    a: pd.DataFrame,
    b: pd.DataFrame,
    total: np.ndarray,
    *,
    metric: str,
    labels: Sequence[str] | None,
) -> np.ndarray:
    """How much single utterances contribute to the difference of two models.

    Args:
        a: scores of the first model
        b: scores of the second model, of the same utterances in the same order
        total: sums over all utterances, shape (2, ...)
        metric: name of the metric
        labels: labels of a classification, None for a regression

    Returns:
        shape (utterances,), see `contributions`
    """
    chunks = [
        contributions(_parts(a.iloc[rows], b.iloc[rows], labels), total, metric)
        for rows in _chunks(len(a))
    ]
    return np.concatenate([np.empty(0), *chunks])


def _chunks(count: int) -> list[slice]:
    """Split rows into chunks of at most `CHUNK`."""
    return [slice(start, start + CHUNK) for start in range(0, count, CHUNK)]


def _parts(a: pd.DataFrame, b: pd.DataFrame, labels: Sequence[str] | None) -> np.ndarray:
    """Confusion matrices or moments of two models, shape (utterances, 2, ...)."""
    if labels is None:
        both = [regression_moments(table["label"], table["prediction"]) for table in (a, b)]
    else:
        names = (name for table in (a, b) for name in table["prediction"].cat.categories)
        classes = list(dict.fromkeys(names))
        both = [confusion_counts(t["label"], t["prediction"], labels, classes) for t in (a, b)]
    return np.stack(both, axis=1)


def without_each(
    sums: np.ndarray, metric: str, *, resamples: int, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Difference of two models without each speaker in turn, with 95 % intervals.

    One set of resamples serves all speakers. Each resample draws one speaker fewer than there are.
    Those that do not contain a speaker are exactly the resamples of the other speakers (Efron,
    "Jackknife-after-bootstrap standard errors and influence functions", Journal of the Royal
    Statistical Society B 54 (1992), 83-127). These are at least 37 % of all resamples, so more are
    drawn.

    Args:
        sums: sums of each speaker for both models, shape (speakers, 2, ...)
        metric: name of the metric
        resamples: number of resamples without a speaker, on average; fewer if there are very many
            speakers
        seed: seed of the draws

    Returns:
        the difference without each speaker, the lower and the upper end of its interval, each of
        shape (speakers,); the ends are NaN if fewer than two speakers are left
    """
    count = len(sums)
    value = difference_of(sums.sum(0) - sums, metric)
    low, high = np.full((2, count), np.nan)
    if count < 3:
        return value, low, high
    generator = np.random.default_rng(seed)
    flat = sums.reshape(count, -1)
    values, absent = [], []
    draws = min(math.ceil(resamples * math.e), MAX_FLAGS // count)
    for size in block_sizes(draws, count):
        weights = generator.multinomial(count - 1, np.full(count, 1 / count), size=size)
        values.append(difference_of((weights @ flat).reshape(size, *sums.shape[1:]), metric))
        absent.append(weights == 0)
    drawn, left_out = np.concatenate(values), np.concatenate(absent)
    for speaker in range(count):
        some = drawn[left_out[:, speaker], None]
        low[speaker], high[speaker] = np.ravel(percentile_interval(some, count - 1))
    return value, low, high
