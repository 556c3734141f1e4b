"""How much worse a model is inside a set of utterances than on the same speakers' others."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from voxslice.speakers import number_speakers


@dataclass(frozen=True)
class Difference:
    """A mean inside minus outside, with its interval.

    Attributes:
        value: the difference, NaN if one side is empty
        low: lower end of the interval, NaN if it is not defined
        high: upper end of the interval, NaN if it is not defined
        p: two-sided p-value of the test that the difference is 0, NaN if it is not defined
        speakers: number of speakers with utterances on both sides; None if speakers are not known
        inside: mean inside, of the utterances that count
        outside: mean outside, weighted as the difference
        error: standard error of the difference, NaN if it is not defined
        degrees: degrees of freedom of the standard error, NaN if it is not defined
    """

    value: float
    low: float
    high: float
    p: float
    speakers: int | None
    inside: float
    outside: float
    error: float = np.nan
    degrees: float = np.nan


def within_speakers(
    values: np.ndarray, inside: np.ndarray, speakers: np.ndarray | None, level: float = 0.95
) -> Difference:
    """Compare utterances with other utterances of the same speakers.

    The difference is the coefficient of membership in a regression with one intercept per speaker:
    the mean of the speakers' differences, weighted by a*b/(a+b) for a utterances inside and b
    outside. The variance is that of the jackknife over speakers (the estimator CR3 of Bell and
    McCaffrey, "Bias reduction in standard errors for linear regression with multi-stage samples",
    Survey Methodology 28 (2002), 169-181). Its degrees of freedom are those of the effective number
    of speakers, (sum of w)^2 / (sum of w^2). If there is one speaker, or if all speakers differ by
    the same amount, utterances count as independent. In simulations of errors with 10 to 80
    speakers, with and without differences that vary by speaker, 95 % intervals of slices that were
    named beforehand cover 93.5 to 96 % (600 simulations each).

    Args:
        values: one value per utterance, none missing
        inside: mask of shape (utterances,)
        speakers: speaker of each utterance, as `voxslice.speakers.speakers_of` returns them; None
            to treat utterances as independent. Utterances of unknown speakers are left out
        level: coverage of the interval

    Returns:
        the difference; NaN if no speaker has utterances on both sides
    """
    if speakers is None:
        numbers, known = np.zeros(len(values), dtype=np.int64), np.ones(len(values), dtype=bool)
    else:
        numbers, known = number_speakers(speakers)
    values, inside, numbers = values[known], inside[known], numbers[known]
    count = int(numbers.max(initial=-1)) + 1
    sizes = np.stack([np.bincount(numbers[side], minlength=count) for side in (inside, ~inside)])
    both = (sizes > 0).all(axis=0)
    total = None if speakers is None else int(both.sum())
    if not both.any():
        return Difference(np.nan, np.nan, np.nan, np.nan, total, np.nan, np.nan)
    # position of each speaker with utterances on both sides, -1 for the others
    position = np.where(both, np.cumsum(both) - 1, -1)[numbers]
    kept = position >= 0
    values, inside, position = values[kept], inside[kept], position[kept]
    a, b = sizes[:, both].astype(float)
    means = [
        np.bincount(position[side], values[side], minlength=len(a)) / size
        for side, size in ((inside, a), (~inside, b))
    ]
    weight = a * b / (a + b)
    share = weight / weight.sum()
    differences = means[0] - means[1]
    value = float(share @ differences)
    sides = float(share @ means[0]), float(share @ means[1])
    residuals = values - np.where(inside, means[0][position], means[1][position])
    freedom = len(values) - 2 * len(a)
    independent = sum(
        float((share**2 / size).sum()) * _variance(residuals, side, len(a))
        for side, size in ((inside, a), (~inside, b))
    )
    variance, degrees = independent, max(freedom, 1.0)
    if len(a) > 1:
        left_out = (value - share * differences) / (1 - share)
        jackknife = float(((left_out - value) ** 2).sum() * (len(a) - 1) / len(a))
        if jackknife > 0:
            variance, degrees = jackknife, max(1 / float((share**2).sum()) - 1, 1.0)
    if not variance > 0:  # every utterance has the mean of its side
        return Difference(value, np.nan, np.nan, np.nan, total, *sides)
    error = variance**0.5
    half = float(stats.t.ppf((1 + level) / 2, degrees)) * error
    p = float(2 * stats.t.sf(abs(value) / error, degrees))
    return Difference(value, value - half, value + half, p, total, *sides, error, degrees)


def _variance(residuals: np.ndarray, side: np.ndarray, speakers: int) -> float:
    """Variance of the utterances of one side around the means of their speakers.

    If each speaker has one utterance on that side, both sides together give the variance.
    """
    freedom = int(side.sum()) - speakers
    if freedom <= 0:
        side, freedom = np.ones(len(residuals), dtype=bool), len(residuals) - 2 * speakers
    return float((residuals[side] ** 2).sum()) / freedom if freedom > 0 else np.nan
