"""Intervals that resample speakers, since the utterances of one speaker are not independent."""

from collections.abc import Callable

import numpy as np

LEVEL = 0.95
BLOCK = 20_000_000
"""Weights drawn at a time: it keeps their matrix small where every utterance stands alone."""
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
    block = max(1, min(resamples, BLOCK // count))
    for start in range(0, resamples, block):
        size = min(block, resamples - start)
        weights = generator.multinomial(count, np.full(count, 1 / count), size=size)
        values.append(statistic((weights @ flat).reshape(size, *sums.shape[1:])))
    return np.concatenate(values)


def percentile_interval(values: np.ndarray, level: float = LEVEL) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval of bootstrapped values.

    Args:
        values: as `bootstrap` gives them, shape (resamples, k)
        level: coverage aimed at

    Returns:
        lower and upper end, each of shape (k,); NaN where no resample defines a value
    """
    tail = (1 - level) / 2
    undefined = np.isnan(values).all(axis=0)
    filled = np.where(undefined, 0, values)  # nanquantile warns of columns without a value
    low, high = np.nanquantile(filled, [tail, 1 - tail], axis=0)
    low[undefined] = high[undefined] = np.nan
    return low, high


def bootstrap_interval(
    sums: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    *,
    resamples: int,
    seed: int,
    level: float = LEVEL,
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval of a statistic of sums, by drawing speakers with replacement.

    Args:
        sums: what each speaker adds, shape (speakers, ...)
        statistic: see `bootstrap`
        resamples: number of resamples
        seed: of the draws
        level: coverage aimed at

    Returns:
        lower and upper end, each of shape (k,); NaN with fewer than two speakers
    """
    values = bootstrap(sums, statistic, resamples=resamples, seed=seed)
    return percentile_interval(values, level)
