"""Changes of a signal that need neither noise nor a codec: level, clipping, band and duration."""

from collections.abc import Sequence

import numpy as np
import scipy.signal

ORDER = 10
"""Order of the filter of a band. It runs forwards and backwards, which doubles the order."""


def amplified(signal: np.ndarray, decibels: float) -> np.ndarray:
    """Change the level of a signal.

    Args:
        signal: float32 of shape (samples,)
        decibels: change of the level in dB; 0 changes nothing

    Returns:
        float32 of shape (samples,); values above 1 are kept
    """
    return signal * np.float32(10 ** (decibels / 20))


def clipped(signal: np.ndarray, share: float) -> np.ndarray:
    """Clip a share of the samples of a signal.

    Args:
        signal: float32 of shape (samples,), not empty
        share: share of the samples, from 0 to less than 1

    Returns:
        float32 of shape (samples,). The largest samples have the absolute value that the given
        share of all samples exceeds
    """
    limit = np.quantile(np.abs(signal), 1 - share)
    return signal.clip(-limit, limit)


def band_limited(signal: np.ndarray, rate: int, band: Sequence[float]) -> np.ndarray:
    """Remove the frequencies of a signal outside of a band, without delay.

    Args:
        signal: float32 of shape (samples,)
        rate: sampling rate in Hz
        band: lowest and highest frequency in Hz. A lowest frequency of 0, and a highest one from
            half of the sampling rate on, limit nothing

    Returns:
        float32 of shape (samples,)
    """
    low, high = band
    edges = [edge for edge in (low, high) if 0 < edge < rate / 2]
    if low >= rate / 2:
        return np.zeros_like(signal)
    if not edges:
        return signal
    kind = "bandpass" if len(edges) == 2 else "lowpass" if edges[0] == high else "highpass"
    filters = scipy.signal.butter(ORDER, edges, kind, fs=rate, output="sos")
    padding = min(len(signal) - 1, round(rate / 10))
    filtered = scipy.signal.sosfiltfilt(filters, signal, padlen=padding)
    return filtered.astype(np.float32)


def cropped(signal: np.ndarray, rate: int, seconds: float) -> np.ndarray:
    """Keep the middle of a signal.

    Args:
        signal: shape (samples,)
        rate: sampling rate in Hz
        seconds: duration that is kept

    Returns:
        shape (samples,); the signal itself if it is not longer
    """
    count = max(1, round(seconds * rate))
    first = max(0, (len(signal) - count) // 2)
    return signal[first : first + count]


def fitted(signal: np.ndarray, samples: int) -> np.ndarray:
    """Cut a signal at its end, or add silence there.

    Args:
        signal: float32 of shape (any number of samples,)
        samples: number of samples of the result

    Returns:
        float32 of shape (samples,)
    """
    return np.pad(signal[:samples], (0, max(0, samples - len(signal))))
