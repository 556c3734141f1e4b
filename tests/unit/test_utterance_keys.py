"""Rows are matched by the key of their utterance."""

import numpy as np
import pandas as pd
from voxslice.utterance_keys import match_rows


def test_rows_of_a_matrix_are_matched_by_key():
    keys = pd.DataFrame({"file": [f"{i}.wav" for i in range(20)], "start": 0.0, "end": 1.0})
    reversed_keys = keys.iloc[::-1].iloc[5:].reset_index(drop=True)  # without the last five
    matrix = np.arange(20, dtype=np.float32)[::-1][5:, None] * np.array([1, 2], np.float32)
    matched = match_rows(keys, reversed_keys, matrix)
    np.testing.assert_array_equal(matched[:-5], np.arange(15)[:, None] * [1, 2])
    assert np.isnan(matched[-5:]).all()
