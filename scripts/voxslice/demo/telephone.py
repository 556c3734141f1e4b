"""A telephone line, which transmits no sound above 4 kHz."""

import io

import audresample
import numpy as np
import soundfile

RATE = 8000
"""Sampling rate in Hz of a telephone line."""


def over_telephone(signal: np.ndarray, rate: int, codec: str = "ULAW") -> np.ndarray:
    """Send a signal over a digital telephone line.

    The signal is resampled to 8 kHz, encoded, decoded, and resampled back. It keeps its sampling
    rate and about its length, but nothing above 4 kHz is left of it.

    Args:
        signal: Mono signal of shape (samples,) in [-1, 1].
        rate: Sampling rate of the signal in Hz.
        codec: `ULAW` or `ALAW` (ITU-T G.711), or `GSM610` (GSM full rate).

    Returns:
        float32 array of shape (samples,), at the same sampling rate.
    """
    sent = audresample.resample(signal[np.newaxis], rate, RATE)[0]
    coded = io.BytesIO()
    soundfile.write(coded, sent.clip(-1, 1), RATE, format="WAV", subtype=codec)
    coded.seek(0)
    received, _ = soundfile.read(coded, dtype="float32")
    return audresample.resample(received[np.newaxis], RATE, rate)[0]
