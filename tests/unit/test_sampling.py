"""Large tables are sampled by the seed."""

import numpy as np
from voxslice.sampling import sampled


def test_small_tables_are_used_completely():
    assert sampled(5, 5, 0).tolist() == [0, 1, 2, 3, 4]
    assert sampled(0, 5, 0).tolist() == []


def test_a_sample_is_drawn_by_the_seed():
    rows = sampled(10_000, 1000, 3)
    assert len(np.unique(rows)) == len(rows) == 1000
    assert (np.diff(rows) > 0).all()
    assert rows.max() < 10_000
    assert 4500 < rows.mean() < 5500
    np.testing.assert_array_equal(rows, sampled(10_000, 1000, 3))
    assert not np.array_equal(rows, sampled(10_000, 1000, 4))
