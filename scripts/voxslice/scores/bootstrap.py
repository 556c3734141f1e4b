"""Intervals that resample speakers, since the utterances of one speaker are not independent."""

from collections.abc import Callable

import numpy as np
from scipy.special import ndtr, stdtrit

LEVEL = 0.95
MAX_NUMBERS_PER_BLOCK = 20_000_000
"""Numbers drawn at a time: it keeps their matrix small where every utterance stands alone."""
FEW_SPEAKERS = 5
"""With fewer speakers an interval is unreliable: it can hardly see how speakers differ."""


def speaker_sums(values: np.ndarray, speakers: np.ndarray | None) -> np.ndarray:
    """Sum values over the utterances of each speaker.

    Args:
        values: shape (utterances, ...)
        speakers: speaker of each utterance; None where every utterance stands alone

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
    """Sizes of blocks of draws: `MAX_NUMBERS_PER_BLOCK` numbers or fewer, but at least one draw."""
    size = max(1, MAX_NUMBERS_PER_BLOCK // max(width, 1))
    return [min(size, draws - start) for start in range(0, draws, size)]


def bootstrap(
    sums: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    *,
    resamples: int,
    seed: int,
) -> np.ndarray:
    """Values of a statistic of sums when speakers are drawn with replacement.

    The cluster bootstrap (Davison and Hinkley, Bootstrap Methods and their Application, 1997,
    section 3.8): whole speakers are drawn, so what their utterances share stays together.

    Args:
        sums: what each speaker adds, shape (speakers, ...)
        statistic: maps sums of shape (resamples, ...) to values of shape (resamples, k); NaN where
            a resample does not define it
        resamples: number of resamples
        seed: of the draws

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

    Resamples of n speakers vary less than samples do, by n - 1 over n, and a percentile takes no
    account of how uncertain that variance is, as Student's t does. The expanded percentile interval
    makes up for both: Hesterberg, "What teachers should know about the bootstrap", The American
    Statistician 69 (2015), 371-386. Of five speakers it asks for 0.1 % in place of
    2.5 %, which 2,000 resamples hold and 500 do not.

    Args:
        speakers: at least two
        level: coverage aimed at
    """
    quantile = stdtrit(speakers - 1, (1 + level) / 2)
    return float(ndtr(-quantile * np.sqrt(speakers / (speakers - 1))))


def percentile_interval(
    values: np.ndarray, speakers: int | np.ndarray, level: float = LEVEL
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval of bootstrapped values, expanded for few speakers.

    Where speakers' rates of errors are drawn from Beta(2, 8), 95 % intervals from 2,000 resamples
    cover 92, 94 and 94 % with 5, 10 and 20 speakers (85, 90 and 92 % if they were not expanded).
    They fall short where few speakers make most of the errors: 85, 89 and 92 % for Beta(0.5, 9.5).

    Args:
        values: as `bootstrap` gives them, shape (resamples, k)
        speakers: how many speakers a value rests on, one number or shape (k,): those with
            utterances in a slice, not all that were drawn from
        level: coverage aimed at

    Returns:
        lower and upper end, each of shape (k,); NaN with fewer than two speakers and where no
        resample defines a value
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
        sums: what each speaker adds, shape (speakers, ...)
        statistic: see `bootstrap`
        resamples: number of resamples
        seed: of the draws
        speakers: see `percentile_interval`; None where each value rests on all of them
        level: coverage aimed at

    Returns:
        as `percentile_interval`
    """
    values = bootstrap(sums, statistic, resamples=resamples, seed=seed)
    return percentile_interval(values, len(sums) if speakers is None else speakers, level)
