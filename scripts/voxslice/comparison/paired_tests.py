"""Tests of the paired losses of two models on the same utterances."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import binomtest

from voxslice.scores.bootstrap import block_sizes

ALPHA = 0.05
"""Level of the verdicts on two models."""
MAX_SPEAKERS_EXACT = 14
"""Largest number of speakers for which a sign-flip test uses all 2^n flips."""


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


def sign_flip(contributions: Sequence[float] | np.ndarray, *, resamples: int, seed: int) -> float:
    """Two-sided sign-flip test of a sum of independent contributions of speakers.

    It uses all sign flips for up to 14 speakers, otherwise random ones and the observed one.

    Args:
        contributions: contribution of each speaker
        resamples: number of random flips
        seed: seed of the random flips

    Returns:
        the p-value, 1 if all contributions are 0
    """
    values = np.asarray(contributions, float)
    values = values[values != 0]
    if len(values) == 0:
        return 1.0
    if len(values) <= MAX_SPEAKERS_EXACT:
        bits = np.arange(2 ** len(values))[:, None] >> np.arange(len(values))
        flips = [(1 - 2 * (bits & 1)) @ values]
    else:
        generator = np.random.default_rng(seed)
        flips = [np.array([values.sum()])]
        for size in block_sizes(resamples, len(values)):
            flips.append(generator.choice([-1, 1], size=(size, len(values))) @ values)
    # flips that differ from the observed sum by rounding only are equal to it
    reached = np.abs(np.concatenate(flips)) >= np.abs(values.sum()) * (1 - 1e-12)
    return float(reached.mean())


def is_equivalent(interval: tuple[float, float], margin: float, *, support: int | None) -> bool:
    """Whether the difference of two models is within a margin, by two one-sided tests.

    Both tests reject if the interval lies within the margin (Schuirmann, "A comparison of the two
    one-sided tests procedure and the power approach for assessing the equivalence of average
    bioavailability", Journal of Pharmacokinetics and Biopharmaceutics 15 (1987), 657-680). Usually,
    the 90 % interval is used for a level of 5 %. Here it is the 95 % interval that is shown. In
    simulations in which a difference of the size of the margin varies between speakers, the 90 %
    bootstrap interval with 5, 10 and 20 speakers was wrong in 10, 7 and 7 % of the cases, and the
    95 % interval in 8, 4 and 4 %.

    A bootstrap cannot see what the sample does not contain: two models that agree on ten utterances
    have an interval of width zero. So a classification also needs enough utterances to show a
    difference of the size of the margin at least once with a probability of 0.95.

    Args:
        interval: 95 % interval of the difference
        margin: largest difference that counts as equivalent
        support: number of utterances of a classification, None for a regression

    Returns:
        whether both tests reject
    """
    if support is not None and (1 - margin) ** support > ALPHA:
        return False
    return bool(-margin <= interval[0] and interval[1] <= margin)
