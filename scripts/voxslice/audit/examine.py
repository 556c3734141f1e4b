"""Examine the audio of utterances for an audit: once per utterance, without a comparison."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from math import inf
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from voxslice.audit.fingerprints import fingerprint
from voxslice.data.audio import read_audio, require_folder, resampled
from voxslice.data.file_names import locate
from voxslice.data.levels import clipping
from voxslice.data.signals import RATE, frames_of
from voxslice.errors import reason_of
from voxslice.utterance_keys import KEY

EDGE = 0.01
"""Duration in seconds of the beginning and of the end of an utterance."""
ACTIVE = 10 ** (-20 / 10)
"""Smallest power of a loud frame, relative to the loudest one."""
NOTHING = -200.0
"""Level in dB of digital silence."""


def examine(
    utterances: pd.DataFrame, *, audio: str | Path, threads: int, longest: float = inf
) -> pd.DataFrame:
    """Examine the audio of utterances.

    Args:
        utterances: table with one row per utterance: `file`, `start` and `end` (seconds)
        audio: folder that the files are relative to
        threads: number of utterances that are examined at the same time. The result does not depend
            on it.
        longest: in seconds; a longer utterance is not read

    Returns:
        table with one row per utterance: the key; `reason` (why the audio cannot be read),
        `silence` (why it is silent, see `voxslice.data.audio.Audio`), `clipping` (share of
        samples), `begins` and `ends` (level in dB of the first and last 10 ms, relative to the loud
        parts), `content` (digest of the samples), and the fingerprint `words` and `loud`

    Raises:
        MachineError: if the machine is at fault, or if the folder is gone or empty
    """

    def examined(file: str, start: float, end: float) -> dict[str, Any]:
        try:
            recording = read_audio(locate(audio, file), start, end, longest)
            row = {"silence": recording.silence, "content": _digest(recording.signal)}
            if recording.silence:
                return row
            signal = resampled(recording, RATE)[0]
            words, loud = fingerprint(recording.signal, recording.rate)
            begins, ends = _edges(signal)
            return row | {
                "clipping": clipping(recording.signal),
                "begins": begins,
                "ends": ends,
                "words": words,
                "loud": loud,
            }
        except Exception as error:  # a broken file must not stop the others
            require_folder(audio)
            return {"reason": reason_of(error, file)}

    keys = utterances[KEY].reset_index(drop=True)
    columns = [keys[name] for name in KEY]
    with ThreadPoolExecutor(threads) as pool:
        rows = list(tqdm(pool.map(examined, *columns), total=len(keys), unit="utterance"))
    texts = {
        name: pd.array([row.get(name) for row in rows], dtype="string")
        for name in ("reason", "silence", "content")
    }
    numbers = {
        name: np.array([row.get(name, np.nan) for row in rows], dtype=float)
        for name in ("clipping", "begins", "ends")
    }
    lists = {
        name: pd.Series([row.get(name, np.zeros(0, kind)) for row in rows], dtype=object)
        for name, kind in (("words", np.uint32), ("loud", bool))
    }
    return keys.assign(**texts, **numbers, **lists)


def _digest(signal: np.ndarray) -> str:
    """Digest of the samples, rounded to 16 bits, so that it does not depend on the format."""
    rounded = np.round(signal.clip(-1, 1) * 2**15).astype("<i4")
    return hashlib.sha256(rounded.tobytes()).hexdigest()[:32]


def _edges(signal: np.ndarray) -> tuple[float, float]:
    """Level in dB of the first and last 10 ms of a signal, relative to its loud frames."""
    frames = frames_of(signal)
    power = frames.var(axis=1, dtype=float) if len(frames) else np.array([signal.var(dtype=float)])
    loud = power[power >= ACTIVE * power.max()].mean()
    length = round(EDGE * RATE)
    levels = [
        10 * np.log10(max(float(part.var(dtype=float) / loud), 10 ** (NOTHING / 10)))
        for part in (signal[:length], signal[-length:])
    ]
    return levels[0], levels[1]
