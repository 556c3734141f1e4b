"""Probabilities as models give them: rounding may put them a little below 0 or above 1."""

import numpy as np

ROUNDING = 1e-5
"""How far a probability may be outside 0 to 1 because of rounding."""


def is_probability(values: np.ndarray) -> np.ndarray:
    """Which values are between 0 and 1 except for rounding.

    Args:
        values: Array of any shape. NaN is no probability.

    Returns:
        Booleans of the same shape.
    """
    return (values >= -ROUNDING) & (values <= 1 + ROUNDING)


def shares(probabilities: np.ndarray) -> np.ndarray:
    """Divide the probabilities of each utterance by their sum.

    Args:
        probabilities: Array of shape (utterances, labels), at least 0.

    Returns:
        Array of the same shape whose rows sum to 1. If all probabilities of a row are 0, its labels
        have equal shares.
    """
    totals = probabilities.sum(axis=1, keepdims=True)
    equal = 1 / probabilities.shape[1]
    return np.where(totals > 0, probabilities / np.where(totals > 0, totals, 1), equal)
