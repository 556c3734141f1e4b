"""Adjust p-values for several tests."""

import numpy as np


def holm(p: np.ndarray) -> np.ndarray:
    """Adjust p-values with the method of Holm.

    The chance that any test without an effect gets an adjusted p-value of at most 5 % is at most
    5 %, however the tests depend on each other (Holm, Scandinavian Journal of Statistics 6 (1979),
    65-70).

    Args:
        p: p-values of shape (tests,)

    Returns:
        adjusted p-values of the same shape
    """
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return adjusted
