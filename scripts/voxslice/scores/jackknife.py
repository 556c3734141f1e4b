"""Intervals of metrics that leave out one speaker at a time.

Without each speaker, a metric has another value. The spread of these values is its standard error
(Miller, "The jackknife: a review", Biometrika 61 (1974), 1-15), and Student's t distribution with
one degree of freedom less than the number of speakers gives the interval. The metric is transformed
first, because a metric near its limit is skewed: shares by the arcsine of the root, correlations by
Fisher's z, and mean absolute errors by the logarithm.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import stdtrit

from voxslice.scores.bootstrap import LEVEL, block_sizes
from voxslice.scores.clusters import Clusters, variances

Values = np.ndarray[Any, Any]
ROUNDING = 1e-12
"""Differences of metrics that count as none."""


@dataclass(frozen=True)
class Scale:
    """A transformation of a metric.

    Attributes:
        forward: maps values of the metric to the scale on which the interval is symmetric
        back: maps values of the scale to the metric; values beyond the limits of the metric become
            the limits
    """

    forward: Callable[[Values], Values]
    back: Callable[[Values], Values]


SHARE = Scale(
    lambda value: np.arcsin(np.sqrt(np.clip(value, 0, 1))),
    lambda value: np.sin(np.clip(value, 0, np.pi / 2)) ** 2,
)
CORRELATION = Scale(np.arctanh, np.tanh)
POSITIVE = Scale(np.log, np.exp)


def jackknife_interval(
    sums: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    scales: list[Scale],
    clusters: Clusters,
    level: float = LEVEL,
) -> tuple[np.ndarray, np.ndarray]:
    """Interval of metrics that depend on the speakers and on other units.

    The clusters of each kind are left out one at a time. If there are further kinds, such as
    sentences, the standard error is multiplied by the root of the share that they add to the
    variance, and the wider end of all kinds is taken.

    Args:
        sums: sums over the utterances of each cell, shape (cells, ...)
        statistic: maps sums of shape (many, ...) to metrics of shape (many, k)
        scales: the transformation of each metric, k of them
        clusters: the clusters
        level: coverage of the interval

    Returns:
        lower and upper end, each of shape (k,). Both equal the metric if it is the same without
        each cluster. They are NaN if there are fewer than two speakers, or if a transformed metric
        is not finite without one of them
    """
    total = sums.sum(0)
    value = statistic(total[None])[0]
    middle = _transformed(value[None], scales)[0]
    same, halves = np.full(len(value), True), []
    of_kinds = clusters.cluster_sums(sums)
    for part, (own, added) in zip(of_kinds, variances(sums, statistic, clusters), strict=True):
        if len(part) < 2:
            return np.full_like(value, np.nan), np.full_like(value, np.nan)
        without = _without_each(total, part, statistic)
        deviation = _transformed(without, scales)
        deviation -= deviation.mean(0)
        error = np.sqrt((len(part) - 1) / len(part) * (deviation**2).sum(0))
        more = np.sqrt(1 + np.divide(added, own, out=np.zeros_like(own), where=own > 0))
        halves.append(stdtrit(len(part) - 1, (1 + level) / 2) * error * more)
        same &= (np.abs(without - value) <= ROUNDING).all(0)
    half = np.max(halves, axis=0)
    ends = [
        np.array([scale.back(end) for scale, end in zip(scales, edge, strict=True)])
        for edge in (middle - half, middle + half)
    ]
    return np.where(same, value, ends[0]), np.where(same, value, ends[1])


def _without_each(
    total: np.ndarray, part: np.ndarray, statistic: Callable[[np.ndarray], np.ndarray]
) -> np.ndarray:
    """The metrics without each cluster, of shape (clusters, k), from the sums of the clusters."""
    start, left_out = 0, []
    for size in block_sizes(len(part), int(np.prod(part.shape[1:]))):
        left_out.append(statistic(total - part[start : start + size]))
        start += size
    return np.concatenate(left_out)


def _transformed(values: np.ndarray, scales: list[Scale]) -> np.ndarray:
    """The metrics of shape (many, k) on their scales, NaN where they are not finite."""
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = [scale.forward(values[:, k]) for k, scale in enumerate(scales)]
    transformed = np.stack(columns, axis=1)
    return np.where(np.isfinite(transformed), transformed, np.nan)
