"""Pitch of the voice in an utterance."""

import numpy as np
import scipy.fft
import scipy.signal

from voxslice.data.signals import RATE, frames_of, require_sound
from voxslice.errors import InputError

LOWEST, HIGHEST = 60, 600
"""Range in Hz in which the pitch is searched: from low voices of men to cries of children."""
LENGTH, DISTANCE = 1024, 320
"""Length in samples of a frame (64 ms), and distance of the frames (20 ms)."""
VOICED = 0.6
"""Smallest correlation of a voiced frame with itself one period later. Boersma (1993) uses 0.45
and a later step that smooths over time. Without that step, this value agrees best with pYIN."""
LOUD = 10 ** (-20 / 10)
"""Smallest power of a frame that can be voiced, relative to the loudest frame."""
OCTAVE_COST = 0.05
"""Correlation that a period loses when it is twice as long. Without it, two periods of a voice
would be as good as one."""
BLOCK = 1024
"""Frames that are analysed at a time, so that a long utterance needs no more memory."""

SIZE = scipy.fft.next_fast_len(LENGTH + RATE // LOWEST + 2, real=True)
"""Length of the Fourier transform in samples: periods up to the longest one do not overlap."""
PERIODS = np.arange(RATE // HIGHEST, RATE // LOWEST + 1)
"""Periods in samples that are compared."""
WINDOW = scipy.signal.get_window("hann", LENGTH).astype(np.float32)


def _autocorrelation(frames: np.ndarray) -> np.ndarray:
    """Autocorrelation of frames, shape (frames, periods), from 0 to one more than the longest."""
    spectrum = scipy.fft.rfft(frames, SIZE, axis=-1)
    return scipy.fft.irfft(np.abs(spectrum) ** 2, SIZE, axis=-1)[..., : PERIODS[-1] + 2]


OF_WINDOW = _autocorrelation(WINDOW)
OF_WINDOW /= OF_WINDOW[0]


def pitch(signal: np.ndarray) -> float:
    """Measure the pitch of the voice: the median fundamental frequency of the voiced frames.

    In each loud frame, the fundamental period is the maximum of the autocorrelation, which is
    divided by the autocorrelation of the window (Boersma, 1993: "Accurate short-term analysis of
    the fundamental frequency and the harmonics-to-noise ratio of a sampled sound"). A frame is
    voiced if the maximum is high enough.

    Args:
        signal: shape (samples,), at the sampling rate `RATE`

    Returns:
        the pitch in Hz

    Raises:
        InputError: if the signal is silent or too short, or if no frame is voiced
    """
    if len(signal) < LENGTH:
        raise InputError(f"it is shorter than {LENGTH / RATE:g} s")
    require_sound(signal)
    frames = frames_of(signal - signal.mean(), LENGTH, DISTANCE)
    power = np.einsum("ij,ij->i", frames, frames)
    loud = np.flatnonzero(power >= LOUD * power.max())
    found = [
        _frequencies(frames[loud[first : first + BLOCK]]) for first in range(0, len(loud), BLOCK)
    ]
    frequencies = np.concatenate(found)
    if not len(frequencies):
        raise InputError("no part of it is voiced")
    return float(np.median(frequencies))


def _frequencies(frames: np.ndarray) -> np.ndarray:
    """Fundamental frequencies in Hz of the voiced ones among some frames."""
    centred = frames - frames.mean(axis=1, keepdims=True)  # an offset repeats after any period
    correlation = _autocorrelation(centred * WINDOW)
    correlation /= np.maximum(correlation[:, :1], np.finfo(np.float32).tiny) * OF_WINDOW
    inside = correlation[:, PERIODS]
    is_peak = (inside > correlation[:, PERIODS - 1]) & (inside >= correlation[:, PERIODS + 1])
    cost = OCTAVE_COST * np.log2(PERIODS / PERIODS[0]).astype(np.float32)
    best = np.where(is_peak, inside - cost, -np.inf).argmax(axis=1)
    rows = np.arange(len(frames))
    voiced = is_peak[rows, best] & (inside[rows, best] >= VOICED)
    rows, period = rows[voiced], PERIODS[best[voiced]]
    before, peak, after = (correlation[rows, period + shift].astype(float) for shift in (-1, 0, 1))
    # the maximum of the parabola through three values
    return RATE / (period + (before - after) / (before - 2 * peak + after) / 2)
