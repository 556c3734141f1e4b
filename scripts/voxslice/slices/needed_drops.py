"""The smallest drop with which a rule would be confirmed, from the resamples of the search."""

from __future__ import annotations

import numpy as np
from scipy import special

from voxslice.slices.max_tests import (
    TIE_TOLERANCE,
    adjusted_p,
    permutation_moments,
    speaker_contrasts,
)
from voxslice.slices.rule_space import Array, Index, RuleSpace


def critical_statistic(maxima: Array, level: float) -> float:
    """Smallest statistic whose adjusted p-value is at most a level.

    Args:
        maxima: (resamples,) largest statistic of each resample.
        level: Level of the test.

    Returns:
        The statistic; infinity if there are too few resamples for the level.
    """
    falling = np.sort(maxima)[::-1]
    # at these values none, one, two, ... maxima are as large
    values = falling + 2 * TIE_TOLERANCE
    enough = np.flatnonzero(adjusted_p(values, maxima) <= level)
    return float(values[enough[-1]]) if len(enough) else np.inf


def needed_excess(statistic: float, variance: float, unit: float) -> float:
    """Excess of a sum for which `max_tests.signed_root` returns a statistic: its inverse.

    Args:
        statistic: The statistic, at least 0.
        variance: Variance of the sum.
        unit: Third central moment divided by the variance, at least 0.

    Returns:
        The excess; infinity if the variance is 0.
    """
    if not variance > 0:
        return np.inf
    normal = statistic * variance**0.5
    jump = unit * normal / variance
    if jump <= 1e-4:
        return normal
    # (1 + u) log(1 + u) - u = jump^2 / 2, solved for u
    deviance = jump**2 / 2
    u = np.exp(1 + special.lambertw((deviance - 1) / np.e).real) - 1
    return float(u * variance / unit)


def needed_within(
    space: RuleSpace,
    loss: Array,
    weight: Array,
    strata: Index,
    factor: float,
    critical: float,
    shared: float = 1.0,
) -> float:
    """Smallest drop with which the test within strata confirms a rule.

    Args:
        space: One rule.
        loss: (n,) losses as they are tested: multiplied by their weight.
        weight: (n,) weight of each row, the same for all rows of a stratum.
        strata: (n,) number of the stratum of each row, from 0.
        factor: Factor by which the variance of the sum is larger than in the permutations.
        critical: Smallest statistic that is confirmed.
        shared: Further factor of the variance, by which units also make jumps of the sum larger.

    Returns:
        The difference of the mean loss inside and outside the rule in the same strata; infinity if
        the rule selects all rows or none of each stratum.
    """
    moments = permutation_moments(space, loss, strata)
    inside = space.members(0)
    held = np.bincount(strata[inside], minlength=int(strata.max()) + 1)
    share = held / np.bincount(strata)
    # a drop of one adds this much to the sum
    reach = float((weight[inside] * (1 - share[strata[inside]])).sum())
    variance, unit = shared * float(moments.variance[0]), shared * float(moments.unit[0])
    excess = needed_excess(critical, factor * variance, unit)
    return excess / reach if reach > 0 else np.inf


def needed_across(
    space: RuleSpace, loss: Array, speakers: Index, factor: float, critical: float
) -> float:
    """Smallest drop with which the test across speakers confirms a rule.

    Args:
        space: One rule.
        loss: (n,) losses.
        speakers: (n,) number of the speaker of each row, from 0.
        factor: Factor by which the variance of the contrast is larger than in the exchange.
        critical: Smallest statistic that is confirmed.

    Returns:
        The difference of the mean losses of speakers inside and outside the rule; infinity if the
        rule selects the same share of all speakers.
    """
    contrasts = speaker_contrasts(space, loss, speakers, np.zeros_like(speakers))
    scale = float(contrasts.scale[0])
    if not scale > 0:
        return np.inf
    spread = float((contrasts.residual**2).sum()) / max(1, len(contrasts.residual) - 1)
    return critical * factor**0.5 * scale * spread
