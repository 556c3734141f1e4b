"""Two resampling tests of all rules at once: is the excess loss of a rule more than chance?

*Within speakers*, losses are permuted inside strata, which are the speakers. The statistic of a
rule is the excess of its loss over its expectation, studentised with the variance and skewness of
the permutations, which are known in closed form. *Across speakers*, speakers exchange their mean
losses, each in units of its standard error. The statistic of a rule is the correlation of these
means with the share of each speaker's rows that the rule selects.

In both tests, a statistic is compared with the largest statistic of each resample (Westfall and
Young, Resampling-Based Multiple Testing, Wiley 1993, single-step maxT).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from voxslice.slices.rule_space import Array, Index, RuleSpace

MIN_BETWEEN_SHARE = 0.5  # share of a membership's variance between speakers, to be tested across
MIN_SPEAKERS_ACROSS = 5  # smallest number of speakers of a rule, to be tested across
LONG_STRATUM = 5000  # rows of a stratum from which only the needed positions are drawn
TIE_TOLERANCE = 1e-4  # closer statistics are ties, since sums are kept in single precision
PRIOR_UTTERANCES = 10  # weight of the spread of all speakers, in utterances of one speaker
P_LIMIT_CONFIDENCE = 0.95  # confidence of the upper limit of a p-value from resamples
TAIL_SHARE = 0.1  # share of the largest maxima to which the tail of a p-value is fitted


@dataclass(frozen=True)
class Moments:
    """Moments of the sum of losses of each rule, if losses are permuted inside strata.

    Attributes:
        mean: (rules,) expectation.
        variance: (rules,) variance.
        unit: (rules,) third central moment divided by the variance, at least 0. It is the size of
            the jumps of the scaled Poisson variable with the same three moments.
    """

    mean: Array
    variance: Array
    unit: Array


def signed_root(excess: Array, variance: Array, unit: Array) -> Array:
    """Signed root of the deviance of a scaled Poisson variable.

    For unit 0 this is `excess / sqrt(variance)`. A skewed sum exceeds that far more often than a
    normal variable would. The root of the deviance is close to normal in the upper tail, so that
    rules of ten and of a thousand rows can be compared (Bennett's inequality has the same
    exponent).

    Args:
        excess: Sums minus their expectation.
        variance: Variance of the sums.
        unit: Third central moment divided by the variance.

    Returns:
        The statistic, of the broadcast shape; 0 if the excess or the variance is not positive.
    """
    excess, variance, unit = np.broadcast_arrays(excess, variance, unit)
    out = np.zeros(excess.shape)
    some = (excess > 0) & (variance > 0)
    d, v, c = excess[some], variance[some], unit[some]
    jump = c * d / v
    skewed = jump > 1e-4
    square = d * d / v
    u = jump[skewed]
    square[skewed] *= 2 * ((1 + u) * np.log1p(u) - u) / (u * u)
    out[some] = np.sqrt(square)
    return out


def precision_weights(loss: Array, speakers: Index) -> Array:
    """Weights of rows, so that each speaker's losses vary by the same amount.

    An error of a speaker with few errors is more informative. If a slice adds the same amount to
    the losses of all speakers, the best weight is one over the variance. If it multiplies them, the
    best weight is 1. One over the standard deviation is nearly as good in both cases. The variance
    of each speaker is shrunk towards the variance of all speakers. It does not depend on the order
    of a speaker's losses, so permutations within speakers stay exact.

    Args:
        loss: (n,) losses.
        speakers: (n,) number of the speaker of each row, from 0.

    Returns:
        (n,) standard deviation of all speakers divided by that of the row's speaker.
    """
    n = np.bincount(speakers).astype(float)
    rest = loss - (np.bincount(speakers, loss) / n)[speakers]
    square = np.bincount(speakers, rest**2)
    free = (n - 1).sum()
    if free == 0 or not square.any():
        return np.ones(len(loss))
    pooled = square.sum() / free
    variance = (square + PRIOR_UTTERANCES * pooled) / (n - 1 + PRIOR_UTTERANCES)
    return np.asarray(np.sqrt(pooled / variance)[speakers])


def standardised(loss: Array, speakers: Index) -> Array:
    """Multiply losses by `precision_weights`.

    Args:
        loss: (n,) losses.
        speakers: (n,) number of the speaker of each row, from 0.

    Returns:
        (n,) weighted losses.
    """
    return loss * precision_weights(loss, speakers)


def permutation_moments(space: RuleSpace, loss: Array, strata: Index) -> Moments:
    """Moments of the sum of losses of each rule in closed form, if losses are permuted in strata.

    A rule that selects k of the n rows of a stratum draws k losses without replacement.

    Args:
        space: The rules.
        loss: (n,) losses.
        strata: (n,) number of the stratum of each row, from 0.

    Returns:
        The moments of every rule.
    """
    n = np.bincount(strata).astype(float)
    mean = np.bincount(strata, loss) / n
    rest = loss - mean[strata]
    with np.errstate(divide="ignore", invalid="ignore"):
        second = np.bincount(strata, rest**2) / (n * (n - 1))
        third = np.bincount(strata, rest**3) / (n * (n - 1) * (n - 2))
    second[n < 2] = 0
    third[n < 3] = 0
    # k (n - k) second and k (n - k) (n - 2k) third, as polynomials of k
    weights = np.stack([second * n, -second, third * n**2, -3 * third * n, 2 * third])
    moments = np.zeros((space.searched, 2))
    for which, columns, counts in sums_by_group(
        space, np.ones(len(loss), np.float32), strata, len(n)
    ):
        k = counts.astype(float)
        w = weights[:, columns]
        moments[which, 0] += k @ w[0]
        moments[which, 1] += k @ w[2]
        k2 = k * k
        moments[which, 0] += k2 @ w[1]
        moments[which, 1] += k2 @ w[3]
        k2 *= k
        moments[which, 1] += k2 @ w[4]
    expected = space.totals(mean[strata], np.zeros_like(strata), 1)[:, 0]
    variance = np.where(moments[:, 0] > 1e-9 * float((rest**2).sum()), moments[:, 0], 0)
    unit = np.divide(moments[:, 1], variance, out=np.zeros_like(variance), where=variance > 0)
    return Moments(expected, variance, np.maximum(unit, 0))


def sums_by_group(
    space: RuleSpace, values: Array, groups: Index, width: int
) -> Iterator[tuple[slice, slice, NDArray]]:
    """Sum values of the rows over each rule and group, in blocks that fit in memory.

    Args:
        space: The rules.
        values: (n,) values of the rows.
        groups: (n,) group of each row.
        width: Number of groups.

    Yields:
        A range of rules, a range of groups, and their (rules, groups) sums.
    """
    cells = space.pooled(values, groups, width)
    batch = space.batch(0)
    for start in range(0, width, batch):
        columns = slice(start, min(start + batch, width))
        for which, sums in space.sums(cells[:, columns]):
            yield which, columns, sums


@dataclass(frozen=True)
class Contrasts:
    """Each rule as a contrast of the mean losses of speakers.

    The mean of a speaker varies because speakers differ, and because it is a mean over few
    utterances. Its standard error includes both. In units of the standard error, speakers with many
    and with few utterances can exchange their deviations from the mean of all speakers.

    Attributes:
        statistic: (rules,) weighted correlation of the speakers' means with the share of each
            speaker's rows that the rule selects, times the root of the number of speakers minus
            one; 0 if it is not positive.
        residual: (speakers,) means minus their weighted mean, divided by their standard errors.
        weight: (speakers,) 1 / (standard error * number of rows).
        share: (rules,) weighted mean of the shares.
        scale: (rules,) factor from a sum to the statistic; 0 if the rule selects the same share of
            all speakers.
    """

    statistic: Array
    residual: Array
    weight: Array
    share: Array
    scale: Array


def speaker_contrasts(
    space: RuleSpace,
    loss: Array,
    speakers: Index,
    patterns: Index,
    variances: tuple[float, float] | None = None,
) -> Contrasts:
    """Correlate the shares of speakers' rows that rules select with the speakers' mean losses.

    Args:
        space: The rules.
        loss: (n,) losses.
        speakers: (n,) number of the speaker of each row, from 0.
        patterns: (n,) number of the group of rows within which losses are compared, from 0.
        variances: Variance within and between speakers; None to estimate both from the losses.

    Returns:
        The contrasts.
    """
    n, m = np.bincount(speakers).astype(float), np.bincount(patterns)
    rest = loss - (np.bincount(patterns, loss) / m)[patterns]
    mean = np.bincount(speakers, rest) / n
    within, spread = components(rest, speakers) if variances is None else variances
    variance = spread + within / n
    root = 1 / np.sqrt(variance) if (variance > 0).all() else np.ones(len(n))
    precision = root**2
    residual = root * (mean - (precision * mean).sum() / precision.sum())
    cells = space.pooled(np.ones(len(loss), np.float32), speakers, len(n))
    share, value = np.zeros(space.searched), np.zeros(space.searched)
    columns = np.column_stack([precision / n, root * residual / n])
    for which, sums in space.sums(cells @ columns):
        share[which], value[which] = sums.T
    share /= precision.sum()
    value -= share * (root * residual).sum()
    square = -(share**2) * precision.sum()
    for which, some, k in sums_by_group(space, np.ones(len(loss), np.float32), speakers, len(n)):
        square[which] += (k * k) @ (precision / n**2)[some]
    length = np.sqrt((residual**2).sum() / max(1, len(n) - 1))
    some = (square > 1e-9 * precision.sum()) & (length > 0)
    scale = np.zeros(space.searched)
    scale[some] = 1 / (np.sqrt(square[some]) * length)
    return Contrasts(np.maximum(value * scale, 0), residual, root / n, share, scale)


def components(rest: Array, speakers: Index) -> tuple[float, float]:
    """Variance within and between speakers, from a one-way analysis of variance.

    Searle, Casella and McCulloch, Variance Components, Wiley 1992, section 3.6.

    Args:
        rest: (n,) residuals of the losses; their mean is 0.
        speakers: (n,) number of the speaker of each row, from 0.

    Returns:
        Both components, at least 0.
    """
    n = np.bincount(speakers).astype(float)
    mean = np.bincount(speakers, rest) / n
    inner = float(((rest - mean[speakers]) ** 2).sum())
    within = inner / max(1, len(rest) - len(n))
    typical = (len(rest) - (n * n).sum() / len(rest)) / max(1, len(n) - 1)
    outer = float((n * mean**2).sum()) / max(1, len(n) - 1)
    spread = max(0.0, float((outer - within) / typical)) if typical > 0 else 0.0
    return within, spread


def mixed_model_statistic(
    space: RuleSpace, loss: Array, speakers: Index, patterns: Index, unit: Array
) -> Array:
    """Effect of each rule in a linear mixed model, within and between speakers at once.

    Speakers are random intercepts. The fixed effects are the patterns and one rule at a time. The
    statistic is used to rank rules, not to test them.

    Args:
        space: The rules.
        loss: (n,) losses.
        speakers: (n,) number of the speaker of each row, from 0.
        patterns: (n,) number of the group of rows within which losses are compared, from 0.
        unit: (rules,) third central moment divided by the variance, see `Moments`.

    Returns:
        (rules,) effect divided by its standard error, corrected for skewness by `signed_root`.
    """
    n, m = np.bincount(speakers).astype(float), np.bincount(patterns)
    rest = loss - (np.bincount(patterns, loss) / m)[patterns]
    within, spread = components(rest, speakers)
    within = max(within, 1e-6 * spread)
    if within == 0:
        return np.zeros(space.searched)
    shrink = spread * n / (spread * n + within)
    # in units of `within`, the inverse covariance subtracts the shrunken mean of the speaker
    effect = np.zeros((space.searched, len(m) + 1))
    gram = np.zeros((len(m) + 1, len(m) + 1))
    one = np.zeros_like(speakers)
    for column in range(len(m) + 1):
        value = (patterns == column).astype(float) if column < len(m) else rest
        value = value - (shrink * np.bincount(speakers, value) / n)[speakers]
        effect[:, column] = space.totals(value, one, 1)[:, 0]
        gram[:-1, column] = np.bincount(patterns, value, len(m))
    square = space.support.astype(float)
    for which, columns, k in sums_by_group(space, np.ones(len(loss), np.float32), speakers, len(n)):
        square[which] -= (k * k) @ (shrink / n)[columns]
    solved = np.linalg.lstsq(gram[:-1, :-1], np.column_stack([effect[:, :-1].T, gram[:-1, -1]]))[0]
    excess = effect[:, -1] - effect[:, :-1] @ solved[:, -1]
    square -= (effect[:, :-1] * solved[:, :-1].T).sum(axis=1)
    square = np.where(square > 1e-9 * space.support, square, 0)
    return signed_root(excess, within * square, unit)


def between_speakers(space: RuleSpace, speakers: Index) -> tuple[Array, Index]:
    """Share of the variance of each rule's membership that lies between speakers.

    Args:
        space: The rules.
        speakers: (n,) number of the speaker of each row, from 0.

    Returns:
        (rules,) share of the variance, which is 1 for an attribute of speakers; and (rules,) number
        of speakers with rows in the rule.
    """
    n = np.bincount(speakers).astype(float)
    square = np.zeros(space.searched)
    count = np.zeros(space.searched, dtype=np.int64)
    for which, columns, k in sums_by_group(
        space, np.ones(len(speakers), np.float32), speakers, len(n)
    ):
        square[which] += (k * k) @ (1 / n[columns])
        count[which] += np.count_nonzero(k > 0.5, axis=1)
    share = space.support / space.rows
    return (square / space.rows - share**2) / (share * (1 - share)), count


def permuted_maxima(
    space: RuleSpace,
    loss: Array,
    strata: Index,
    moments: Moments,
    resamples: int,
    rng: np.random.Generator,
) -> Array:
    """The largest statistic of all rules in each resample, if losses are permuted inside strata.

    Args:
        space: The rules.
        loss: (n,) losses.
        strata: (n,) number of the stratum of each row, from 0.
        moments: Moments of the rules for these strata.
        resamples: Number of resamples.
        rng: Source of the permutations.

    Returns:
        (resamples,) maxima.
    """
    maxima = np.zeros(resamples)
    batch = space.batch(len(loss))
    scale = np.zeros(space.searched)
    np.divide(1, np.sqrt(moments.variance), out=scale, where=moments.variance > 0)
    for columns, slots, weights in _permutations(loss, strata, resamples, batch, rng):
        width = columns.stop - columns.start
        target = space.cell[slots] * width + np.arange(width)
        sums = np.bincount(
            target.ravel(), np.repeat(weights, width), minlength=len(space.codes) * width
        )
        cells = sums.reshape(-1, width).astype(np.float32)
        largest = maxima[columns]
        for which, total in space.sums(cells):
            excess = total - moments.mean[which, None].astype(np.float32)
            # the skewed statistic is at most the plain one, so that few have to be computed
            bar = excess * scale[which, None].astype(np.float32)
            rule, column = np.nonzero(bar > largest)
            at = rule + which.start
            value = signed_root(
                excess[rule, column].astype(float), moments.variance[at], moments.unit[at]
            )
            np.maximum.at(largest, column, value)
    return maxima


def _permutations(
    loss: Array, strata: Index, resamples: int, batch: int, rng: np.random.Generator
) -> Iterator[tuple[slice, Index, Array]]:
    """Draw random rows of the same stratum for all losses that are not 0.

    Strata of the same size are shuffled together.

    Yields:
        A range of resamples, (losses, b) rows that the losses move to, and (losses,) the losses.
    """
    order = np.lexsort((-loss, strata))  # within a stratum, the losses that are not 0 come first
    sizes = np.bincount(strata)
    first = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    filled = np.bincount(strata, loss > 0).astype(np.int64)
    kinds = [np.flatnonzero((sizes == n) & (filled > 0)) for n in np.unique(sizes)]
    kinds = [kind for kind in kinds if len(kind)]
    for start in range(0, resamples, batch):
        columns = slice(start, min(start + batch, resamples))
        width = columns.stop - columns.start
        slots, weights = [], []
        for kind in kinds:
            n, drawn = sizes[kind[0]], int(filled[kind].max())
            if n > LONG_STRATUM:  # there are few such strata, so that a loop is fast enough
                rows = [rng.choice(n, drawn, replace=False) for _ in range(len(kind) * width)]
                draw = np.array(rows)
            else:
                draw = np.broadcast_to(np.arange(n, dtype=np.int32), (len(kind) * width, n))
                draw = rng.permuted(draw, axis=1)[:, :drawn]
            draw = draw.reshape(len(kind), width, drawn)
            stratum, rank = np.nonzero(np.arange(drawn) < filled[kind, None])
            start_row = first[kind[stratum]]
            slots.append(order[start_row[:, None] + draw[stratum, :, rank]])
            weights.append(loss[order[start_row + rank]])
        if kinds:
            yield columns, np.concatenate(slots), np.concatenate(weights)


def exchanged_maxima(
    space: RuleSpace,
    contrasts: Contrasts,
    speakers: Index,
    resamples: int,
    rng: np.random.Generator,
) -> Array:
    """The largest statistic of all rules in each resample, if speakers exchange their mean losses.

    Args:
        space: The rules.
        contrasts: The contrasts of the rules, with one pattern.
        speakers: (n,) number of the speaker of each row, from 0.
        resamples: Number of resamples.
        rng: Source of the permutations.

    Returns:
        (resamples,) maxima.
    """
    maxima = np.zeros(resamples)
    n = np.bincount(speakers)
    cells = space.pooled(np.ones(len(speakers), np.float32), speakers, len(n)).tocsr()
    batch = space.batch(len(space.codes))
    for start in range(0, resamples, batch):
        columns = slice(start, min(start + batch, resamples))
        drawn = np.broadcast_to(contrasts.residual, (columns.stop - columns.start, len(n)))
        weighted = contrasts.weight[:, None] * rng.permuted(drawn, axis=1).T
        total = n @ weighted
        largest = maxima[columns]
        for which, sums in space.sums(cells @ weighted.astype(np.float32)):
            values = (sums - contrasts.share[which, None] * total) * contrasts.scale[which, None]
            np.maximum(largest, values.max(axis=0), out=largest)
    return maxima


def adjusted_p(values: Array, maxima: Array) -> Array:
    """Adjusted p-values of statistics, as upper limits that another seed seldom exceeds.

    Args:
        values: Statistics.
        maxima: (resamples,) largest statistic of each resample.

    Returns:
        Upper confidence limit (Clopper and Pearson, Biometrika 26, 1934) of the chance that the
        largest statistic is as large, estimated from the number of resamples in which it is.
    """
    as_large = len(maxima) - np.searchsorted(np.sort(maxima), values - TIE_TOLERANCE)
    limits = special.betaincinv(
        np.arange(len(maxima)) + 1, np.arange(len(maxima), 0, -1), P_LIMIT_CONFIDENCE
    )
    return np.append(limits, 1)[as_large]


def tail_p(value: float, maxima: Array) -> float:
    """Adjusted p-value of one statistic, also far beyond the largest maximum.

    A p-value from resamples cannot be smaller than one over their number. So the tail of the maxima
    is extrapolated (Knijnenburg and others, "Fewer permutations, more accurate P-values",
    Bioinformatics 25 (2009), i161-i168; Winkler and others, "Faster permutation inference in brain
    imaging", NeuroImage 141 (2016), 502-516). The statistics are close to normal in their tail, so
    half of their square is close to exponential there. Its mean is estimated from the largest tenth
    of the maxima, with its upper 95 % limit.

    Args:
        value: The statistic.
        maxima: (resamples,) largest statistic of each resample.

    Returns:
        An upper limit of the p-value, never larger than that of `adjusted_p`.
    """
    p = float(adjusted_p(np.array([value]), maxima)[0])
    count = int(TAIL_SHARE * len(maxima))
    falling = np.sort(maxima)[::-1]
    start = float(falling[count])
    beyond = float((falling[:count] ** 2 - start**2).sum()) / 2
    if value <= start or not beyond > 0:
        return p
    # the sum of `count` exponential variables has a gamma distribution
    mean = beyond / float(special.gammaincinv(count, 1 - P_LIMIT_CONFIDENCE))
    share = float(adjusted_p(np.array([start + 2 * TIE_TOLERANCE]), maxima)[0])
    return min(p, share * float(np.exp((start**2 - value**2) / 2 / mean)))
