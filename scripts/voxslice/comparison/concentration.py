"""Test whether a speaker's share of a total is larger or smaller than chance explains."""

import numpy as np

from voxslice.speakers import number_speakers

MAX_NUMBERS = 200_000_000
"""Numbers that are permuted at most. Large datasets get fewer permutations."""
MIN_PERMUTATIONS = 200
"""Smallest number of permutations, however large a dataset is."""


def concentration_test(
    values: np.ndarray, speakers: np.ndarray, *, permutations: int, seed: int
) -> np.ndarray:
    """Test for each speaker whether the sum of its values differs from that of alike speakers.

    If speakers are alike, it does not matter which utterances belong to which speaker. So the
    values are permuted over all utterances, while each speaker keeps its number of utterances. The
    statistic of a speaker is the distance of its sum from the expected sum, in standard deviations.
    Its p is the share of permutations in which the largest statistic of any speaker is at least as
    large (single-step maxT of Westfall and Young, Resampling-Based Multiple Testing, 1993). If
    speakers are alike, the smallest p of all speakers is at most 0.05 in 5 % of the datasets.

    Args:
        values: shape (utterances,), such as losses
        speakers: speaker of each utterance, `UNKNOWN_SPEAKER` where it is not known
        permutations: number of permutations; fewer if there are very many utterances
        seed: seed of the permutations

    Returns:
        shape (known speakers,), in ascending order of their names: the two-sided p-value of each,
        adjusted for the number of speakers; utterances of unknown speakers take part in the
        permutations
    """
    values = np.asarray(values, float)
    numbers, known = number_speakers(speakers)
    count = len(np.unique(numbers[known]))
    if count == 0:
        return np.empty(0)
    sizes = np.bincount(numbers)  # those of unknown speakers come last
    starts = np.cumsum(sizes) - sizes
    total = len(values)
    spread = values.std() * np.sqrt(sizes * (total - sizes) / max(total - 1, 1))

    def statistics(permuted: np.ndarray) -> np.ndarray:
        distance = np.abs(np.add.reduceat(permuted, starts) - sizes * values.mean())
        # rounding leaves a spread of constant values
        deviates = spread > 1e-9 * np.abs(values).max()
        return np.divide(distance, spread, out=np.zeros(len(sizes)), where=deviates)[:count]

    observed = statistics(values[np.argsort(numbers, kind="stable")])
    generator = np.random.default_rng(seed)
    draws = min(permutations, max(MIN_PERMUTATIONS, MAX_NUMBERS // total))
    largest = np.array([statistics(generator.permutation(values)).max() for _ in range(draws)])
    # sums that differ by rounding only are equal
    reached = largest[:, None] >= observed * (1 - 1e-9)
    return (1 + reached.sum(0)) / (1 + draws)
