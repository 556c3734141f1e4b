"""Noises, and how they are added to an utterance at a signal-to-noise ratio."""

import numpy as np

from voxslice.conditions.convolution import fast_length
from voxslice.conditions.speech_level import active_power

LOWEST = 20.0
"""Frequency in Hz below which pink noise does not rise any further."""


def white_noise(samples: int, generator: np.random.Generator) -> np.ndarray:
    """Draw white noise.

    Args:
        samples: number of samples
        generator: source of the noise

    Returns:
        float32 of shape (samples,), of power 1
    """
    return generator.standard_normal(samples, np.float32)


def pink_noise(samples: int, rate: int, generator: np.random.Generator) -> np.ndarray:
    """Draw pink noise, whose power falls by 3 dB per octave.

    Args:
        samples: number of samples
        rate: sampling rate in Hz
        generator: source of the noise

    Returns:
        float32 of shape (samples,)
    """
    return shaped_noise(
        samples, rate, np.array([LOWEST, rate]), np.array([1, LOWEST / rate]), generator
    )


def shaped_noise(
    samples: int,
    rate: int,
    frequencies: np.ndarray,
    powers: np.ndarray,
    generator: np.random.Generator,
) -> np.ndarray:
    """Draw noise with a spectrum.

    Args:
        samples: number of samples
        rate: sampling rate in Hz
        frequencies: ascending positive frequencies in Hz of shape (points,)
        powers: positive spectral density at each frequency, of shape (points,). It is interpolated
            as lines over the logarithms, and constant outside
        generator: source of the noise

    Returns:
        float32 of shape (samples,)
    """
    size = fast_length(samples)
    spectrum = np.fft.rfft(white_noise(size, generator))
    bins = np.fft.rfftfreq(size, 1 / rate)
    bins[0] = frequencies[0]
    density = np.exp(np.interp(np.log(bins), np.log(frequencies), np.log(powers)) / 2)
    spectrum *= density.astype(np.float32)
    spectrum[0] = 0
    noise: np.ndarray = np.fft.irfft(spectrum, size)
    return noise[:samples]


def repeated(noise: np.ndarray, samples: int, generator: np.random.Generator) -> np.ndarray:
    """Repeat a noise from a random place on.

    Args:
        noise: shape (any samples,), not empty
        samples: number of samples
        generator: source of the place

    Returns:
        shape (samples,)
    """
    return np.resize(np.roll(noise, -int(generator.integers(len(noise)))), samples)


def with_noise(signal: np.ndarray, noise: np.ndarray, rate: int, snr: float) -> np.ndarray:
    """Add noise to an utterance.

    The ratio is that of the power while speech is active (ITU-T P.56) to the mean power of the
    noise.

    Args:
        signal: float32 of shape (samples,)
        noise: shape (samples,), not silent
        rate: sampling rate in Hz
        snr: signal-to-noise ratio in dB

    Returns:
        float32 of shape (samples,); values beyond 1 are kept, and a silent signal gets no noise
    """
    wanted = active_power(signal, rate) / 10 ** (snr / 10)
    power = float(np.square(noise, dtype=float).mean())
    return signal + noise * np.float32(np.sqrt(wanted / power))
