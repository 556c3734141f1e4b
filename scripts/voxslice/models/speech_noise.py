"""Noise that resembles speech, to run models without a recording."""

import numpy as np


def speech_like(seconds: float, sampling_rate: int, seed: int) -> np.ndarray:
    """Noise that resembles speech: it falls by 6 dB per octave and swells like syllables.

    Args:
        seconds: Duration.
        sampling_rate: Sampling rate in Hz.
        seed: Seed of the noise.

    Returns:
        float32 of shape (1, samples), between -1 and 1.
    """
    samples = max(1, round(seconds * sampling_rate))
    generator = np.random.default_rng(seed)
    spectrum = np.fft.rfft(generator.standard_normal(samples))
    spectrum /= np.maximum(np.fft.rfftfreq(samples, 1 / sampling_rate), 100)
    syllables = 1 - np.cos(2 * np.pi * 4 * np.arange(samples) / sampling_rate)  # four per second
    signal = np.fft.irfft(spectrum, samples) * (0.1 + syllables)
    peak = np.abs(signal).max()
    return (0.5 * signal / peak if peak else signal).astype(np.float32)[np.newaxis]
