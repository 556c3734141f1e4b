"""Tests of the paired losses of two models on the same utterances."""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from scipy.stats import binomtest

from voxslice.scores.bootstrap import block_sizes
from voxslice.scores.clusters import Clusters, sums_by

ALPHA = 0.05
"""Level of the verdicts on two models."""
MAX_SPEAKERS_EXACT = 14
"""Largest number of speakers for which a test uses all 2^n flips or exchanges."""
ROUNDING = 1e-12
"""Values that differ by this share of their size count as equal."""


def mcnemar(only_a: int, only_b: int) -> float:
    """Exact two-sided McNemar test, on the utterances that only one model gets wrong.

    It is a binomial test (McNemar, "Note on the sampling error of the difference between correlated
    proportions or percentages", Psychometrika 12 (1947), 153-157). It treats utterances as
    independent.

    Args:
        only_a: number of utterances that only the first model gets wrong
        only_b: number of utterances that only the second model gets wrong

    Returns:
        the p-value, 1 if there is no such utterance
    """
    if only_a + only_b == 0:
        return 1.0
    return float(binomtest(only_a, only_a + only_b, 0.5).pvalue)


def sign_flips(
    contributions: np.ndarray,
    *,
    resamples: int,
    seed: int,
    added: np.ndarray | float = 0.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Two-sided sign-flip tests of the sums of several columns, adjusted for their number.

    If two models are equally good for a speaker, the sign of the speaker's differences could as
    well be the opposite one. The test flips the signs of all columns of a speaker together, so that
    it keeps how the columns depend on each other. It uses all flips of up to 14 speakers with a
    difference, otherwise random ones and the observed one.

    The adjusted p-value is the chance that the largest statistic of a column and all columns with
    smaller ones is as large, step by step from the largest one (Westfall and Young,
    Resampling-Based Multiple Testing, Wiley 1993, algorithm 2.8). So the chance of any adjusted
    p-value of at most 0.05 is at most 0.05 if no column differs. The statistic is the sum divided
    by the root of the sum of squares, which flips do not change. Columns with many and with few
    speakers are then comparable.

    Args:
        contributions: contribution of each speaker to the sum of each column, shape (speakers,
            columns)
        resamples: number of random flips
        seed: seed of the random flips
        added: variance that other units add to the sum of each column, shape (columns,), see
            `voxslice.scores.clusters`. The observed statistic is divided by its root, together with
            the sum of squares

    Returns:
        the p-value of each column alone and its adjusted p-value, each of shape (columns,); both
        are 1 if all contributions of the column are 0
    """
    values = np.asarray(contributions, float)
    squares = (values**2).sum(axis=0)
    scaled = np.divide(values, np.sqrt(squares), out=np.zeros_like(values), where=squares > 0)
    scaled = scaled[(scaled != 0).any(axis=1)]
    observed = np.abs(scaled.sum(axis=0)) * _shrinkage(squares, added)
    # flips that differ from the observed sum by rounding only are equal to it
    bars = observed * (1 - ROUNDING)
    order = np.argsort(observed, kind="stable")  # the largest statistic comes last
    alone, stepped, flips = np.zeros(len(order)), np.zeros(len(order)), 0
    for signs in exchanges(len(scaled), len(order), resamples, seed):
        flipped = np.abs(signs @ scaled)
        alone += (flipped >= bars).sum(axis=0)
        largest = np.maximum.accumulate(flipped[:, order], axis=1)
        stepped += (largest >= bars[order]).sum(axis=0)
        flips += len(signs)
    adjusted = np.empty(len(order))
    # no column gets a smaller adjusted p-value than one with a larger statistic
    adjusted[order] = np.maximum.accumulate(stepped[::-1])[::-1] / flips
    return alone / flips, adjusted


def _shrinkage(squares: np.ndarray, added: np.ndarray | float) -> np.ndarray:
    """Factor of statistics whose variance is a sum of squares and an added variance."""
    total = squares + added
    return np.sqrt(np.divide(squares, total, out=np.ones_like(squares), where=total > 0))


def sign_flips_of_clusters(
    contributions: np.ndarray,
    clusters: Clusters,
    added: Sequence[np.ndarray],
    *,
    resamples: int,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Sign-flip tests over speakers, and over each other kind of unit: the largest p-values.

    Args:
        contributions: contribution of each cell to the sum of each column, shape (cells, columns);
            NaN where a column has no utterance of a cell
        clusters: the clusters of the cells
        added: for each kind the variance that other kinds add to the sum of each column
        resamples: number of random flips
        seed: seed of the random flips

    Returns:
        the p-values and the adjusted ones, see `sign_flips`. A kind with one unit in a column does
        not count there, because the column is about this unit
    """
    alone, adjusted = [], []
    values, present = np.nan_to_num(contributions), ~np.isnan(contributions)
    for number, (sums, more) in enumerate(zip(clusters.cluster_sums(values), added, strict=True)):
        found = sign_flips(sums, resamples=resamples, seed=seed, added=more)
        counts = (sums_by(present.astype(float), clusters.kinds[number]) > 0).sum(0)
        counted = (counts > 1) | (number == 0)
        alone.append(np.where(counted, found[0], 0))
        adjusted.append(np.where(counted, found[1], 0))
    return np.max(alone, axis=0), np.max(adjusted, axis=0)


def exchange_speakers(
    sums_a: np.ndarray,
    sums_b: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    *,
    resamples: int,
    seed: int,
    added: float = 0.0,
) -> float:
    """Two-sided permutation test that exchanges two models' predictions of whole speakers.

    If the models are equally good, each speaker's predictions could as well be those of the other
    model. The test exchanges them for some of the speakers and computes the difference of the
    metric again. It works for any metric (Yeh, "More accurate tests for the statistical
    significance of result differences", COLING 2000), here with speakers as units. It uses
    all exchanges for up to 14 speakers for whom the models differ, otherwise random ones and the
    observed one. The smallest p-value of n speakers is 2 to the power of 1 - n, so
    fewer than six speakers can never reach 0.05.

    `voxslice.comparison.compare.compare` gives its error rate and its power.

    Args:
        sums_a: sums over the utterances of each speaker for the first model, shape (speakers, ...)
        sums_b: sums of the second model for the same speakers
        statistic: maps sums over all speakers, shape (exchanges, ...), to the metric, shape
            (exchanges,)
        resamples: number of random exchanges
        seed: seed of the random exchanges
        added: variance that other units add to the difference, see `voxslice.scores.clusters`. The
            observed difference is divided by the root of its share

    Returns:
        the p-value, 1 if the models do not differ for any speaker
    """
    size = int(np.prod(sums_a.shape[1:]))
    change = (sums_b - sums_a).reshape(len(sums_a), size)
    change = change[(change != 0).any(axis=1)]
    if len(change) == 0:
        return 1.0
    total_a, total_b = sums_a.sum(0, keepdims=True), sums_b.sum(0, keepdims=True)
    least = least_difference(statistic(total_a), statistic(total_b))
    if added > 0:
        own = change.reshape(len(change), *sums_a.shape[1:])
        forwards = statistic(total_a + own) - statistic(total_a)
        backwards = statistic(total_b) - statistic(total_b - own)
        squares = ((forwards + backwards) ** 2).sum(keepdims=True) / 4
        least = least * _shrinkage(squares, added)
    values = []
    for signs in exchanges(len(change), size, resamples, seed):
        moved = ((signs < 0) @ change).reshape(len(signs), *sums_a.shape[1:])
        values.append(np.abs(statistic(total_b - moved) - statistic(total_a + moved)))
    return float((np.concatenate(values) >= least).mean())


def exchange_clusters(
    sums_a: np.ndarray,
    sums_b: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    clusters: Clusters,
    added: Sequence[float],
    *,
    resamples: int,
    seed: int,
) -> float:
    """Permutation test that exchanges whole speakers, and whole units of each other kind.

    Args:
        sums_a: sums over the utterances of each cell for the first model, shape (cells, ...)
        sums_b: sums of the second model for the same cells
        statistic: see `exchange_speakers`
        clusters: the clusters of the cells
        added: for each kind the variance that other kinds add to the difference
        resamples: number of random exchanges
        seed: seed of the random exchanges

    Returns:
        the largest p-value of all kinds
    """
    parts = zip(clusters.cluster_sums(sums_a), clusters.cluster_sums(sums_b), added, strict=True)
    return max(
        exchange_speakers(a, b, statistic, resamples=resamples, seed=seed, added=more)
        for a, b, more in parts
    )


def least_difference(value_a: np.ndarray, value_b: np.ndarray) -> np.ndarray:
    """Smallest difference that counts as reaching the observed one, in spite of rounding.

    Args:
        value_a: metric of the first model, in any unit
        value_b: metric of the second model

    Returns:
        the absolute difference without what rounding can change, in the shape of the values
    """
    return np.abs(value_b - value_a) - ROUNDING * np.maximum(np.abs(value_a), np.abs(value_b))


def exchanges(count: int, size: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Draw which units are exchanged: all combinations if there are few units, or random ones.

    Args:
        count: number of units
        size: numbers per combination that the caller computes, to limit its memory
        resamples: number of random combinations, besides the observed one
        seed: seed of the random combinations

    Yields:
        arrays of shape (combinations, count), -1 for units that are exchanged and 1 for the others;
        the first combination exchanges none
    """
    if count <= MAX_SPEAKERS_EXACT:
        start = 0
        for block in block_sizes(2**count, max(count, size)):
            numbers = np.arange(start, start + block)[:, None]
            yield 1 - 2 * (numbers >> np.arange(count) & 1)
            start += block
        return
    generator = np.random.default_rng(seed)
    yield np.ones((1, count), dtype=int)
    for block in block_sizes(resamples, max(count, size)):
        yield generator.choice([-1, 1], size=(block, count))


def fewest_speakers(level: float) -> int:
    """Smallest number of speakers with which `exchange_speakers` can reach a level.

    Args:
        level: the level, from 0 to 1

    Returns:
        the number of speakers
    """
    return 1 + math.ceil(math.log2(1 / level))


def is_equivalent(
    interval: tuple[float, float], margin: float, *, support: int | None, labels: int = 1
) -> bool:
    """Whether the difference of two models is within a margin, by two one-sided tests.

    Both tests reject if the interval lies within the margin (Schuirmann, "A comparison of the two
    one-sided tests procedure and the power approach for assessing the equivalence of average
    bioavailability", Journal of Pharmacokinetics and Biopharmaceutics 15 (1987), 657-680). Usually,
    the 90 % interval is used for a level of 5 %. Here it is a 95 % interval, and it allows for a
    speaker that the study has missed (`voxslice.comparison.hidden_speaker`). `bench/verdicts.py`
    measures how often both are wrong.

    A bootstrap cannot see what the sample does not contain: two models that agree on ten utterances
    have an interval of width zero. So a classification also needs enough utterances to show a
    difference of the size of the margin at least once with a probability of 0.95.

    Args:
        interval: 95 % interval of the difference, see `guarded_interval`
        margin: largest difference that counts as equivalent
        support: number of utterances of a classification, None for a regression. If the metric
            averages over labels, the number of utterances of the rarest label
        labels: number of labels that the metric averages over, 1 for the accuracy. A difference
            then can be that many times as large among the utterances of one label

    Returns:
        whether both tests reject
    """
    if support is not None and (1 - min(1.0, labels * margin)) ** support > ALPHA:
        return False
    return bool(-margin <= interval[0] and interval[1] <= margin)
