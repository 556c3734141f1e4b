"""A metric of a model, or a difference of two models, with what an interval by speaker needs.

If utterances also share other units, such as sentences that all speakers read, the interval refers
to other speakers and other sentences. See `voxslice.scores.clusters`.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import betaincinv, stdtrit
from scipy.stats import skew

from voxslice.comparison.overall_metric import metric_sums, metric_value, rarest_label
from voxslice.scores.bootstrap import speaker_sums
from voxslice.scores.clusters import make_clusters, variances
from voxslice.scores.metrics import REGRESSION_METRICS
from voxslice.speakers import number_speakers
from voxslice.units import Index

MAX_EXPONENT = 10.0
"""Largest logarithm of an end relative to the value. With two speakers nothing is known."""
MIN_SKEWNESS = 1e-6
"""A skewness below this number is not corrected."""


@dataclass(frozen=True)
class Estimate:
    """A metric, or a difference of metrics, and how it varies between speakers and utterances.

    Attributes:
        value: the metric, or the difference; NaN without utterances
        error: its standard error, from a jackknife over speakers, and with what other units add;
            NaN with fewer than two speakers
        skewness: skewness of the contributions of the speakers; 0 with fewer than three speakers,
            or if the speakers do not differ
        units: number of speakers, where all unknown speakers count as one; number of utterances if
            speakers are not known
        shares: sum of the squared shares of the speakers in the utterances; its inverse is the
            effective number of speakers
        support: number of utterances
        is_share: whether the metric is a share (accuracy, UAR, F1) and not a number in some unit
        is_difference: whether it is a difference of two models
        weight: mean squared weight of an utterance in the metric, 1 for the accuracy
        between: variance between speakers of the value of an utterance
        within: variance of the value of an utterance within speakers
        lowest: smallest possible value
        labels: number of labels that the metric averages over
        rarest: number of utterances of the rarest label
        added: what units beside the speaker add to the square of the error
        other_units: number of units of the other kind that has the fewest; infinity without units
        other_shares: as `shares`, of the other kind of unit for which it is the largest; 0 without
            units
    """

    value: float
    error: float
    skewness: float
    units: int
    shares: float
    support: int
    is_share: bool
    is_difference: bool
    weight: float
    between: float
    within: float
    lowest: float
    labels: int
    rarest: int
    added: float
    other_units: float
    other_shares: float

    @property
    def fewest(self) -> float:
        """Number of units of the kind that has the fewest, where speakers are a kind as well."""
        return min(self.units, self.other_units)

    @property
    def freedom(self) -> float:
        """Degrees of freedom of the standard error, at least 1."""
        shares = max(self.shares, self.other_shares)
        return max(1 / shares - 1, 1.0) if shares > 0 else 1.0


def estimate(
    scores: Sequence[pd.DataFrame],
    speakers: np.ndarray | None,
    metric: str,
    units: Sequence[Index] = (),
) -> Estimate:
    """Compute a metric of one model, or the second model's metric minus that of the first one.

    Args:
        scores: scores of one or two models, for the same utterances in the same order
        speakers: speaker of each utterance, None to treat every utterance as independent
        metric: name of the metric
        units: for each kind of further units, such as sentences, the number of each utterance's
            unit, see `voxslice.units.units_of`

    Returns:
        the metric or the difference
    """
    support = len(scores[0])
    is_share = metric not in REGRESSION_METRICS
    two = len(scores) == 2
    if support == 0:
        nothing = (np.nan, np.nan, 0.0, 0, 0.0, 0, is_share, two, 1.0, 0.0, 0.0, -np.inf, 1, 0)
        return Estimate(*nothing, added=0.0, other_units=math.inf, other_shares=0.0)
    numbers = np.arange(support) if speakers is None else number_speakers(speakers)[0]
    sizes = np.bincount(numbers).astype(float)
    sizes, numbers = sizes[sizes > 0], np.unique(numbers, return_inverse=True)[1]
    each = [metric_sums(table, None, metric) for table in scores]
    totals = [parts.sum(0) for parts in each]
    sums = [speaker_sums(parts, numbers) for parts in each]
    count = len(sizes)
    value = float(_change([metric_value(total, metric) for total in totals]))
    error, skewness = np.nan, 0.0
    if count > 1:
        left_out = _change(
            [metric_value(total - own, metric) for total, own in zip(totals, sums, strict=True)]
        )
        error = float(np.sqrt(((left_out - value) ** 2).sum() * (count - 1) / count))
        skewness = _skewness(value - left_out)
    influence = _change(
        [
            (support - 1) * (metric_value(total, metric) - metric_value(total - parts, metric))
            for total, parts in zip(totals, each, strict=True)
        ]
    )
    labels, rarest = rarest_label(totals[0], metric) if is_share else (1, support)
    between, within = variance_components(np.nan_to_num(influence), numbers, sizes)
    added, other_units, other_shares = _other_units(each, numbers, units, metric)
    return Estimate(
        value=value,
        error=math.hypot(error, math.sqrt(added)),
        skewness=skewness,
        units=count,
        shares=float(((sizes / support) ** 2).sum()),
        support=support,
        is_share=is_share,
        is_difference=two,
        weight=_weight(totals[0]) if is_share and totals[0].ndim > 1 else 1.0,
        between=between,
        within=within,
        lowest=-1.0 if is_share else 0.0 if metric == "mae" and not two else -np.inf,
        labels=labels,
        rarest=rarest,
        added=added,
        other_units=other_units,
        other_shares=other_shares,
    )


def _other_units(
    each: Sequence[np.ndarray], numbers: np.ndarray, units: Sequence[Index], metric: str
) -> tuple[float, float, float]:
    """What units beside the speaker add to the variance of a metric or difference.

    Args:
        each: for each model the sums of the metric, one row per utterance
        numbers: number of each utterance's speaker
        units: for each kind of unit the number of each utterance's unit
        metric: name of the metric

    Returns:
        the added variance; the number of units of the kind that has the fewest, infinity without
        units; and the largest sum of the squared shares of the units of a kind in the utterances
    """
    clusters = make_clusters(len(numbers), numbers, units)
    if len(clusters.kinds) == 1:
        return 0.0, math.inf, 0.0

    def statistic(total: np.ndarray) -> np.ndarray:
        values = [metric_value(total[:, model], metric) for model in range(len(each))]
        return np.reshape(_change(values), (-1, 1))

    sums = np.stack([clusters.cell_sums(parts) for parts in each], axis=1)
    _, added = variances(sums, statistic, clusters)[0]
    sizes = [np.bincount(kind[clusters.cell]) for kind in clusters.kinds[1:]]
    shares = [float(((size / len(numbers)) ** 2).sum()) for size in sizes]
    return float(added[0]), min(len(size) for size in sizes), max(shares)


def _change(values: Sequence[np.ndarray]) -> np.ndarray:
    """The only value, or the second one minus the first one."""
    return values[0] if len(values) == 1 else values[1] - values[0]


def _skewness(values: np.ndarray) -> float:
    """Sample skewness, with the usual correction for the number of values."""
    if len(values) < 3 or np.ptp(values) <= 1e-9 * np.abs(values).max():
        return 0.0
    return float(skew(values, bias=False))


def _weight(confusion: np.ndarray) -> float:
    """Mean squared weight of an utterance in the UAR, given the confusion matrix."""
    sizes = confusion.sum(-1)
    sizes = sizes[sizes > 0]
    return float(sizes.sum() / len(sizes) ** 2 * (1 / sizes).sum())


def variance_components(
    values: np.ndarray, numbers: np.ndarray, sizes: np.ndarray
) -> tuple[float, float]:
    """Split the variance of utterances into that between and that within speakers.

    This is the analysis of variance of an unbalanced one-way random effects model (Searle, Casella
    and McCulloch, Variance Components, 1992, section 3.6).

    Args:
        values: one value per utterance
        numbers: number of the speaker of each utterance, from 0
        sizes: number of utterances of each speaker

    Returns:
        the variance between speakers, at least 0, and the variance within speakers; without two
        utterances of a speaker all variance counts as that within speakers
    """
    total, count = len(values), len(sizes)
    if total < 2:
        return 0.0, 0.0
    if total == count or count < 2:
        return 0.0, float(values.var(ddof=1))
    means = np.bincount(numbers, values) / sizes
    within = float(((values - means[numbers]) ** 2).sum() / (total - count))
    mean_square = float((sizes * (means - values.mean()) ** 2).sum() / (count - 1))
    size = (total - (sizes**2).sum() / total) / (count - 1)
    return max(0.0, (mean_square - within) / size), within


def unseen(found: Estimate, tail: float, utterances: float | None = None) -> float:
    """Largest change of a share that the utterances could have missed completely.

    If a share p of all utterances were different, n independent utterances show none of them with
    the probability (1 - p)^n. A resampling method cannot see this uncertainty.

    Args:
        found: the estimate
        tail: probability with which nothing is seen
        utterances: number of utterances of the rarest label; None for that of the estimate

    Returns:
        the change, 0 for metrics that are no share
    """
    count = found.rarest if utterances is None else utterances
    if not found.is_share or count <= 0:
        return 0.0
    return float((1 - tail ** (1 / count)) / found.labels)


def interval(found: Estimate, level: float) -> tuple[float, float]:
    """Interval of a metric or of a difference, by speaker.

    A difference and a correlation have Student's t interval with the standard error of the
    jackknife over speakers, and with what other units add to it.

    The mean absolute error of one model is positive and skewed, because a few speakers have large
    errors. It has Student's t interval of its logarithm. The upper end is at least that of Hall's
    transformation, which corrects for the skewness (Hall, "On the removal of skewness by
    transformation", Journal of the Royal Statistical Society B 54 (1992), 221-228).

    A share of one model has the interval of Clopper and Pearson with the effective number of
    utterances (Korn and Graubard, "Confidence intervals for proportions with small expected number
    of positive counts estimated from survey data", Survey Methodology 24 (1998), 193-201), since t
    intervals are too short near 1. If all speakers agree, the effective number is that of the
    speakers, or of other units if they are fewer. The interval of a share reaches at least as far
    as the change that the utterances could have missed, see `unseen`. `bench/checks.py` measures
    the coverage.

    Args:
        found: the estimate
        level: coverage of the interval

    Returns:
        lower and upper end, NaN with fewer than two speakers
    """
    if not np.isfinite(found.error):
        return np.nan, np.nan
    tail = (1 - level) / 2
    quantile = float(stdtrit(found.freedom, 1 - tail))
    if found.is_share and not found.is_difference:
        return _share_interval(found, quantile, tail)
    if found.lowest == 0 and min(found.value, found.error) > 0:
        return _positive_interval(found, quantile)
    half = max(quantile * found.error, unseen(found, tail))
    low, high = max(found.value - half, found.lowest), found.value + half
    return (low, min(high, 1.0)) if found.is_share else (low, high)


def _positive_interval(found: Estimate, quantile: float) -> tuple[float, float]:
    """The interval of a positive mean: that of its logarithm, with Hall's correction above."""
    factor = math.exp(min(quantile * found.error / found.value, MAX_EXPONENT))
    return found.value / factor, max(found.value * factor, _hall_end(found, quantile))


def _hall_end(found: Estimate, quantile: float) -> float:
    """Upper end of the interval of a mean by Hall's transformation."""
    root = math.sqrt(found.units)
    shift = quantile / root + found.skewness / (6 * found.units)
    if abs(found.skewness) > MIN_SKEWNESS:
        shift = 3 / found.skewness * (1 - float(np.cbrt(1 - found.skewness * shift)))
    return found.value + root * found.error * shift


def _share_interval(found: Estimate, quantile: float, tail: float) -> tuple[float, float]:
    """The interval of Korn and Graubard."""
    value = min(max(found.value, 0.0), 1.0)
    if found.error > 0:
        effective = min(value * (1 - value) / found.error**2, found.support)
        normal = float(stdtrit(max(found.support - 1, 1), 1 - tail))
        effective *= (normal / quantile) ** 2
    else:
        effective = found.fewest
    hits = value * effective
    low = betaincinv(hits, effective - hits + 1, tail) if hits > 0 else 0.0
    high = betaincinv(hits + 1, effective - hits, 1 - tail) if effective > hits else 1.0
    floor = unseen(found, tail)
    return max(0.0, min(float(low), value - floor)), min(1.0, max(float(high), value + floor))
