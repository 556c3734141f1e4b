"""Bootstrap intervals that resample speakers, whose utterances are not independent."""

from collections.abc import Callable

import numpy as np
from scipy.special import ndtr, stdtrit

LEVEL = 0.95
MAX_NUMBERS_PER_BLOCK = 20_000_000
"""Weights that are drawn at a time, to limit the memory if every utterance is independent."""
FEW_SPEAKERS = 5
"""With fewer speakers an interval is unreliable, since it hardly shows how speakers differ."""


def speaker_sums(values: np.ndarray, speakers: np.ndarray | None) -> np.ndarray:
    """Sum values over the utterances of each speaker.

    Args:
        values: shape (utterances, ...)
        speakers: speaker of each utterance; None to treat every utterance as independent

    Returns:
        shape (speakers, ...), ordered by speaker
    """
    values = np.asarray(values, dtype=np.float64)
    if speakers is None:
        return values
    _, codes = np.unique(np.asarray(speakers), return_inverse=True)
    sums = np.zeros((codes.max(initial=-1) + 1, *values.shape[1:]))
    np.add.at(sums, codes, values)
    return sums


def block_sizes(draws: int, width: int) -> list[int]:
    """Split draws into blocks of at most `MAX_NUMBERS_PER_BLOCK` numbers, or of one draw.

    Args:
        draws: number of draws
        width: numbers per draw

    Returns:
        number of draws of each block
    """
    size = max(1, MAX_NUMBERS_PER_BLOCK // max(width, 1))
    return [min(size, draws - start) for start in range(0, draws, size)]


def bootstrap(
    sums: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    *,
    resamples: int,
    seed: int,
) -> np.ndarray:
    """Values of a statistic of sums if speakers are drawn with replacement.

    This is the cluster bootstrap (Davison and Hinkley, Bootstrap Methods and their Application,
    1997, section 3.8). Whole speakers are drawn, so that utterances of one speaker stay together.

    Args:
        sums: sums over the utterances of each speaker, shape (speakers, ...)
        statistic: maps sums of shape (resamples, ...) to values of shape (resamples, k), NaN if a
            resample does not define the value
        resamples: number of resamples
        seed: seed of the draws

    Returns:
        shape (resamples, k); one row of NaN with fewer than two speakers
    """
    count = len(sums)
    if count < 2:
        return np.full((1, *np.shape(statistic(sums.sum(0, keepdims=True)))[1:]), np.nan)
    generator = np.random.default_rng(seed)
    flat = sums.reshape(count, -1)
    values = []
    for size in block_sizes(resamples, count):
        weights = generator.multinomial(count, np.full(count, 1 / count), size=size)
        values.append(statistic((weights @ flat).reshape(size, *sums.shape[1:])))
    return np.concatenate(values)


def expanded_tail(speakers: int, level: float = LEVEL) -> float:
    """Share of the resamples beyond each end of an interval.

    The variance of resamples of n speakers is too small by the factor (n - 1) / n. Also, a
    percentile ignores how uncertain that variance is, which Student's t accounts for. The expanded
    percentile interval corrects both (Hesterberg, "What teachers should know about the bootstrap",
    The American Statistician 69 (2015), 371-386). For five speakers the share is 0.1 % instead of
    2.5 %, which 2,000 resamples can estimate and 500 cannot.

    Args:
        speakers: number of speakers, at least two
        level: coverage of the interval

    Returns:
        the share, from 0 to 1
    """
    quantile = stdtrit(speakers - 1, (1 + level) / 2)
    return float(ndtr(-quantile * np.sqrt(speakers / (speakers - 1))))


def percentile_interval(
    values: np.ndarray, speakers: int | np.ndarray, level: float = LEVEL
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval of bootstrap values, expanded for few speakers.

    If the error rates of speakers are drawn from Beta(2, 8), 95 % intervals from 2,000 resamples
    cover 92, 94 and 94 % with 5, 10 and 20 speakers (85, 90 and 92 % if they are not expanded). If
    few speakers make most of the errors, they cover less: 85, 89 and 92 % for Beta(0.5, 9.5).

    Args:
        values: values from `bootstrap`, shape (resamples, k)
        speakers: number of speakers with utterances in each value, one number or shape (k,)
        level: coverage of the interval

    Returns:
        lower and upper end, each of shape (k,); NaN if there are fewer than two speakers, or if no
        resample defines the value
    """
    low, high = np.full((2, values.shape[1]), np.nan)
    defined = ~np.isnan(values).all(axis=0)  # nanquantile warns of columns without a value
    speakers = np.broadcast_to(speakers, defined.shape)
    for count in np.unique(speakers[defined & (speakers > 1)]):
        columns = defined & (speakers == count)
        tail = expanded_tail(int(count), level)
        ends = np.nanquantile(values[:, columns], [tail, 1 - tail], axis=0)
        low[columns], high[columns] = ends
    return low, high


def bootstrap_interval(
    sums: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    *,
    resamples: int,
    seed: int,
    speakers: np.ndarray | None = None,
    level: float = LEVEL,
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval of a statistic of sums, by drawing speakers with replacement.

    Args:
        sums: sums over the utterances of each speaker, shape (speakers, ...)
        statistic: maps sums to k values, see `bootstrap`
        resamples: number of resamples
        seed: seed of the draws
        speakers: number of speakers with utterances in each value, shape (k,); None for all
        level: coverage of the interval

    Returns:
        lower and upper end, each of shape (k,); see `percentile_interval`
    """
    values = bootstrap(sums, statistic, resamples=resamples, seed=seed)
    return percentile_interval(values, len(sums) if speakers is None else speakers, level)
