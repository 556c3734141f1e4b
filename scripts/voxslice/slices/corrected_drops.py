"""The drop of a confirmed slice, corrected for its choice by a search.

A search confirms a slice only if its drop reaches a critical value. So the drops of confirmed
slices are too large on average ("winner's curse"): a slice with a small true drop is confirmed only
if chance made its drop look large.

The corrected value describes what is known of the true drop, given that the slice was confirmed:
the likelihood of the measured drop is divided by the probability that a slice with this true drop
reaches the critical value (Yekutieli, "Adjusted Bayesian inference for selected parameters",
Journal of the Royal Statistical Society B 74 (2012), 515-541). If the measured drop lies far above
the critical value, the correction is small.

The interval contains the true drops that make the measured one likely among confirmed slices. For
each true drop, these are the most likely 95 % of the drops above the critical value (Weinstein,
Fithian and Benjamini, "Selection adjusted confidence intervals with more power to determine the
sign", Journal of the American Statistical Association 108 (2013), 165-176).
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from voxslice.names import WITHIN
from voxslice.slices.drop_intervals import drop_error
from voxslice.slices.excess import within_speakers

LEAST_DROP = -0.5
"""Smallest true drop that is considered, in standard errors. A confirmed slice is seldom better
than the rest, but it may be no worse. The value was chosen by simulation
(bench/found_figures.md)."""
GRID = 2000
"""Number of true drops at which the likelihood is computed."""
REACH = 8.0
"""Largest true drop that is considered, in standard errors above the measured one."""


@dataclass(frozen=True)
class Corrected:
    """A corrected drop.

    Attributes:
        value: median of the true drop, given that the slice was confirmed; NaN if the drop cannot
            be corrected
        low: lower end of its 95 % interval
        high: upper end of the interval
    """

    value: float
    low: float
    high: float


NOT_CORRECTED = Corrected(np.nan, np.nan, np.nan)


def corrected_drop(
    drop: float, error: float, degrees: float, detectable: float, level: float = 0.95
) -> Corrected:
    """Correct the drop of a confirmed slice for its choice.

    For the value, all true drops from half a standard error below zero are equally likely before
    the data are seen. The interval has no true drops below that. The measured drop has a t
    distribution around the true one.

    Args:
        drop: the measured drop
        error: its standard error
        degrees: degrees of freedom of the standard error
        detectable: the smallest drop that is confirmed
        level: level of the interval

    Returns:
        the corrected drop; NaN if the standard error or the smallest drop is not known
    """
    if not (np.isfinite([drop, error, degrees, detectable]).all() and error > 0):
        return NOT_CORRECTED
    least = LEAST_DROP * error
    true = np.linspace(least, max(drop, least) + REACH * error, GRID)
    z = (drop - true) / error
    log_density = -(degrees + 1) / 2 * np.log1p(z**2 / degrees)
    # a slice that another test has confirmed may lie below the critical value
    above = (true - min(detectable, drop)) / error
    confirmed = np.maximum(special.stdtr(degrees, above), 1e-300)
    below = np.cumsum(np.exp(log_density - log_density.max()) / confirmed)
    value = np.interp(0.5, below / below[-1], true)
    # half of the width of the likely drops, where they lie around the true one
    half = special.stdtrit(degrees, (1 + level * confirmed) / 2)
    beyond = special.stdtr(degrees, -z) / confirmed  # chance of a larger drop, if confirmed
    likely = true[np.where(half <= above, np.abs(z) <= half, beyond >= 1 - level)]
    return Corrected(float(value), float(likely.min()), float(likely.max()))


def corrected_slice(
    loss: np.ndarray,
    members: np.ndarray,
    speakers: np.ndarray | None,
    evidence: str,
    detectable: float,
) -> Corrected:
    """Measure and correct the drop of a confirmed slice.

    Args:
        loss: loss of each utterance, none missing
        members: mask of shape (utterances,)
        speakers: speaker of each utterance, as `voxslice.speakers.speakers_of` returns them; None
            if not known
        evidence: the test that confirms the slice. If it is within speakers, the slice is compared
            with other utterances of the same speakers, otherwise with all other utterances
        detectable: the smallest drop that is confirmed

    Returns:
        the corrected drop; NaN if it cannot be corrected
    """
    if not members.any() or members.all():
        return NOT_CORRECTED
    if evidence == WITHIN:
        found = within_speakers(loss, members, speakers)
        return corrected_drop(found.value, found.error, found.degrees, detectable)
    clusters = None if speakers is None else np.unique(speakers, return_inverse=True)[1]
    error, degrees = drop_error(loss, members, clusters)
    drop = float(loss[members].mean() - loss[~members].mean())
    return corrected_drop(drop, error, degrees, detectable)
