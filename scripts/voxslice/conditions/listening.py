"""The audio of a condition as files, to listen to it."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import inf
from pathlib import Path

import pandas as pd
import soundfile

from voxslice.data.audio import Audio, read_audio, require_folder
from voxslice.data.file_names import locate
from voxslice.errors import reason_of
from voxslice.utterance_keys import KEY

NAME = "{number:06d}.flac"
"""Name of a file, with the number of the row in the table."""


def write_condition_audio(
    utterances: pd.DataFrame,
    *,
    audio: str | Path,
    change: Callable[[Audio, tuple[str, float, float]], Audio],
    folder: str | Path,
    threads: int,
    longest: float = inf,
) -> pd.DataFrame:
    """Write each utterance in a condition as FLAC of 16 bits.

    Args:
        utterances: keys of the utterances
        audio: folder that the files are relative to
        change: function that changes the audio of an utterance
        folder: folder to write into; it exists
        threads: number of utterances that are written at the same time
        longest: longest utterance in seconds; longer ones are left out

    Returns:
        the keys, `written` (name of the file, missing if there is none) and `reason` (why there is
        none)
    """

    def write(numbered: tuple[int, tuple[str, float, float]]) -> tuple[str | None, str | None]:
        number, row = numbered
        try:
            changed = change(read_audio(locate(Path(audio), row[0]), *row[1:], longest), row)
        except Exception as error:  # a broken file must not stop the others
            require_folder(audio)
            return None, reason_of(error, row[0])
        name = NAME.format(number=number)
        soundfile.write(Path(folder) / name, changed.signal.clip(-1, 1), changed.rate)
        return name, None

    rows: Sequence[tuple[str, float, float]] = list(
        zip(*(utterances[name] for name in KEY), strict=True)
    )
    with ThreadPoolExecutor(threads) as pool:
        written = list(pool.map(write, enumerate(rows)))
    table = utterances[KEY].reset_index(drop=True)
    table["written"] = [name for name, _ in written]
    table["reason"] = [reason for _, reason in written]
    return table
