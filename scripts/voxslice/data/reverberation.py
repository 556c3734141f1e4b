"""Reverberation of an utterance: how much slower its sound decays than it rises."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from voxslice.data.bands import EDGES_HZ, band_powers
from voxslice.data.signals import HOP, RATE, require_sound
from voxslice.errors import InputError

LOWEST, HIGHEST = 200, 3800
"""Range in Hz of the bands that are analysed. It lies within the bandwidth of a telephone."""
LENGTH = 10
"""Frames in which the change of the level is measured (100 ms)."""
QUIETEST = 40
"""Level in dB below the maximum of a band at which a change no longer counts: it may be noise."""
SILENCE = 60
"""Level in dB below the maximum of a band to which lower levels are raised."""
MIN_CHANGES = 20
"""Smallest number of rises, and of decays, for an estimate."""


def reverberation(signal: np.ndarray) -> float:
    """Measure reverberation: how much slower the level of bands decays than it rises.

    In a room, sound goes on after its source has stopped, so that levels decay more slowly, whereas
    they rise as fast as without a room. The method fits a line to the logarithmic level in each
    window of 100 ms of each frequency band, as Wen, Habets and Naylor (2008: "Blind estimation of
    reverberation time based on the distribution of signal decay rates") do. They use the mean
    square of the decays. Here, the mean square of the rises is divided by it, so that noise and the
    manner of speaking have less influence. The method has no training data.

    Args:
        signal: shape (samples,), at the sampling rate `RATE`

    Returns:
        the ratio in dB: about 0 without reverberation, 4 for a reverberation time of 0.3 s, and 6
        for 0.6 s. Noise makes it smaller.

    Raises:
        InputError: if the signal is silent, or if its level hardly rises or decays
    """
    require_sound(signal)
    inside = (EDGES_HZ[:-1] >= LOWEST) & (EDGES_HZ[1:] <= HIGHEST)
    powers = band_powers(signal)[:, inside]
    if len(powers) < LENGTH:
        raise InputError(f"it is shorter than {(LENGTH + 2) * HOP / RATE:g} s")
    top = np.maximum(powers.max(axis=0), np.finfo(np.float32).tiny)
    levels = 10 * np.log10(np.maximum(powers / top, 10 ** (-SILENCE / 10)))
    windows = sliding_window_view(levels, LENGTH, axis=0)
    times = (np.arange(LENGTH) - (LENGTH - 1) / 2) * HOP / RATE
    slopes = (windows @ (times / (times**2).sum()))[windows.mean(axis=2) > -QUIETEST]
    rises, decays = slopes[slopes > 0], slopes[slopes < 0]
    if min(len(rises), len(decays)) < MIN_CHANGES:
        raise InputError("its level hardly rises or decays")
    return float(10 * np.log10((rises**2).mean() / (decays**2).mean()))
