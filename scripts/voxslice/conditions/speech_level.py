"""Active speech level: the level of an utterance while somebody speaks."""

import numpy as np
import scipy.ndimage

from voxslice.conditions.convolution import convolved

SMOOTHING = 0.03
"""Time constant of the envelope in seconds."""
MEMORY = 0.6
"""Seconds after which the envelope has forgotten a sound: less than a millionth of it is left."""
HANGOVER = 0.2
"""Seconds for which speech counts as active after its envelope has fallen below the threshold."""
MARGIN = 15.9
"""Distance in dB of the threshold below the active speech level."""


def active_power(signal: np.ndarray, rate: int) -> float:
    """Measure the mean power of a signal while speech is active, as ITU-T P.56 (method B) does.

    The envelope is the absolute value, smoothed twice. Speech is active if the envelope is above a
    threshold, and for 0.2 s afterwards. The threshold is the one that lies 15.9 dB below the
    resulting level. The standard interpolates between thresholds that are powers of two; here all
    values of the envelope are thresholds, so that nothing has to be interpolated.

    Args:
        signal: shape (samples,), not empty
        rate: sampling rate in Hz

    Returns:
        the power relative to full scale. If no threshold fits, as for a single click, it is the
        mean power of the whole signal
    """
    total = float(np.square(signal, dtype=float).sum())
    if total == 0:
        return 0.0
    decay = np.exp(-1 / (SMOOTHING * rate))
    times = np.arange(round(MEMORY * rate))
    twice = (1 - decay) ** 2 * (times + 1) * decay**times  # impulse response of both smoothings
    envelope = convolved(np.abs(signal), twice)[: len(signal)]
    window = round(HANGOVER * rate) + 1
    # the maximum of this sample and those of the last 0.2 s
    held = scipy.ndimage.maximum_filter1d(
        envelope, window, mode="constant", cval=0, origin=(window - 1) // 2
    )
    thresholds = np.sort(held)
    active = len(held) - np.arange(len(held))  # samples at or above each threshold
    powers = total / active
    fits = powers <= thresholds**2 * 10 ** (MARGIN / 10)
    return float(powers[fits.argmax()]) if fits.any() else total / len(signal)
