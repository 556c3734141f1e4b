"""Power of an utterance in frequency bands over time."""

import numpy as np
import scipy.fft
import scipy.signal

from voxslice.data.signals import FRAME, RATE, frames_of

SIZE = 512
"""Length of the Fourier transform in samples."""
LOWEST, HIGHEST = 90, 6400
"""Range in Hz of the bands."""
BANDS = 18
BLOCK = 1024
"""Frames that are analysed at a time, so that a long utterance needs little more memory."""

EDGES = np.unique(np.round(np.geomspace(LOWEST, HIGHEST, BANDS + 1) * SIZE / RATE).astype(int))
"""First bin of the Fourier transform in each band, and the first bin above the last band."""
EDGES_HZ = EDGES * RATE / SIZE
"""The same edges in Hz."""
WINDOW = scipy.signal.get_window("hann", FRAME).astype(np.float32)


def band_powers(signal: np.ndarray) -> np.ndarray:
    """Compute the mean power of each band in each frame of 25 ms, one frame per 10 ms.

    Args:
        signal: shape (samples,), at the sampling rate `RATE`

    Returns:
        shape (frames, bands)
    """
    frames = frames_of(signal)
    powers = np.empty((len(frames), len(EDGES) - 1), np.float32)
    for first in range(0, len(frames), BLOCK):
        block = frames[first : first + BLOCK]
        spectrum = np.abs(scipy.fft.rfft(block * WINDOW, SIZE, axis=1)) ** 2
        summed = np.add.reduceat(spectrum[:, : EDGES[-1]], EDGES[:-1], axis=1)
        powers[first : first + BLOCK] = summed / np.diff(EDGES)
    return powers
