"""Filters by the Fourier transform, compared with those of SciPy."""

import numpy as np
import pytest
import scipy.fft
import scipy.signal
from voxslice.conditions.convolution import convolved, fast_length


def test_lengths_have_no_prime_factor_above_5():
    drawn = np.random.default_rng(0).integers(1000, 10**8, 200)
    for samples in [*range(1, 1000), *map(int, drawn)]:
        assert fast_length(samples) == scipy.fft.next_fast_len(samples, real=True)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_convolution_is_that_of_the_definition(kind):
    rng = np.random.default_rng(0)
    signal, response = (rng.standard_normal(size).astype(kind) for size in (701, 94))
    found = convolved(signal, response)
    assert found.dtype == kind
    expected = scipy.signal.convolve(signal, response, method="direct")
    np.testing.assert_allclose(found, expected, atol=20 * np.finfo(kind).eps * 10)
