"""Bandwidth of an utterance: the highest frequency that a recording transmits."""

import numpy as np
import scipy.fft
import scipy.signal

from voxslice.data.signals import frames_of, require_sound
from voxslice.errors import InputError

SECONDS = 0.03
"""Smallest duration of a frame of the long-term spectrum."""
SMOOTHED = 125
"""Width in Hz over which the spectrum is averaged."""
RANGE = 55
"""Level in dB below the maximum of the spectrum at which the transmitted band ends."""
ROUNDING = 2.0**-30 / 12
"""Power of the rounding errors of 16 bits, relative to full scale."""
ABOVE_ROUNDING = 10
"""Level in dB above the rounding errors from which on a frequency counts as transmitted."""
TELEPHONE, WIDEBAND = 4500, 8500
"""Largest limit in Hz of telephone and of wideband audio. Telephone audio has a sampling rate of
8 kHz and so a limit of at most 4 kHz, wideband audio 16 kHz and 8 kHz (ITU-T G.712 and G.722)."""
BLOCK = 1024
"""Frames that are analysed at a time, so that a long utterance needs no more memory."""


def bandwidth_hz(signal: np.ndarray, rate: int) -> float:
    """Measure the bandwidth: the highest frequency that the recording transmits.

    It is the highest frequency at which the long-term average spectrum (Welch's method) is at most
    55 dB below its maximum. A signal that once had a lower sampling rate keeps its limit when it is
    stored at a higher one.

    Args:
        signal: shape (samples,)
        rate: sampling rate in Hz, as in the file

    Returns:
        the frequency in Hz

    Raises:
        InputError: if the signal is silent, or shorter than a frame
    """
    require_sound(signal)
    length = 1 << int(np.ceil(np.log2(rate * SECONDS)))
    frames = frames_of(signal, length, length // 2)
    if not len(frames):
        raise InputError(f"it is shorter than {length / rate:g} s")
    window = scipy.signal.get_window("hann", length).astype(np.float32)
    power = np.zeros(length // 2 + 1)
    for first in range(0, len(frames), BLOCK):
        block = frames[first : first + BLOCK]
        centred = block - block.mean(axis=1, keepdims=True)  # an offset is no sound
        power += (np.abs(scipy.fft.rfft(centred * window, axis=1)) ** 2).sum(axis=0, dtype=float)
    power /= len(frames)
    width = max(1, round(SMOOTHED * length / rate))
    smooth = np.convolve(power, np.ones(width) / width, mode="same")
    rounding = ROUNDING * float((window**2).sum()) * 10 ** (ABOVE_ROUNDING / 10)
    least = max(smooth.max() * 10 ** (-RANGE / 10), min(rounding, smooth.max()))
    return float(np.flatnonzero(smooth >= least)[-1] * rate / length)


def bandwidth(signal: np.ndarray, rate: int) -> str:
    """Classify the bandwidth of a recording.

    Args:
        signal: shape (samples,)
        rate: sampling rate in Hz, as in the file

    Returns:
        `telephone` up to 4.5 kHz, `wideband` up to 8.5 kHz, or `full`

    Raises:
        InputError: if the signal is silent, or shorter than a frame
    """
    limit = bandwidth_hz(signal, rate)
    if limit <= TELEPHONE:
        return "telephone"
    return "wideband" if limit <= WIDEBAND else "full"
