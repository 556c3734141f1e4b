"""Active speech level: the level of an utterance while somebody speaks."""

import numpy as np

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
    held = _running_maximum(envelope, window)
    thresholds = np.sort(held)
    active = len(held) - np.arange(len(held))  # samples at or above each threshold
    powers = total / active
    fits = powers <= thresholds**2 * 10 ** (MARGIN / 10)
    return float(powers[fits.argmax()]) if fits.any() else total / len(signal)


def _running_maximum(values: np.ndarray, window: int) -> np.ndarray:
    """The maximum of each value and those before it.

    A window reaches over the end of one block of its length and the beginning of the next one (van
    Herk, Pattern Recognition Letters 13 (1992), 517-521).

    Args:
        values: shape (samples,), at least 0
        window: number of values of which the maximum is taken

    Returns:
        shape (samples,)
    """
    blocks = np.pad(values, (0, -len(values) % window)).reshape(-1, window)
    since_begin = np.maximum.accumulate(blocks, axis=1).ravel()
    until_end = np.maximum.accumulate(blocks[:, ::-1], axis=1)[:, ::-1].ravel()
    earlier = np.concatenate([np.zeros(window - 1, values.dtype), until_end])
    held: np.ndarray = np.maximum(since_begin, earlier[: len(since_begin)])[: len(values)]
    return held
