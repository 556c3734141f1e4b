"""Level, noise and clipping of an utterance."""

import numpy as np
import pyloudnorm

from voxslice.data.signals import HOP, RATE, frames_of, require_sound
from voxslice.errors import InputError

PAUSES = 10
"""Percentage of the frames that are assumed to be pauses."""
MIN_FRAMES = 20
"""Smallest number of frames for an estimate of the noise."""
PLATEAUS = 2
"""Smallest number of plateaus of a clipped signal. The highest peak of a quiet or slow signal can
be flat as well, but hardly two peaks of the same height."""
STEP = 2.0**-15
"""Step of 16 bits, relative to full scale: samples of a clipped peak differ by at most one step."""


def level(signal: np.ndarray) -> float:
    """Measure the speaking level: the integrated loudness of ITU-R BS.1770-4.

    Pauses do not count. The level depends on how the recording was made.

    Args:
        signal: shape (samples,), at the sampling rate `RATE`

    Returns:
        the level in LUFS: decibels relative to full scale, weighted by frequency as the ear does

    Raises:
        InputError: if the signal is silent, not longer than 0.4 s, or below -70 LUFS
    """
    meter = pyloudnorm.Meter(RATE)
    if len(signal) <= meter.block_size * RATE:
        raise InputError(f"it is not longer than {meter.block_size:g} s")
    require_sound(signal)
    with np.errstate(divide="ignore"):
        loudness = float(meter.integrated_loudness(signal))
    if not np.isfinite(loudness):
        raise InputError("its level is below -70 LUFS")
    return loudness


def snr(signal: np.ndarray) -> float:
    """Estimate the signal-to-noise ratio: the power of the speech relative to that of its pauses.

    The power of the noise is the tenth percentile of the power of frames of 25 ms. The power of the
    speech is the mean power minus that of the noise. The estimate assumes that the noise is steady
    and that a tenth of the utterance are pauses. Reverberation in pauses counts as noise. Frames of
    digital silence do not count.

    Args:
        signal: shape (samples,), at the sampling rate `RATE`

    Returns:
        the ratio in dB

    Raises:
        InputError: if the signal is silent, if less than 0.2 s of it is not digital silence, or if
            nothing in it is louder than the noise
    """
    require_sound(signal)
    frames = frames_of(signal)
    # the variance, so that an offset of the recording is no noise
    power = frames[frames.any(axis=1)].var(axis=1, dtype=float)
    if len(power) < MIN_FRAMES:
        raise InputError(f"less than {MIN_FRAMES * HOP / RATE:g} s of it is not silent")
    noise = np.percentile(power, PAUSES)
    speech = power.mean() - noise
    if noise <= 0 or speech <= 0:
        raise InputError("nothing in it stands out from the noise")
    return float(10 * np.log10(speech / noise))


def clipping(signal: np.ndarray) -> float:
    """Measure clipping: the share of samples that are cut off at the largest or smallest value.

    A signal is clipped if it has plateaus: at least two peaks with two or more successive samples
    at its largest value, or at its smallest one. All samples at that value then count. A recording
    that was made quieter after it was clipped has plateaus too. Clipping is not found any more
    after resampling or lossy compression, because the plateaus are then no longer flat.

    Args:
        signal: shape (samples,), at the sampling rate of its file

    Returns:
        share of the samples, from 0 to 1

    Raises:
        InputError: if the signal is silent
    """
    require_sound(signal)
    return sum(_at_top(side) for side in (signal, -signal)) / len(signal)


def _at_top(signal: np.ndarray) -> int:
    """Number of samples at the largest value; 0 if there are too few plateaus at that value."""
    at_top = signal >= signal.max() - STEP
    edges = np.flatnonzero(np.diff(at_top, prepend=False, append=False))
    plateaus = edges[1::2] - edges[::2] >= 2
    return int(at_top.sum()) if plateaus.sum() >= PLATEAUS else 0
