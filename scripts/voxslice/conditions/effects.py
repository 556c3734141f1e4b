"""Changes of a signal without noise or codec: level, clipping, band, room and duration."""

from collections.abc import Sequence

import numpy as np

from voxslice.conditions.convolution import convolved, filtered

ORDER = 10
"""Order of the Butterworth filters of a band."""
MARGIN = 0.2
"""Seconds of silence after a signal that is filtered; the response of the filters is shorter."""


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

    def gain(frequencies: np.ndarray) -> np.ndarray:
        """Butterworth filters, once forwards and once backwards."""
        factors = np.ones_like(frequencies)
        if low:
            factors[0] = 0
            factors[1:] /= 1 + (low / frequencies[1:]) ** (2 * ORDER)
        if high < rate / 2:
            factors /= 1 + (frequencies / high) ** (2 * ORDER)
        return factors

    return filtered(signal, rate, gain, margin=MARGIN)


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


def in_room(signal: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Play a signal in a room.

    Args:
        signal: float32 of shape (samples,)
        response: impulse response, float32 of shape (any samples,), at the same sampling rate

    Returns:
        float32 of shape (samples,) with the mean power of the signal. The direct sound, which is
        the largest sample of the response, is not delayed; what sounds after the end is cut off
    """
    direct = int(np.abs(response).argmax())
    played = convolved(signal, response)
    played = played[direct : direct + len(signal)]
    before, after = (float(np.square(part, dtype=float).sum()) for part in (signal, played))
    return played * np.float32(np.sqrt(before / after)) if after else played


def fitted(signal: np.ndarray, samples: int) -> np.ndarray:
    """Cut a signal at its end, or add silence there.

    Args:
        signal: float32 of shape (any number of samples,)
        samples: number of samples of the result

    Returns:
        float32 of shape (samples,)
    """
    return np.pad(signal[:samples], (0, max(0, samples - len(signal))))
