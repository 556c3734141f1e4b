"""Sounds whose pitch, level and noise are known."""

import numpy as np
import scipy.signal
from voxslice.data.signals import RATE


def times(seconds):
    """Return the times of samples in seconds."""
    return np.arange(round(seconds * RATE)) / RATE


def voice(frequency, seconds=1.0, harmonics=8):
    """Return a sound with the harmonics of a voice, whose frequency may change."""
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(frequency, round(seconds * RATE))) / RATE
    parts = [np.sin(n * phase) / n for n in range(1, harmonics + 1)]
    return (0.1 * sum(parts)).astype(np.float32)


def hiss(seconds, seed=0):
    """Return white noise with a standard deviation of 1."""
    return np.random.default_rng(seed).normal(size=round(seconds * RATE)).astype(np.float32)


def spoken(frequency=150, seconds=2.0):
    """Return a voice that pauses for half of each half second."""
    return voice(frequency, seconds) * (times(seconds) % 0.5 < 0.25)


def reverberated(signal, seconds, seed=0):
    """Return a signal in a room: exponentially decaying noise follows the direct sound.

    The noise has the power of the direct sound. `seconds` is the reverberation time: the time in
    which the noise decays by 60 dB.
    """
    tail = hiss(1.2 * seconds, seed) * 10 ** (-3 * times(1.2 * seconds) / seconds)
    response = tail / np.sqrt((tail**2).sum())
    response[0] = 1
    return scipy.signal.fftconvolve(signal, response)[: len(signal)].astype(np.float32)
