"""The key of an utterance, and matching of rows by this key."""

import numpy as np
import pandas as pd

KEY = ["file", "start", "end"]
"""Columns that identify an utterance: path relative to the audio folder, and times in s."""


def match_rows(keys: pd.DataFrame, other: pd.DataFrame, matrix: np.ndarray) -> np.ndarray:
    """Select and order the rows of a matrix by the keys of utterances.

    Args:
        keys: table with the keys of the wanted utterances
        other: keys of the matrix's rows
        matrix: floats of shape (utterances in `other`, columns)

    Returns:
        shape (utterances in `keys`, columns), NaN where the matrix has no row for an utterance
    """
    order = pd.MultiIndex.from_frame(other[KEY]).get_indexer(pd.MultiIndex.from_frame(keys[KEY]))
    matched = np.full((len(keys), matrix.shape[1]), np.nan, matrix.dtype)
    matched[order >= 0] = matrix[order[order >= 0]]
    return matched
