"""Upper limits of the drops of all rules of a search: what a search without a slice rules out.

A search that confirms no slice does not show that there is none. Its resamples also bound what it
can have missed: the largest statistic of all rules exceeds the critical value by chance in 5 % of
the searches. So in 95 % of the searches, the true drop of every rule lies below the drop from which
its sum of losses would be that much too small.
"""

from __future__ import annotations

import numpy as np

from voxslice.slices.max_tests import Contrasts, Moments, sums_by_group
from voxslice.slices.rule_space import Array, Index, RuleSpace

SIZES = (0.05, 0.1, 0.2)
"""Smallest groups that are certified, as shares of the rows."""


def largest_excess(statistic: float, excess: Array, variance: Array, unit: Array) -> Array:
    """Largest expected excess of sums that the measured ones do not contradict.

    A sum is modelled as a scaled Poisson variable, as in `max_tests.signed_root`, so that a larger
    expectation has a larger variance.

    Args:
        statistic: critical value of the signed root of the deviance
        excess: sums minus their expectation without a slice
        variance: variance of the sums without a slice, larger than 0
        unit: third central moment divided by the variance, at least 0

    Returns:
        the expectations, of the same shape
    """
    jump = np.maximum(unit, 1e-4 * np.sqrt(variance))
    # counts of jumps: measured, with at least a small part of one
    measured = np.maximum((variance + jump * excess) / jump**2, 1e-3)
    # y - log(y) = 1 + statistic^2 / (2 measured), where y is expected by measured; solved by Newton
    wanted = 1 + statistic**2 / (2 * measured)
    y = wanted + np.sqrt(2 * (wanted - 1))
    for _ in range(20):
        y = np.maximum(y - (y - np.log(y) - wanted) / (1 - 1 / y), 1 + 1e-12)
    return (measured * y * jump**2 - variance) / jump


def limits_within(
    space: RuleSpace,
    sums: Array,
    moments: Moments,
    weight: Array,
    strata: Index,
    critical: float,
) -> Array:
    """Upper limit of the drop of each rule, compared with rows of the same strata.

    Args:
        space: the rules
        sums: (rules,) sums of losses, multiplied by their weight
        moments: moments of these sums
        weight: (n,) weight of each row, the same for all rows of a stratum
        strata: (n,) number of the stratum of each row, from 0
        critical: critical value of the largest statistic of all rules

    Returns:
        (rules,) limits; infinity for rules that select all rows or none of each stratum
    """
    size = np.bincount(strata)
    of_stratum = np.bincount(strata, weight) / size
    reach = space.totals(weight, np.zeros_like(strata), 1)[:, 0]
    for which, columns, k in sums_by_group(
        space, np.ones(len(strata), np.float32), strata, len(size)
    ):
        reach[which] -= (k * k) @ (of_stratum / size)[columns]
    limits = np.full(space.searched, np.inf)
    some = (reach > 1e-6 * space.support) & (moments.variance > 0)
    excess = largest_excess(
        critical, (sums - moments.mean)[some], moments.variance[some], moments.unit[some]
    )
    limits[some] = excess / reach[some]
    return limits


def limits_across(contrasts: Contrasts, factor: Array, critical: float) -> Array:
    """Upper limit of the drop of each rule between speakers.

    Args:
        contrasts: contrasts of the rules
        factor: (rules,) factors by which the variance of the contrasts is larger
        critical: critical value of the largest statistic of all rules

    Returns:
        (rules,) limits
    """
    spread = float((contrasts.residual**2).sum()) / max(1, len(contrasts.residual) - 1)
    limits = (contrasts.statistic + critical * np.sqrt(factor)) * contrasts.scale * spread
    return np.where(contrasts.scale > 0, limits, np.inf)


def largest_limits(support: Index, rows: int, limits: Array) -> Array:
    """Largest limit of all rules of some sizes.

    Args:
        support: (rules,) number of rows of each rule
        rows: number of all rows
        limits: (rules,) limits; infinity for rules that no test can judge, which are left out

    Returns:
        for each size of `SIZES` the largest limit of the rules that hold at least this share of the
        rows; NaN if there is none
    """
    sizes = [limits[(support >= share * rows) & np.isfinite(limits)] for share in SIZES]
    return np.array([some.max() if len(some) else np.nan for some in sizes])
