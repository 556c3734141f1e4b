"""Confidence intervals of a slice's drop: mean loss inside minus outside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import special

from voxslice.slices.rule_space import Array, Index


def drop_interval(
    loss: Array, inside: NDArray[np.bool_], clusters: Index | None, level: float = 0.95
) -> tuple[float, float]:
    """Interval of the mean loss inside minus outside.

    For losses of 0 and 1, it is Newcombe's hybrid score interval (Statistics in Medicine 17, 1998,
    method 10). The number of rows of each part is divided by the design effect of its speakers. For
    other losses, it is Welch's interval, with the variance between speakers if that is larger.

    The interval is not adjusted for a search: the best of many slices looks worse than it is.

    Args:
        loss: (n,) losses, at least 0.
        inside: (n,) the slice's rows; neither all nor none.
        clusters: (n,) number of the speaker of each row, from 0; None if rows are independent.
        level: Confidence level.

    Returns:
        Lower and upper end.
    """
    (mean, variance, rows, units), (mean_out, variance_out, rows_out, units_out) = _parts(
        loss, inside, clusters
    )
    error = variance + variance_out
    df = _degrees(variance, units, variance_out, units_out)
    t = float(special.stdtrit(df, (1 + level) / 2))
    drop = mean - mean_out
    if not np.isin(loss, (0, 1)).all():
        return drop - t * error**0.5, drop + t * error**0.5
    low, high = _wilson(mean, rows, t)
    low_out, high_out = _wilson(mean_out, rows_out, t)
    return (
        drop - float(np.hypot(mean - low, high_out - mean_out)),
        drop + float(np.hypot(high - mean, mean_out - low_out)),
    )


def drop_error(
    loss: Array, inside: NDArray[np.bool_], clusters: Index | None
) -> tuple[float, float]:
    """Standard error of the mean loss inside minus outside.

    Args:
        loss: (n,) losses, at least 0.
        inside: (n,) the slice's rows; neither all nor none.
        clusters: (n,) number of the speaker of each row, from 0; None if rows are independent.

    Returns:
        The standard error, as in Welch's interval with speakers as the units, and its degrees of
        freedom.
    """
    (_, variance, _, units), (_, variance_out, _, units_out) = _parts(loss, inside, clusters)
    return (variance + variance_out) ** 0.5, _degrees(variance, units, variance_out, units_out)


def _parts(
    loss: Array, inside: NDArray[np.bool_], clusters: Index | None
) -> list[tuple[float, float, float, int]]:
    """The figures of `_part` inside and outside."""
    return [
        _part(loss[side], None if clusters is None else clusters[side])
        for side in (inside, ~inside)
    ]


def _degrees(variance: float, units: int, variance_out: float, units_out: int) -> float:
    """Degrees of freedom of Satterthwaite, with speakers as the units; at least 1."""
    error = variance + variance_out
    if not error > 0:
        return max(units + units_out - 2.0, 1.0)
    terms = variance**2 / max(units - 1, 1) + variance_out**2 / max(units_out - 1, 1)
    return max(error**2 / terms, 1.0)


def _part(loss: Array, clusters: Index | None) -> tuple[float, float, float, int]:
    """Mean, its variance, the effective number of rows, and the number of speakers or rows."""
    n = len(loss)
    mean = float(loss.mean())
    independent = float(loss.var(ddof=1)) / n if n > 1 else 0.0
    if clusters is None:
        return mean, independent, float(n), n
    _, unit = np.unique(clusters, return_inverse=True)
    count = int(unit.max()) + 1
    variance = independent
    if count > 1:
        sums = np.bincount(unit, loss - mean)
        variance = max(independent, count / (count - 1) * float((sums**2).sum()) / n**2)
    return mean, variance, n * independent / variance if variance > 0 else float(n), count


def _wilson(mean: float, n: float, z: float) -> tuple[float, float]:
    """Wilson's score interval of a proportion."""
    middle = (mean + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (mean * (1 - mean) / n + z * z / (4 * n * n)) ** 0.5
    return middle - half, middle + half
