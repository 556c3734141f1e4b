"""Voice activity: which parts of an utterance are speech."""

import numpy as np
import scipy.special

from voxslice.data.bands import EDGES, SIZE, band_powers
from voxslice.data.signals import FRAME, RATE, frames_of, require_sound
from voxslice.errors import InputError

PAUSES = 10
"""Percentage of the frames that are assumed to be pauses."""
QUIETEST = 10 ** (-60 / 10)
"""Smallest power of noise in a band, relative to the maximum of all bands."""
SPEECH = 0.5
"""Mean logarithm of the likelihood ratio from which on a frame is speech."""
MIN_FRAMES = 20
"""Smallest number of frames for an estimate of the noise."""

FREEDOM = 2 * np.maximum(np.diff(EDGES) * RATE / SIZE / (1.5 * RATE / FRAME), 1)
"""Degrees of freedom of the power of noise in each band. A Hann window passes 1.5 bins of noise."""
BIAS = FREEDOM / scipy.special.chdtri(FREEDOM, 1 - PAUSES / 100)
"""Mean power of noise in each band divided by its tenth percentile (chi-squared distribution)."""


def speech_frames(signal: np.ndarray) -> np.ndarray:
    """Find the frames of 25 ms that are speech, one frame per 10 ms.

    The test is the likelihood ratio of Sohn, Kim and Sung (1999: "A statistical model-based voice
    activity detection"): the logarithm of the ratio is averaged over frequency bands, with the
    maximum likelihood estimate of the speech in each band. The noise of a band is estimated from
    its quietest tenth, so that it has to be steady, and a tenth of the utterance has to be pauses.
    The method has no training data.

    Args:
        signal: shape (samples,), at the sampling rate `RATE`

    Returns:
        boolean of shape (frames,)

    Raises:
        InputError: if the signal is silent, or if less than 0.2 s of it is not digital silence
    """
    require_sound(signal)
    frames = frames_of(signal)
    bands = band_powers(signal)
    sounds = frames.any(axis=1)
    if sounds.sum() < MIN_FRAMES:
        raise InputError("less than 0.2 s of it is not silent")
    noise = BIAS * np.percentile(bands[sounds], PAUSES, axis=0)
    ratio = np.maximum(bands / np.maximum(noise, QUIETEST * bands.max()), 1)
    return np.asarray((ratio - 1 - np.log(ratio)).mean(axis=1) >= SPEECH)


def speech_share(signal: np.ndarray) -> float:
    """Measure the share of an utterance that is speech, see `speech_frames`.

    Args:
        signal: shape (samples,), at the sampling rate `RATE`

    Returns:
        share of the frames, from 0 to 1

    Raises:
        InputError: if the signal is silent, or if less than 0.2 s of it is not digital silence
    """
    return float(speech_frames(signal).mean())
