"""A folder of recordings: noises, or impulse responses of rooms."""

import functools
from collections.abc import Callable
from pathlib import Path

import numpy as np

from voxslice.conditions.noises import repeated
from voxslice.data.audio import Audio, is_silent, read_audio, resampled, seconds
from voxslice.errors import InputError

TRIALS = 10
"""Parts of recordings that are tried until one is not silent."""
LONGEST_RESPONSE = 20.0
"""Longest impulse response in s; a longer one is cut off."""


class Recordings:
    """The recordings of a folder, and random parts of them.

    Args:
        folder: folder whose files are read, also those in folders inside of it

    Raises:
        InputError: if no file of the folder can be read as audio
    """

    def __init__(self, folder: str | Path) -> None:
        paths = sorted(path for path in Path(folder).rglob("*") if path.is_file())
        durations = [seconds(path) for path in paths]
        self._files = [
            (path, duration)
            for path, duration in zip(paths, durations, strict=True)
            if duration > 0
        ]
        if not self._files:
            raise InputError(
                f"no file in the folder {Path(folder).name} can be read as audio: name a folder of"
                " recordings"
            )
        self.response: Callable[[int, int], np.ndarray] = functools.cache(self._response)

    def noise(self, samples: int, rate: int, generator: np.random.Generator) -> np.ndarray:
        """Draw a part of a recording. A recording that is too short is repeated.

        Args:
            samples: number of samples
            rate: sampling rate in Hz
            generator: source of the draw

        Returns:
            float32 of shape (samples,)

        Raises:
            InputError: if only silence is drawn
        """
        wanted = samples / rate
        for _ in range(TRIALS):
            path, duration = self._files[generator.integers(len(self._files))]
            first = generator.uniform(0, max(0.0, duration - wanted))
            audio = read_audio(path, first, min(duration, first + wanted))
            if not is_silent(audio.signal):
                part = resampled(audio, rate)[0]
                return (
                    part[:samples] if len(part) >= samples else repeated(part, samples, generator)
                )
        raise InputError("the recordings of noise are silent")

    def draw_response(self, rate: int, generator: np.random.Generator) -> np.ndarray:
        """Draw an impulse response.

        Args:
            rate: sampling rate in Hz
            generator: source of the draw

        Returns:
            float32 of shape (any samples,), from its first channel

        Raises:
            InputError: if the recording is silent
        """
        return self.response(int(generator.integers(len(self._files))), rate)

    def _response(self, number: int, rate: int) -> np.ndarray:
        path, duration = self._files[number]
        audio = read_audio(path, 0, min(duration, LONGEST_RESPONSE))
        if audio.silence:
            raise InputError(f"the impulse response {path.name} is silent")
        response: np.ndarray = resampled(Audio(audio.signal, audio.rate), rate)[0]
        return response
