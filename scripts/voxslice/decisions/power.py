"""What a test set can decide: the smallest drop that it shows, and the speakers that it lacks."""

import math
from dataclasses import replace

import numpy as np
from scipy.special import stdtrit

from voxslice.comparison.paired_tests import fewest_speakers
from voxslice.decisions.estimate import Estimate, interval, unseen

POWER = 0.8
"""Probability with which a drop is shown."""
MAX_SPEAKERS = 100_000
"""Largest number of speakers that is considered."""


def detectable_drop(found: Estimate, limit: float, level: float) -> float:
    """Smallest distance beyond the limit that the test set would show with a probability of 0.8.

    The standard error follows from the number of speakers and utterances and the variance
    components of these data. A model that is worse by a drop also makes more errors: a difference
    of shares gets the variance of these additional errors, and a share has the variance of a share
    that lies the drop below the limit, with the same correlation within speakers.

    Args:
        found: the estimate of the quantity that is checked
        limit: the limit of the check
        level: coverage of the interval that decides

    Returns:
        the drop in the unit of the metric; NaN if the test set can show none
    """
    if found.fewest < fewest_speakers(1 - level) or not np.isfinite(found.error):
        return np.nan
    factor = _factor(found.freedom, level)

    def missing(drop: float) -> float:
        """How much larger the drop has to be than it is."""
        return factor * _error(found, limit, drop) - drop

    if not found.is_share:
        return factor * _error(found, limit, 0.0)
    floor = unseen(found, (1 - level) / 2)
    largest = 1.0 if found.is_difference else limit
    if missing(largest) > 0 or floor > largest:
        return np.nan
    low, high = 0.0, largest
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if missing(middle) > 0 else (low, middle)
    return max(high, floor)


def more_speakers(found: Estimate, limit: float, level: float) -> int | None:
    """Number of further speakers with which the check would be decided.

    They are speakers like those of the test set, with as many utterances each and the same other
    units, such as sentences. The quantity is assumed to be what was measured. The check is then
    decided with a probability of 0.8.

    Args:
        found: the estimate of the quantity that is checked
        limit: the limit of the check
        level: coverage of the interval that decides

    Returns:
        the number of speakers; None if the measured value is the limit, if no variance is known, if
        the other units are too few for a decision, or if more than 100,000 speakers would be needed
    """
    if not np.isfinite(found.error) or found.value == limit or found.units == 0:
        return None
    needed = fewest_speakers(1 - level)
    if found.other_units < needed:
        return None
    low, high = max(found.units, needed - 1), MAX_SPEAKERS
    if not _decides(found, limit, level, high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _decides(found, limit, level, middle) else (middle, high)
    return high - found.units


def _decides(found: Estimate, limit: float, level: float, units: int) -> bool:
    """Whether a number of speakers decides a check with a probability of 0.8."""
    times = units / found.units
    larger = replace(
        found,
        error=math.sqrt(max(found.error**2 - found.added, 0.0) / times + found.added),
        units=units,
        shares=found.shares / times,
        support=round(found.support * times),
        rarest=round(found.rarest * times),
    )
    # a value that is as near to the limit as the value of one in five test sets
    luck = float(stdtrit(larger.freedom, POWER)) * larger.error
    value = found.value - luck if found.value > limit else found.value + luck
    low, high = interval(replace(larger, value=value), level)
    return low > limit if found.value > limit else high < limit


def _factor(freedom: float, level: float) -> float:
    """Standard errors between the limit and a value that is shown to be beyond it."""
    return float(stdtrit(freedom, (1 + level) / 2) + stdtrit(freedom, POWER))


def _error(found: Estimate, limit: float, drop: float) -> float:
    """Standard error if the quantity lies a drop beyond the limit."""
    between, within = found.between, found.within
    if found.is_share and found.is_difference:
        within += max(drop * found.weight - drop**2, 0.0)
    elif found.is_share:
        share = min(max(limit - drop, 0.0), 1.0)
        whole = share * (1 - share) * found.weight
        correlation = between / (between + within) if between + within > 0 else 0.0
        between, within = correlation * whole, (1 - correlation) * whole
    return math.sqrt(between * found.shares + within / found.support + found.added)
