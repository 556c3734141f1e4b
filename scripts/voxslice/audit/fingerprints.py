"""Fingerprints of audio, which are nearly equal for copies of the same recording."""

import audresample
import numpy as np
import scipy.fft
import scipy.signal

from voxslice.data.signals import frames_of

RATE = 4000
"""Sampling rate in Hz of the audio that is fingerprinted."""
LENGTH, HOP = 1480, 46
"""Length in samples of a frame (0.37 s), and distance of the frames (11.5 ms)."""
SIZE = 2048
"""Length of the Fourier transform in samples."""
LOWEST, HIGHEST = 300, 1900
"""Range in Hz of the bands. It lies within the bandwidth of a telephone."""
BITS = 32
"""Bits of a word, one less than the number of bands."""
LOUD = 10 ** (-20 / 10)
"""Smallest power of a loud frame, relative to the loudest one. The words of other frames describe
noise, which differs between copies."""
BLOCK = 1024
"""Frames that are analysed at a time, so that a long utterance needs no more memory."""

EDGES = np.round(np.geomspace(LOWEST, HIGHEST, BITS + 2) * SIZE / RATE).astype(int)
WINDOW = scipy.signal.get_window("hann", LENGTH).astype(np.float32)
WEIGHTS = (2 ** np.arange(BITS, dtype=np.uint64)).astype(np.uint64)


def fingerprint(signal: np.ndarray, rate: int) -> tuple[np.ndarray, np.ndarray]:
    """Compute the fingerprint of an utterance: one word of 32 bits per frame.

    A bit tells whether the difference in power between two neighbouring bands rises or falls over
    time (Haitsma and Kalker, 2002: "A highly robust audio fingerprinting system"). The words do not
    depend on the level, and hardly on noise or lossy compression. A part of a recording has the
    words of that part.

    Args:
        signal: shape (samples,)
        rate: sampling rate in Hz

    Returns:
        words of type uint32, and whether each frame is loud; both of shape (frames,). There are no
        frames if the utterance is shorter than 0.4 s.
    """
    low = audresample.resample(np.atleast_2d(signal).astype(np.float32), rate, RATE)[0]
    frames = frames_of(low - low.mean(), LENGTH, HOP)
    if len(frames) < 2:
        return np.zeros(0, np.uint32), np.zeros(0, bool)
    parts = []
    for first in range(0, len(frames), BLOCK):
        block = frames[first : first + BLOCK] * WINDOW
        spectrum = np.abs(scipy.fft.rfft(block, SIZE, axis=1)) ** 2
        parts.append(np.add.reduceat(spectrum[:, : EDGES[-1]], EDGES[:-1], axis=1))
    bands = np.concatenate(parts)
    rises = np.diff(np.diff(bands, axis=1), axis=0) < 0
    words = (rises * WEIGHTS).sum(axis=1).astype(np.uint32)
    power = bands[1:].sum(axis=1)
    return words, (power >= LOUD * power.max()) & (power > 0)
