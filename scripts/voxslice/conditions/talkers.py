"""Talkers: utterances of a dataset that babble and speech-shaped noise are made from."""

import functools
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd

from voxslice.conditions.noises import repeated
from voxslice.conditions.speech_level import active_power
from voxslice.data.audio import is_silent, read_audio, resampled
from voxslice.data.file_names import locate
from voxslice.data.signals import frames_of
from voxslice.errors import InputError, reason_of
from voxslice.speakers import UNKNOWN_SPEAKER, as_speakers
from voxslice.utterance_keys import KEY

MAX_TALKERS = 60
"""Utterances from which babble is made, so that they fit into the memory of each job."""
SHORTEST, LONGEST = 1.0, 10.0
"""Range of the duration in s of a talker's utterance. Of a longer one the beginning is used."""
VOICES = 5
"""Number of speakers in babble."""
FRAME = 512
"""Samples of a frame of the long-term spectrum."""


def choose_talkers(metadata: pd.DataFrame, contents: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Choose at most 60 utterances of as many speakers as possible.

    The choice is by a digest of each utterance, so that a new utterance changes it rarely.

    Args:
        metadata: keys of the utterances and, if the dataset has it, `speaker`
        contents: `file` and `content` (a digest, missing if the file cannot be read)
        seed: seed of the choice

    Returns:
        one row per utterance: the keys, `speaker` (text, empty where it is not known), `talker`
        (whether the utterance is chosen) and `content` of the chosen ones. Without a column
        `speaker`, each utterance has a speaker of its own
    """
    table = metadata[KEY].reset_index(drop=True)
    table["speaker"] = (
        as_speakers(metadata["speaker"]).astype(object)
        if "speaker" in metadata
        else table.index.astype(str)
    )
    content = table["file"].map(contents.set_index("file")["content"])
    seconds = table["end"] - table["start"]
    readable = content.notna() & (table["speaker"] != UNKNOWN_SPEAKER)
    usable = readable & (seconds >= SHORTEST)
    usable = usable if usable.any() else readable
    digests = pd.Series(
        [
            hashlib.sha256(repr((seed, *row)).encode("utf-8", "backslashreplace")).hexdigest()
            for row in zip(*(table[name] for name in KEY), strict=True)
        ],
        index=table.index,
    )
    order = digests[usable].sort_values().index
    # first one utterance of each speaker, then a second one of each, and so on
    turn = table.loc[order].groupby("speaker", sort=False).cumcount()
    chosen = turn.sort_values(kind="stable").index[:MAX_TALKERS]
    table["talker"] = table.index.isin(chosen)
    table["content"] = content.where(table["talker"])
    return table


class Talkers:
    """The utterances that `choose_talkers` has chosen.

    Args:
        table: what `choose_talkers` returned
        audio: folder that the files are relative to
    """

    def __init__(self, table: pd.DataFrame, audio: str | Path) -> None:
        self._audio = Path(audio)
        keys = zip(*(table[name] for name in KEY), strict=True)
        self._speakers = dict(zip(keys, table["speaker"], strict=True))
        chosen = table[table["talker"]]
        self._rows = list(zip(*(chosen[name] for name in KEY), strict=True))
        self._signals = functools.cache(self._read)
        self.spectrum = functools.cache(self._spectrum)

    def babble(
        self, row: tuple[str, float, float], samples: int, rate: int, generator: np.random.Generator
    ) -> np.ndarray:
        """Mix utterances of speakers other than that of an utterance, all at the same level.

        Args:
            row: key of the utterance
            samples: number of samples
            rate: sampling rate in Hz
            generator: source of the draw

        Returns:
            float32 of shape (samples,). Each utterance begins at a random place and is repeated

        Raises:
            InputError: if there are fewer than two other speakers
        """
        own = self._speakers[row]
        by_speaker: dict[str, list[np.ndarray]] = {}
        for key, signal in self._signals(rate).items():
            if self._speakers[key] != own:
                by_speaker.setdefault(self._speakers[key], []).append(signal)
        if len(by_speaker) < 2:
            raise InputError("babble needs at least two other speakers in the dataset")
        names = list(by_speaker)
        count = min(VOICES, len(names))
        mixed = np.zeros(samples, np.float32)
        for name in generator.choice(len(names), count, replace=False):
            voices = by_speaker[names[name]]
            mixed += repeated(voices[generator.integers(len(voices))], samples, generator)
        return mixed

    def _read(self, rate: int) -> dict[tuple[str, float, float], np.ndarray]:
        """Signals of the talkers by key, at one active level, without those that are unreadable."""
        signals = {}
        for file, start, end in self._rows:
            try:
                audio = read_audio(locate(self._audio, file), start, min(end, start + LONGEST))
            except Exception as error:  # a broken file must not stop the others
                reason_of(error, file)
                continue
            signal = resampled(audio, rate)[0]
            if not is_silent(signal):
                power = active_power(signal, rate)
                signals[file, start, end] = signal / np.float32(np.sqrt(power))
        return signals

    def _spectrum(self, rate: int) -> tuple[np.ndarray, np.ndarray]:
        """The long-term spectrum of the talkers.

        Args:
            rate: sampling rate in Hz

        Returns:
            frequencies in Hz above 0, and the positive mean power at each, each of shape (256,)

        Raises:
            InputError: if no utterance can be read
        """
        signals = [signal for signal in self._signals(rate).values() if len(signal) >= FRAME]
        if not signals:
            raise InputError("no utterance is long enough for the spectrum of the noise")
        window = np.hanning(FRAME)
        spectra = []
        for signal in signals:
            frames = np.fft.rfft(frames_of(signal, FRAME, FRAME // 2) * window)
            spectra.append(np.square(np.abs(frames)).mean(axis=0))
        powers = np.mean(spectra, axis=0)[1:]
        frequencies = np.fft.rfftfreq(FRAME, 1 / rate)[1:]
        return frequencies, np.maximum(powers, powers.max() * 1e-12)
