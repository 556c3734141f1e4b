"""Probabilities are checked and normalised."""

import numpy as np
import pytest
from voxslice.probabilities import is_probability, shares


@pytest.mark.parametrize("value", [0, 1, 0.3, 1 + 1e-7, -1e-9, np.nextafter(np.float32(1), 2)])
def test_rounding_is_left_in(value):
    assert is_probability(np.array([[value]])).all()


@pytest.mark.parametrize("value", [1.001, -0.001, 2, -1, np.nan, np.inf, -np.inf])
def test_values_that_are_no_probabilities(value):
    assert not is_probability(np.array([value])).any()


def test_shares():
    sums = np.array([[0.2, 0.6], [0, 0], [1, 0]])
    np.testing.assert_allclose(shares(sums), [[0.25, 0.75], [0.5, 0.5], [1, 0]])
