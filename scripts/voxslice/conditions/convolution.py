"""Filters that are computed with the Fourier transform.

The room uses no SciPy where the audio of a condition is made. SciPy takes a quarter of the time in
which such a job starts.
"""

from collections.abc import Callable

import numpy as np

ODD = [3**threes * 5**fives for threes in range(21) for fives in range(15)]
"""Products of 3 and 5. Powers of two of them are lengths whose Fourier transform is fast."""


def fast_length(samples: int) -> int:
    """Choose the length of a Fourier transform.

    Args:
        samples: number of samples that are transformed, at least 1

    Returns:
        the smallest number from `samples` on without a prime factor above 5
    """
    return min(odd << (-(-samples // odd) - 1).bit_length() for odd in ODD)


def convolved(signal: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Filter a signal by an impulse response.

    Args:
        signal: shape (samples,)
        response: shape (any samples,)

    Returns:
        shape (samples of both - 1,), in the more exact type of the two
    """
    length = len(signal) + len(response) - 1
    size = fast_length(length)
    product = np.fft.rfft(signal, size) * np.fft.rfft(response, size)
    convolution: np.ndarray = np.fft.irfft(product, size)
    return convolution[:length]


def filtered(
    signal: np.ndarray, rate: int, gain: Callable[[np.ndarray], np.ndarray], *, margin: float
) -> np.ndarray:
    """Change the spectrum of a signal without delay.

    Args:
        signal: float32 of shape (samples,)
        rate: sampling rate in Hz
        gain: function that returns the factor of each frequency in Hz
        margin: seconds of silence that are added, so that the end does not reach the beginning

    Returns:
        float32 of shape (samples,)
    """
    size = fast_length(len(signal) + round(margin * rate))
    spectrum = np.fft.rfft(signal, size)
    spectrum *= gain(np.fft.rfftfreq(size, 1 / rate)).astype(np.float32)
    changed: np.ndarray = np.fft.irfft(spectrum, size)
    return changed[: len(signal)]
