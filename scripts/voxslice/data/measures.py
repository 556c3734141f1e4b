"""Measures of the sound of utterances: which there are, and how they are applied to a dataset."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import inf
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm import tqdm

from voxslice.data.audio import Audio, read_audio, require_folder, resampled
from voxslice.data.bandwidth import bandwidth, bandwidth_hz
from voxslice.data.file_names import locate
from voxslice.data.levels import clipping, level, snr
from voxslice.data.measure_reasons import joined
from voxslice.data.pitch import pitch
from voxslice.data.reverberation import reverberation
from voxslice.data.signals import RATE, SILENT
from voxslice.data.voice_activity import speech_share
from voxslice.errors import InputError, reason_of
from voxslice.utterance_keys import KEY


@dataclass(frozen=True)
class Measure:
    """One quantity that is measured in the audio of an utterance.

    Attributes:
        of: function that measures; it gets the audio as in its file, and the signal at `RATE`
        digits: decimal places that are kept; None for a category
    """

    of: Callable[[Audio, np.ndarray], float | str]
    digits: int | None


MEASURES = {
    "pitch": Measure(lambda _, signal: pitch(signal), 1),
    "level": Measure(lambda _, signal: level(signal), 1),
    "snr": Measure(lambda _, signal: snr(signal), 1),
    "bandwidth": Measure(lambda audio, _: bandwidth(audio.signal, audio.rate), None),
    "bandwidth_hz": Measure(lambda audio, _: bandwidth_hz(audio.signal, audio.rate), 0),
    "clipping": Measure(lambda audio, _: clipping(audio.signal), 4),
    "reverberation": Measure(lambda _, signal: reverberation(signal), 1),
    "speech_share": Measure(lambda _, signal: speech_share(signal), 2),
}
"""The measures by name, except the duration, which the table of utterances contains."""


def measure(audio: Audio) -> tuple[dict[str, float | str], dict[str, str]]:
    """Measure all quantities in the audio of one utterance.

    Args:
        audio: audio of the utterance, as in its file

    Returns:
        the values by measure, and for each measure without a value the reason
    """
    values: dict[str, float | str] = {}
    reasons: dict[str, str] = {}
    signal = resampled(audio, RATE)[0]
    for name, quantity in MEASURES.items():
        try:
            value = quantity.of(audio, signal)
        except InputError as error:
            reasons[name] = str(error)
        else:
            values[name] = value if isinstance(value, str) else round(value, quantity.digits)
    return values, reasons


def measure_speech(
    utterances: pd.DataFrame, *, audio: str | Path, threads: int, longest: float = inf
) -> pd.DataFrame:
    """Measure utterances, and print why an utterance could not be measured.

    Each utterance is decoded once for all measures.

    Args:
        utterances: table with one row per utterance: `file`, `start` and `end` (seconds)
        audio: folder that the files are relative to
        threads: number of utterances that are measured at the same time. The result does not depend
            on it.
        longest: in seconds; a longer utterance is not measured

    Returns:
        table with one row per utterance: the key, one column per measure, and `reason`, why
        measures are missing. A measure is missing if it could not be taken.

    Raises:
        MachineError: if the machine is at fault, or if the folder is gone or empty
    """

    def measured(file: str, start: float, end: float) -> tuple[dict[str, float | str], str | None]:
        where = f"{file} from {start:g} to {end:g} s"
        try:
            recording = read_audio(locate(audio, file), start, end, longest)
            if recording.silence:
                raise InputError(f"{SILENT} ({recording.silence})")
            values, reasons = measure(recording)
        except Exception as error:  # a broken file must not stop the others
            require_folder(audio)
            reason = reason_of(error, file)
            print(f"{where} has no measures: {reason}", file=sys.stderr)
            return {}, reason
        for name, reason in reasons.items():
            print(f"{where} has no {name}: {reason}", file=sys.stderr)
        return values, joined(reasons)

    keys = utterances[KEY].reset_index(drop=True)
    rows = [keys[name] for name in KEY]
    with ThreadPoolExecutor(threads) as pool:
        results = list(tqdm(pool.map(measured, *rows), total=len(keys), unit="utterance"))
    columns = {
        name: pd.array([values.get(name) for values, _ in results], dtype=_dtype(quantity))
        for name, quantity in MEASURES.items()
    }
    reasons = pd.array([reason for _, reason in results], dtype="string")
    return keys.assign(**columns, reason=reasons)


def _dtype(quantity: Measure) -> str:
    """Type of the column of a measure: text, or numbers with NaN for missing values."""
    return "string" if quantity.digits is None else "float64"
