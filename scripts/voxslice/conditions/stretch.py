"""Change the pitch or the speed of speech without changing the other."""

import numpy as np
from python_stretch.Signalsmith import Stretch

from voxslice.conditions.effects import fitted


def stretched(
    signal: np.ndarray, rate: int, *, semitones: float = 0, speed: float = 1
) -> np.ndarray:
    """Shift the pitch or stretch the time of a signal, with Signalsmith Stretch.

    The formants move with the pitch. A shift by 0 at speed 1 is the processing alone.

    Args:
        signal: float32 of shape (samples,), not empty
        rate: sampling rate in Hz
        semitones: shift of the pitch
        speed: factor of the speaking rate; above 1 the signal becomes shorter

    Returns:
        float32 of shape (samples / speed,), not delayed
    """
    stretch = Stretch()
    stretch.preset(1, rate)
    stretch.setTransposeSemitones(semitones)
    stretch.timeFactor = speed
    changed = np.asarray(stretch.process(signal[np.newaxis]), np.float32)[0]
    return fitted(changed, max(1, round(len(signal) / speed)))
