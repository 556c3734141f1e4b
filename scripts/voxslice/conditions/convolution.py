"""Filters that are computed with the Fourier transform.

The module does not import `scipy.signal`, which takes longer to import than a short job needs.
"""

from collections.abc import Callable

import numpy as np
import scipy.fft


def convolved(signal: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Filter a signal by an impulse response.

    Args:
        signal: shape (samples,)
        response: shape (any samples,)

    Returns:
        shape (samples of both - 1,), in the more exact type of the two
    """
    length = len(signal) + len(response) - 1
    size = scipy.fft.next_fast_len(length, real=True)
    product = scipy.fft.rfft(signal, size) * scipy.fft.rfft(response, size)
    convolution: np.ndarray = scipy.fft.irfft(product, size)
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
    size = scipy.fft.next_fast_len(len(signal) + round(margin * rate), real=True)
    spectrum = scipy.fft.rfft(signal, size)
    spectrum *= gain(np.fft.rfftfreq(size, 1 / rate)).astype(np.float32)
    changed: np.ndarray = scipy.fft.irfft(spectrum, size)
    return changed[: len(signal)]
