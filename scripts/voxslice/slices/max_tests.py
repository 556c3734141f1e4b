"""Are the excess losses of many rules more than chance? Two resampling tests on all rules at once.

*Within*: losses are permuted inside strata (speakers). A rule's statistic is the excess of its loss
over what its strata make expect, studentised with the permutation's variance and skewness, which
are known in closed form. *Across*: speakers exchange their mean losses, each in units of its
standard error. A rule's statistic is the correlation of its shares of the speakers with them.
Either way the largest statistic of each resample is what a rule has to beat (Westfall and Young,
Resampling-Based Multiple Testing, Wiley 1993, single-step maxT).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from voxslice.slices.rule_space import Array, Index, RuleSpace

BETWEEN = (
    0.5  # share of a rule's membership that lies between speakers, from which it is tested across
)
SPEAKERS = 5  # fewest speakers of a rule that is tested across
LONG = 5000  # rows of a stratum from which single losses are drawn
TIE = 1e-4  # statistics closer than this are ties: sums are kept in single precision
PRIOR = 10  # utterances that the spread of all speakers is worth beside a speaker's own
SURE = 0.95  # confidence of the upper limit of a p-value that is estimated from resamples


@dataclass(frozen=True)
class Moments:
    """Moments of every rule's loss when losses are permuted inside strata.

    Attributes:
        mean: (rules,) expected sum of losses.
        variance: (rules,) its variance.
        unit: (rules,) third central moment over variance, at least 0: the size of the jumps of the
            scaled Poisson variable with the same three moments.
    """

    mean: Array
    variance: Array
    unit: Array


def statistic(excess: Array, variance: Array, unit: Array) -> Array:
    """Signed root of the deviance of a scaled Poisson variable.

    For unit 0 this is `excess / sqrt(variance)`. A skewed sum exceeds that far more often than a
    normal variable would; the deviance's root is close to normal in the upper tail, so that rules
    of ten rows and of a thousand compete fairly (Bennett's inequality has the same exponent).

    Args:
        excess: Sums minus their expectation.
        variance: Their variance; where it is 0 the statistic is 0.
        unit: Third central moment over variance.

    Returns:
        The statistic, of the broadcast shape; 0 where the excess is not positive.
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


def standardised(loss: Array, speakers: Index) -> Array:
    """Measure losses by how much they spread within their speaker.

    An error says more of a speaker who makes few. For an excess that adds the same to every
    speaker's losses the best weight is one over the variance, for one that multiplies them it is 1;
    one over the standard deviation loses little with either. A speaker's variance is shrunk towards
    that of all. It does not depend on which of the speaker's rows have which loss, so that
    permutations within speakers stay exact.

    Args:
        loss: (n,) losses.
        speakers: (n,) speaker of each row, 0 up.

    Returns:
        (n,) losses over their speaker's standard deviation, times that of all.
    """
    n = np.bincount(speakers).astype(float)
    rest = loss - (np.bincount(speakers, loss) / n)[speakers]
    square = np.bincount(speakers, rest**2)
    free = (n - 1).sum()
    if free == 0 or not square.any():
        return loss
    pooled = square.sum() / free
    variance = (square + PRIOR * pooled) / (n - 1 + PRIOR)
    return loss * np.sqrt(pooled / variance)[speakers]


def urn(space: RuleSpace, loss: Array, strata: Index) -> Moments:
    """Moments of the rules' sums when losses are permuted inside strata, in closed form.

    A rule with k of a stratum's n rows draws k losses without replacement.

    Args:
        space: The rules.
        loss: (n,) losses.
        strata: (n,) stratum of each row, 0 up.

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
    for which, columns, counts in shares(space, np.ones(len(loss), np.float32), strata, len(n)):
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


def shares(
    space: RuleSpace, values: Array, groups: Index, width: int
) -> Iterator[tuple[slice, slice, NDArray]]:
    """Sums of the rows' values by rule and group, in blocks: the whole may not fit in memory.

    Args:
        space: The rules.
        values: (n,) values of the rows.
        groups: (n,) group of each row.
        width: Number of groups.

    Yields:
        Which rules, which groups, and their sums.
    """
    cells = space.pooled(values, groups, width)
    batch = space.batch(0)
    for start in range(0, width, batch):
        columns = slice(start, min(start + batch, width))
        for which, sums in space.sums(cells[:, columns]):
            yield which, columns, sums


@dataclass(frozen=True)
class Contrasts:
    """Every rule as a contrast of the speakers' mean losses.

    A speaker's mean varies because speakers differ, and because few utterances say little of one.
    In units of the standard error that both make, speakers of many and of few utterances may
    exchange what they differ by from the rest.

    Attributes:
        statistic: (rules,) the weighted correlation of a rule's shares of the speakers' rows with
            the speakers' means, times the root of the number of speakers less one; 0 where it is
            not positive.
        residual: (speakers,) means less their weighted mean, over their standard errors.
        weight: (speakers,) one over the standard error and the number of rows.
        share: (rules,) weighted mean of the shares.
        scale: (rules,) what a sum is multiplied by, 0 for rules that do not tell speakers apart.
    """

    statistic: Array
    residual: Array
    weight: Array
    share: Array
    scale: Array


def contrasts(space: RuleSpace, loss: Array, speakers: Index, patterns: Index) -> Contrasts:
    """Hold the rules' shares of the speakers against the speakers' mean losses.

    Args:
        space: The rules.
        loss: (n,) losses.
        speakers: (n,) speaker of each row, 0 up.
        patterns: (n,) group of each row within which losses are compared, 0 up.

    Returns:
        The contrasts.
    """
    n, m = np.bincount(speakers).astype(float), np.bincount(patterns)
    rest = loss - (np.bincount(patterns, loss) / m)[patterns]
    mean = np.bincount(speakers, rest) / n
    within, spread = components(rest, speakers)
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
    for which, some, k in shares(space, np.ones(len(loss), np.float32), speakers, len(n)):
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
        rest: (n,) losses minus what is known of them; their mean is 0.
        speakers: (n,) speaker of each row, 0 up.

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


def mixed(space: RuleSpace, loss: Array, speakers: Index, patterns: Index, unit: Array) -> Array:
    """What losses say for each rule in a linear mixed model: within and between speakers at once.

    Speakers are random intercepts, patterns fixed effects, and every rule in turn one more. It
    ranks rules; it tests nothing.

    Args:
        space: The rules.
        loss: (n,) losses.
        speakers: (n,) speaker of each row, 0 up.
        patterns: (n,) group of each row within which losses are compared, 0 up.
        unit: (rules,) third central moment over variance, see `Moments`.

    Returns:
        (rules,) the rule's effect over its standard error, as `statistic` takes it.
    """
    n, m = np.bincount(speakers).astype(float), np.bincount(patterns)
    rest = loss - (np.bincount(patterns, loss) / m)[patterns]
    within, spread = components(rest, speakers)
    within = max(within, 1e-6 * spread)
    if within == 0:
        return np.zeros(space.searched)
    shrink = spread * n / (spread * n + within)
    # in units of `within`, the inverse covariance takes from each value its speaker's shrunken mean
    effect = np.zeros((space.searched, len(m) + 1))
    gram = np.zeros((len(m) + 1, len(m) + 1))
    one = np.zeros_like(speakers)
    for column in range(len(m) + 1):
        value = (patterns == column).astype(float) if column < len(m) else rest
        value = value - (shrink * np.bincount(speakers, value) / n)[speakers]
        effect[:, column] = space.totals(value, one, 1)[:, 0]
        gram[:-1, column] = np.bincount(patterns, value, len(m))
    square = space.support.astype(float)
    for which, columns, k in shares(space, np.ones(len(loss), np.float32), speakers, len(n)):
        square[which] -= (k * k) @ (shrink / n)[columns]
    solved = np.linalg.lstsq(gram[:-1, :-1], np.column_stack([effect[:, :-1].T, gram[:-1, -1]]))[0]
    excess = effect[:, -1] - effect[:, :-1] @ solved[:, -1]
    square -= (effect[:, :-1] * solved[:, :-1].T).sum(axis=1)
    square = np.where(square > 1e-9 * space.support, square, 0)
    return statistic(excess, within * square, unit)


def between(space: RuleSpace, speakers: Index) -> tuple[Array, Index]:
    """How much of the rules' memberships lies between speakers.

    Args:
        space: The rules.
        speakers: (n,) speaker of each row, 0 up.

    Returns:
        (rules,) share of the membership's variance that is between speakers (1 for an attribute of
        speakers), and (rules,) number of speakers with members.
    """
    n = np.bincount(speakers).astype(float)
    square = np.zeros(space.searched)
    count = np.zeros(space.searched, dtype=np.int64)
    for which, columns, k in shares(space, np.ones(len(speakers), np.float32), speakers, len(n)):
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
    """The largest statistic over all rules when losses are permuted inside strata.

    Args:
        space: The rules.
        loss: (n,) losses.
        strata: (n,) stratum of each row, 0 up.
        moments: The rules' moments for these strata.
        resamples: How often.
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
        place = space.cell[slots] * width + np.arange(width)
        sums = np.bincount(
            place.ravel(), np.repeat(weights, width), minlength=len(space.codes) * width
        )
        cells = sums.reshape(-1, width).astype(np.float32)
        largest = maxima[columns]
        for which, total in space.sums(cells):
            excess = total - moments.mean[which, None].astype(np.float32)
            # the skewed statistic is at most the plain one: only few need to be worked out
            bar = excess * scale[which, None].astype(np.float32)
            rule, column = np.nonzero(bar > largest)
            at = rule + which.start
            value = statistic(
                excess[rule, column].astype(float), moments.variance[at], moments.unit[at]
            )
            np.maximum.at(largest, column, value)
    return maxima


def _permutations(
    loss: Array, strata: Index, resamples: int, batch: int, rng: np.random.Generator
) -> Iterator[tuple[slice, Index, Array]]:
    """Random places for the losses that are not 0, inside their strata.

    Strata of one size are shuffled together. Rows whose loss is 0 need no place.

    Yields:
        Which resamples, (losses, b) rows that get them, and (losses,) the losses.
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
            n, most = sizes[kind[0]], int(filled[kind].max())
            if n > LONG:  # few strata: drawing only what is needed is worth a loop
                rows = [rng.choice(n, most, replace=False) for _ in range(len(kind) * width)]
                draw = np.array(rows)
            else:
                draw = np.broadcast_to(np.arange(n, dtype=np.int32), (len(kind) * width, n))
                draw = rng.permuted(draw, axis=1)[:, :most]
            draw = draw.reshape(len(kind), width, most)
            stratum, rank = np.nonzero(np.arange(most) < filled[kind, None])
            places = first[kind[stratum]]
            slots.append(order[places[:, None] + draw[stratum, :, rank]])
            weights.append(loss[order[places + rank]])
        if kinds:
            yield columns, np.concatenate(slots), np.concatenate(weights)


def exchanged_maxima(
    space: RuleSpace, found: Contrasts, speakers: Index, resamples: int, rng: np.random.Generator
) -> Array:
    """The largest statistic over all rules when speakers exchange their mean losses.

    Args:
        space: The rules.
        found: The contrasts, with one pattern.
        speakers: (n,) speaker of each row, 0 up.
        resamples: How often.
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
        drawn = np.broadcast_to(found.residual, (columns.stop - columns.start, len(n)))
        weighted = found.weight[:, None] * rng.permuted(drawn, axis=1).T
        total = n @ weighted
        largest = maxima[columns]
        for which, sums in space.sums(cells @ weighted.astype(np.float32)):
            values = (sums - found.share[which, None] * total) * found.scale[which, None]
            np.maximum(largest, values.max(axis=0), out=largest)
    return maxima


def adjusted(values: Array, maxima: Array) -> Array:
    """Adjusted p-values of statistics, at most what another seed would make of them.

    Args:
        values: Statistics.
        maxima: (resamples,) largest statistics by chance.

    Returns:
        Upper limit (Clopper and Pearson, Biometrika 26, 1934) of the chance that the largest
        statistic is as large, given in how many resamples it is.
    """
    as_large = len(maxima) - np.searchsorted(np.sort(maxima), values - TIE)
    limits = special.betaincinv(np.arange(len(maxima)) + 1, np.arange(len(maxima), 0, -1), SURE)
    return np.append(limits, 1)[as_large]
