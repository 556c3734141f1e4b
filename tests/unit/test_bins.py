"""Quantile bins."""

import numpy as np
import pytest
from voxslice.bins import assign_bins, quantile_edges


@pytest.mark.parametrize("count", [2, 3, 10])
def test_bins_hold_about_as_many_values(count):
    values = np.random.default_rng(count).permutation(np.arange(1000) ** 2)
    edges = quantile_edges(values, count)
    bins = assign_bins(values, edges)
    sizes = np.bincount(bins)
    assert len(edges) == len(sizes) == count
    assert np.ptp(sizes) <= 1
    assert edges[-1] == values.max() and np.isin(edges, values).all()
    for number in range(count - 1):
        assert values[bins == number].max() < values[bins == number + 1].min()


def test_equal_values_share_a_bin_so_that_there_are_fewer():
    values = np.array([1, 1, 1, 1, 2, 3])
    edges = quantile_edges(values, 3)
    assert edges.tolist() == [1, 3]
    assert assign_bins(values, edges).tolist() == [0, 0, 0, 0, 1, 1]
    assert quantile_edges(np.full(7, 2.5), 4).tolist() == [2.5]
    assert assign_bins([9.0], edges).tolist() == [2]
