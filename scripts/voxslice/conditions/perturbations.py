"""Perturbations: functions that change the audio of an utterance for a condition or a probe."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from voxslice.conditions.codecs import through_codec
from voxslice.conditions.effects import amplified, band_limited, clipped, cropped, in_room
from voxslice.conditions.noises import pink_noise, shaped_noise, white_noise, with_noise
from voxslice.conditions.recordings import Recordings
from voxslice.conditions.stretch import stretched
from voxslice.conditions.talkers import Talkers
from voxslice.data.audio import Audio

Row = tuple[str, float, float]
"""Key of an utterance: file, start and end in seconds."""
Change = Callable[[np.ndarray, int, Row], np.ndarray]
"""Changes a signal of shape (samples,) at a sampling rate in Hz, which belongs to an utterance."""
KINDS = ("codec", "noise", "room", "gain", "clip", "band", "crop", "pitch", "speed")
"""Keys of a condition or a probe, each of which has exactly one of them."""


class Perturbation:
    """Change the audio of utterances as a condition or a probe says.

    The result depends on the condition, the seed and the utterance, and on nothing else: not on
    other utterances that are changed, on their order, or on threads. Noise and rooms are drawn by a
    generator of the utterance and the condition. The audio keeps its sampling rate, so that the
    result does not depend on a model.

    Args:
        settings: settings of the condition or probe, as in the config
        condition: id of the condition or probe
        seed: seed of the config
        audio: folder that the files are relative to
        talkers: what `voxslice.conditions.talkers.choose_talkers` returned; only babble and
            speech-shaped noise need it
        recordings: folder of noises or impulse responses; only other noises, and rooms, need it

    Raises:
        InputError: if no file in the folder of recordings can be read
    """

    def __init__(
        self,
        settings: Mapping[str, Any],
        *,
        condition: str,
        seed: int,
        audio: str | Path,
        talkers: pd.DataFrame | None = None,
        recordings: str | Path | None = None,
    ) -> None:
        self._settings = settings
        self._entropy = (seed, _number(condition))
        self._talkers = None if talkers is None else Talkers(talkers, audio)
        self._recordings = None if recordings is None else Recordings(recordings)
        [kind] = [kind for kind in KINDS if kind in settings]
        self._change: Change = getattr(self, f"_{kind}")

    def __call__(self, audio: Audio, row: Row) -> Audio:
        """Change the audio of an utterance.

        Args:
            audio: audio of the utterance
            row: key of the utterance

        Returns:
            the changed audio with the same sampling rate; only `crop` and `speed` change the number
            of samples

        Raises:
            InputError: if the noise of the condition cannot be made for this utterance
        """
        return audio._replace(signal=self._change(audio.signal, audio.rate, row))

    def _generator(self, row: Row) -> np.random.Generator:
        seed, condition = self._entropy
        return np.random.default_rng([seed, _number(repr(row)), condition])

    def _codec(self, signal: np.ndarray, rate: int, row: Row) -> np.ndarray:
        return through_codec(signal, rate, self._settings["codec"], self._settings.get("kbps"))

    def _noise(self, signal: np.ndarray, rate: int, row: Row) -> np.ndarray:
        kind, samples, generator = self._settings["noise"], len(signal), self._generator(row)
        if self._recordings is not None:
            noise = self._recordings.noise(samples, rate, generator)
        elif kind == "white":
            noise = white_noise(samples, generator)
        elif kind == "pink":
            noise = pink_noise(samples, rate, generator)
        elif self._talkers is None:
            raise ValueError(f"the noise {kind} needs talkers")
        elif kind == "babble":
            noise = self._talkers.babble(row, samples, rate, generator)
        else:
            noise = shaped_noise(samples, rate, *self._talkers.spectrum(rate), generator)
        return with_noise(signal, noise, rate, self._settings["snr"])

    def _room(self, signal: np.ndarray, rate: int, row: Row) -> np.ndarray:
        if self._recordings is None:
            raise ValueError("a room needs impulse responses")
        return in_room(signal, self._recordings.draw_response(rate, self._generator(row)))

    def _gain(self, signal: np.ndarray, rate: int, row: Row) -> np.ndarray:
        return amplified(signal, self._settings["gain"])

    def _clip(self, signal: np.ndarray, rate: int, row: Row) -> np.ndarray:
        return clipped(signal, self._settings["clip"])

    def _band(self, signal: np.ndarray, rate: int, row: Row) -> np.ndarray:
        return band_limited(signal, rate, self._settings["band"])

    def _crop(self, signal: np.ndarray, rate: int, row: Row) -> np.ndarray:
        return cropped(signal, rate, self._settings["crop"])

    def _pitch(self, signal: np.ndarray, rate: int, row: Row) -> np.ndarray:
        return stretched(signal, rate, semitones=self._settings["pitch"])

    def _speed(self, signal: np.ndarray, rate: int, row: Row) -> np.ndarray:
        return stretched(signal, rate, speed=self._settings["speed"])


def _number(text: str) -> int:
    """The first 64 bits of the SHA-256 of a text as a number."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "backslashreplace")).digest()[:8])
