"""A sample where a step cannot look at every utterance."""

import numpy as np


def sampled(count: int, most: int, seed: int) -> np.ndarray:
    """Positions of the utterances that a step looks at, where there are too many for it.

    Args:
        count: number of utterances
        most: largest number that is looked at
        seed: of the draw

    Returns:
        all positions, or a random sample without replacement; ascending
    """
    if count <= most:
        return np.arange(count)
    return np.sort(np.random.default_rng(seed).choice(count, most, replace=False))
