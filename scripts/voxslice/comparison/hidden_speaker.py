"""Guard equivalence against speakers that a study may have missed.

The resamples of a bootstrap contain the speakers of the study only. If one speaker in ten loses
twenty points, 12 % of all studies of 20 speakers contain none of them, and the interval of such a
study is far too narrow. So equivalence is shown with one more speaker, who is not in the study and
differs by `HIDDEN_MARGINS` margins. Resamples contain this speaker not at all, once, or several
times. So the interval lies within the margin only if there are about 30 speakers or more. This is
also the number of speakers that contains at least one of a kind to which one in ten belongs, with a
probability of 0.95 (Hanley and Lippman-Hand, "If nothing goes wrong, is everything all right?",
JAMA 249 (1983), 1743-1745).

`bench/verdicts.py` measures how often models that differ by exactly the margin are called
equivalent.
"""

from collections.abc import Callable

import numpy as np

from voxslice.scores.bootstrap import bootstrap, percentile_interval

HIDDEN_MARGINS = 10
"""Difference of the speaker that a study may have missed, in margins."""
LARGEST = {"accuracy": 1.0, "uar": 1.0, "f1": 1.0, "ccc": 2.0}
"""Largest possible difference of two models in a metric. An absolute error has none."""


def hidden_difference(margin: float, metric: str) -> float:
    """Difference of the speaker that a study may have missed.

    Args:
        margin: largest difference that counts as equivalent
        metric: name of the metric

    Returns:
        the difference, in the unit of the metric
    """
    return min(HIDDEN_MARGINS * margin, LARGEST.get(metric, float("inf")))


def guarded_interval(
    sums: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    *,
    hidden: float,
    resamples: int,
    seed: int,
    speakers: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval of differences as if the study had one more speaker, who differs most.

    The difference of this speaker is negative for the lower end, and positive for the upper end.

    Args:
        sums: sums over the utterances of each speaker, shape (speakers, ...)
        statistic: maps sums of shape (resamples, ...) to differences of shape (resamples, k)
        hidden: difference of this speaker, see `hidden_difference`
        resamples: number of resamples
        seed: seed of the draws
        speakers: number of speakers with utterances in each difference, shape (k,); None for all

    Returns:
        lower and upper end, each of shape (k,); see `voxslice.scores.bootstrap.percentile_interval`
    """
    count = len(sums)
    width = int(np.prod(sums.shape[1:]))
    flat = np.zeros((count + 1, width + 1))
    flat[:count, :-1] = sums.reshape(count, width)
    flat[count, -1] = 1
    units = 1 + (np.array([count]) if speakers is None else speakers)

    def below_and_above(total: np.ndarray) -> np.ndarray:
        difference = statistic(total[:, :-1].reshape(len(total), *sums.shape[1:]))
        moved = hidden * total[:, -1:] / units
        return np.stack([difference - moved, difference + moved], axis=1).reshape(len(total), -1)

    values = bootstrap(flat, below_and_above, resamples=resamples, seed=seed)
    below, above = np.split(values, 2, axis=1)
    return percentile_interval(below, units)[0], percentile_interval(above, units)[1]
