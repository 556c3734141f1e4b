"""How the difference of two models depends on single speakers, for any metric.

A metric is a function of sums over utterances, see `voxslice.comparison.overall_metric`. So a
speaker is left out by subtracting its sums, without another pass over the utterances.
"""

import math

import numpy as np

from voxslice.comparison.hidden_speaker import hidden_difference
from voxslice.comparison.overall_metric import metric_value
from voxslice.comparison.paired_tests import exchanges, least_difference
from voxslice.scores.bootstrap import block_sizes, percentile_interval

MAX_FLAGS = 400_000_000
"""Largest number of resamples times speakers. Very many speakers get fewer resamples."""


def difference_of(sums: np.ndarray, metric: str) -> np.ndarray:
    """Compute the difference of two models in a metric.

    Args:
        sums: sums of both models, shape (2, ..., numbers of the metric)
        metric: name of the metric

    Returns:
        the metric of the second model minus that of the first, shape (...)
    """
    return metric_value(sums[1], metric) - metric_value(sums[0], metric)


def contributions(sums: np.ndarray, total: np.ndarray, metric: str) -> np.ndarray:
    """How much single speakers, or single utterances, contribute to the difference of two models.

    The contribution of a speaker is the change of the metric if the predictions of the first model
    are replaced by those of the second for this speaker only. It is the mean of two changes: the
    other speakers have the predictions of the first model, and of the second. For accuracy, UAR
    and mean absolute error both are equal, and the contributions sum to the difference.

    Args:
        sums: sums of each speaker or utterance for both models, shape (2, speakers, ...)
        total: sums over all speakers, shape (2, ...)
        metric: name of the metric

    Returns:
        shape (speakers,), in the direction of the second model minus the first
    """
    change = sums[1] - sums[0]
    forwards = metric_value(total[0] + change, metric) - metric_value(total[0], metric)
    backwards = metric_value(total[1], metric) - metric_value(total[1] - change, metric)
    return (forwards + backwards) / 2


def without_each(
    sums: np.ndarray,
    metric: str,
    *,
    resamples: int,
    seed: int,
    margin: float | None = None,
    wider: float = 1.0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Difference of two models without each speaker in turn, with 95 % intervals.

    One set of resamples serves all speakers. Each resample draws one speaker fewer than there are.
    Those that do not contain a speaker are exactly the resamples of the other speakers (Efron,
    "Jackknife-after-bootstrap standard errors and influence functions", Journal of the Royal
    Statistical Society B 54 (1992), 83-127). These are at least 37 % of all resamples, so more are
    drawn.

    Args:
        sums: sums of each speaker for both models, shape (2, speakers, ...)
        metric: name of the metric
        resamples: number of resamples without a speaker, on average; fewer if there are very many
            speakers
        seed: seed of the draws
        margin: if given, the intervals contain one more speaker, who differs by many margins, see
            `voxslice.comparison.hidden_speaker`
        wider: factor of the distance of each end from the difference, for units beside the speaker

    Returns:
        the difference without each speaker, the lower and the upper end of its interval, each of
        shape (speakers,); the ends are NaN if fewer than two speakers are left
    """
    count = sums.shape[1]
    value = difference_of(sums.sum(1, keepdims=True) - sums, metric)
    low, high = np.full((2, count), np.nan)
    if count < 3:
        return value, low, high
    generator = np.random.default_rng(seed)
    flat = sums.reshape(2, count, -1)
    units = count if margin is None else count + 1
    values, absent, moved = [], [], []
    draws = min(math.ceil(resamples * math.e), MAX_FLAGS // count)
    for size in block_sizes(draws, count):
        weights = generator.multinomial(units - 1, np.full(units, 1 / units), size=size)
        own = weights[:, :count]
        values.append(difference_of((own @ flat).reshape(2, size, *sums.shape[2:]), metric))
        absent.append(own == 0)
        if margin is None:
            moved.append(np.zeros(size))
        else:
            moved.append(hidden_difference(margin, metric) * weights[:, -1] / (units - 1))
    drawn, left_out, shift = map(np.concatenate, (values, absent, moved))
    for speaker in range(count):
        some = left_out[:, speaker]
        low[speaker] = percentile_interval((drawn - shift)[some, None], units - 1)[0].item()
        high[speaker] = percentile_interval((drawn + shift)[some, None], units - 1)[1].item()
    return value, low - (wider - 1) * (value - low), high + (wider - 1) * (high - value)


def exchange_without_each(
    sums: np.ndarray, metric: str, *, resamples: int, seed: int, wider: float = 1.0
) -> np.ndarray:
    """Test that exchanges two models' predictions of whole speakers, without each speaker in turn.

    It is the test of `voxslice.comparison.paired_tests.exchange_speakers`. One set of exchanges
    serves all speakers, because the exchanges of the others do not depend on the one who is left
    out.

    Args:
        sums: sums of each speaker for both models, shape (2, speakers, ...)
        metric: name of the metric
        resamples: number of random exchanges
        seed: seed of the random exchanges
        wider: the observed differences are divided by this factor, for units beside the speaker

    Returns:
        the p-values without each speaker, shape (speakers,); 1 if nobody is left
    """
    count = sums.shape[1]
    flat = sums.reshape(2, count, -1)
    change = flat[1] - flat[0]
    differs = (change != 0).any(axis=1)
    total_a, total_b = sums.sum(1, keepdims=True) - sums
    least = least_difference(metric_value(total_a, metric), metric_value(total_b, metric)) / wider
    place = np.cumsum(differs) - 1
    reached, drawn = np.zeros(count), 0
    for signs in exchanges(int(differs.sum()), change.shape[1], resamples, seed):
        exchanged = (signs < 0).astype(float)
        moved = exchanged @ change[differs]
        drawn += len(signs)
        for speaker in range(count):
            own = exchanged[:, place[speaker], None] * change[speaker] if differs[speaker] else 0.0
            others = (moved - own).reshape(len(signs), *sums.shape[2:])
            both = np.stack([total_a[speaker] + others, total_b[speaker] - others])
            reached[speaker] += (np.abs(difference_of(both, metric)) >= least[speaker]).sum()
    return np.where(np.isnan(least), 1.0, reached / drawn)
