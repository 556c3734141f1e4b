"""Random samples of utterances, where a step cannot process all of them."""

import numpy as np


def sampled(count: int, max_count: int, seed: int) -> np.ndarray:
    """Positions of a random sample of utterances.

    Args:
        count: number of utterances
        max_count: largest number of utterances in the sample
        seed: seed of the draw

    Returns:
        ascending positions: all of them where `count` is at most `max_count`, otherwise
        `max_count` of them, drawn without replacement
    """
    if count <= max_count:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, max_count, replace=False))
