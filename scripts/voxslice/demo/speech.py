"""Speech from espeak-ng through its C library (`speak_lib.h`, version 1.52).

The library keeps its state (noise generator, phase, flutter) in static variables. Each synthesiser
therefore loads a private copy of the library, so that its first utterance depends on no other one.
"""

from __future__ import annotations

import ctypes
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import audresample
import espeakng_loader
import numpy as np

from voxslice.demo.voices import Style, Voice, rate, variant, volume

SAMPLING_RATE = 16000

# Constants of speak_lib.h
_SYNCHRONOUS = 2  # espeak_AUDIO_OUTPUT: the call returns when all samples have been handed over
_DO_NOT_EXIT = 0x8000  # espeak_Initialize: report a missing data folder, do not end the process
_RATE, _VOLUME = 1, 2  # espeak_PARAMETER
_UTF8 = 1  # espeak_Synth: encoding of the text

_Callback = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


@dataclass(frozen=True)
class Utterance:
    """A text to speak, with a voice and the style of an emotion."""

    text: str
    voice: Voice
    style: Style


def synthesise(utterances: Iterable[Utterance], seed: int) -> Iterator[np.ndarray]:
    """Synthesise utterances one after the other.

    The same utterances in the same order with the same seed give the same samples, in this process
    and in any other. The noise of an utterance depends on the utterances before it.

    Args:
        utterances: Utterances to synthesise.
        seed: Seed of the synthesiser's noise.

    Yields:
        Mono signal of shape (samples,), float32 in [-1, 1], at `SAMPLING_RATE`.

    Raises:
        RuntimeError: espeak-ng cannot be started or refuses an utterance.
    """
    with tempfile.TemporaryDirectory(prefix="voxslice-espeak-") as folder:
        synthesiser = _Synthesiser(Path(folder), seed)
        try:
            for utterance in utterances:
                yield synthesiser.say(utterance)
        finally:
            synthesiser.close()


class _Synthesiser:
    """A private copy of espeak-ng: library, data and voices in a separate folder."""

    def __init__(self, folder: Path, seed: int) -> None:
        data = folder / "espeak-ng-data"
        source = Path(espeakng_loader.get_data_path())
        # Dictionaries of 120 other languages are left out.
        shutil.copytree(source, data, ignore=shutil.ignore_patterns("*_dict", "!v"))
        shutil.copy(source / "en_dict", data)
        self._variants = data / "voices" / "!v"
        self._variants.mkdir()
        library = str(shutil.copy(espeakng_loader.get_library_path(), folder))
        self._espeak = ctypes.CDLL(library)
        self._sampling_rate = self._espeak.espeak_Initialize(
            _SYNCHRONOUS, 0, str(folder).encode(), _DO_NOT_EXIT
        )
        if self._sampling_rate <= 0:
            raise RuntimeError("espeak-ng does not start: reinstall the package espeakng-loader.")
        # Seed both sources of noise: the library's generator and, for breath, that of libc.
        self._espeak.espeak_ng_SetRandSeed(ctypes.c_long(seed))
        ctypes.CDLL(None).srand(ctypes.c_uint(seed))
        self._samples: list[np.ndarray] = []
        self._callback = _Callback(self._collect)  # kept: the C side holds no reference
        self._espeak.espeak_SetSynthCallback(self._callback)

    def say(self, utterance: Utterance) -> np.ndarray:
        """Synthesise one utterance.

        Args:
            utterance: Utterance to synthesise.

        Returns:
            Mono signal of shape (samples,), float32 in [-1, 1], at `SAMPLING_RATE`.
        """
        voice, style = utterance.voice, utterance.style
        (self._variants / "voice").write_text(variant(voice, style), encoding="utf-8")
        self._check(self._espeak.espeak_SetVoiceByName(b"en+voice"), utterance)
        self._check(self._espeak.espeak_SetParameter(_RATE, rate(voice, style), 0), utterance)
        self._check(self._espeak.espeak_SetParameter(_VOLUME, volume(voice, style), 0), utterance)
        self._samples.clear()
        text = utterance.text.encode()
        size = ctypes.c_size_t(len(text) + 1)
        error = self._espeak.espeak_Synth(text, size, 0, 0, 0, _UTF8, None, None)
        self._check(error, utterance)
        signal = np.concatenate(self._samples).astype(np.float32) / 2**15
        return audresample.resample(signal, self._sampling_rate, SAMPLING_RATE)[0]

    def close(self) -> None:
        """Free the memory of the library."""
        self._espeak.espeak_Terminate()

    def _collect(self, wave: ctypes._Pointer, count: int, events: int | None) -> int:
        if wave and count > 0:
            self._samples.append(np.ctypeslib.as_array(wave, (count,)).copy())
        return 0

    @staticmethod
    def _check(error: int, utterance: Utterance) -> None:
        if error:
            raise RuntimeError(
                f"espeak-ng refuses '{utterance.text}' by voice {utterance.voice.name}"
                f" (error {error}): change the text or the voice."
            )
