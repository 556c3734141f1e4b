"""What all measures of an utterance share: the sampling rate, frames, and the check for silence."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from voxslice.data.audio import is_silent
from voxslice.errors import InputError

RATE = 16000
"""Sampling rate in Hz at which speech is analysed."""
FRAME, HOP = 400, 160
"""Length in samples of a frame of 25 ms at `RATE`, and distance of the frames (10 ms)."""
SILENT = "it is silent"
"""Reason why silence has no measure."""


def require_sound(signal: np.ndarray) -> None:
    """Check that a signal is not silent.

    Args:
        signal: shape (samples,), not empty

    Raises:
        InputError: if the signal is silent
    """
    if is_silent(signal):
        raise InputError(SILENT)


def frames_of(signal: np.ndarray, length: int = FRAME, hop: int = HOP) -> np.ndarray:
    """Divide a signal into overlapping frames, without a copy.

    Args:
        signal: shape (samples,)
        length: length of a frame in samples
        hop: distance of the starts of two frames in samples

    Returns:
        shape (frames, length); no frames if the signal is shorter than one frame
    """
    if len(signal) < length:
        return np.zeros((0, length), signal.dtype)
    return sliding_window_view(signal, length)[::hop]
