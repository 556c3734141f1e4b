"""Quantile bins: ranges of numbers that contain about the same number of values."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def quantile_edges(values: np.ndarray | pd.Series, count: int) -> np.ndarray:
    """Upper edges of bins that contain about the same number of values.

    Equal values are always in the same bin.

    Args:
        values: numbers, at least one and none missing
        count: number of bins

    Returns:
        ascending edges, which are values themselves; the last one is the largest value; fewer than
        `count` where many values are equal
    """
    parts = np.arange(1, count + 1) / count
    return np.unique(np.quantile(values, parts, method="inverted_cdf"))


def assign_bins(values: np.ndarray | pd.Series, edges: Sequence[float] | np.ndarray) -> np.ndarray:
    """Number of the bin that each value lies in.

    Args:
        values: numbers, none missing
        edges: ascending upper edges, which belong to their bins

    Returns:
        integers from 0, of the shape of the values; `len(edges)` for a value above the last edge
    """
    return np.searchsorted(edges, values)
