"""The list of a dataset's utterances, whatever it is read from: ends, checks, order."""

from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import pandas as pd
from tqdm import tqdm

from voxslice.data.audio import require_folder, seconds
from voxslice.data.file_names import locate, require_distinct
from voxslice.errors import InputError
from voxslice.utterance_keys import KEY


def with_ends(keys: pd.DataFrame, folder: str | Path) -> pd.DataFrame:
    """Fill in open ends with the end of the file.

    Args:
        keys: `file` (relative to the folder), `start` and `end` in seconds, NaN where it is open
        folder: of the audio

    Returns:
        the keys; an open end is 0 where the file cannot be read (inference then says why)

    Raises:
        MachineError: where the machine is at fault, or the folder is gone or empty
    """
    require_distinct(keys["file"], folder)
    unended = sorted(set(keys.loc[keys["end"].isna(), "file"]))
    lengths = {
        file: seconds(locate(folder, file)) for file in tqdm(unended, desc="durations", unit="file")
    }
    if not all(lengths.values()):
        require_folder(folder)
    return keys.assign(end=keys["end"].fillna(keys["file"].map(lengths)))


def ordered(keys: pd.DataFrame, source: str) -> pd.DataFrame:
    """Check a list of utterances and bring it into its order.

    Args:
        keys: `file`, `start` and `end` (seconds)
        source: what lists them, for messages

    Returns:
        `file`, `start`, `end` and `duration`, sorted

    Raises:
        InputError: where there are none, one is listed twice, or a file is not in the folder
    """
    if len(keys) == 0:
        raise InputError(f"{source} has no rows: name another table.")
    require_inside(keys["file"], source)
    if keys.duplicated(KEY).any():
        twice = keys.loc[keys.duplicated(KEY), "file"].iloc[0]
        raise InputError(f"{source} lists {twice} more than once: remove the repetition.")
    duration = (keys["end"] - keys["start"]).clip(lower=0)
    return keys[KEY].assign(duration=duration).sort_values(KEY, ignore_index=True)


def require_inside(files: Iterable[str], source: str) -> None:
    """Refuse files that are not named relative to the folder of the audio, within it.

    Args:
        files: their names
        source: what names them, for the message

    Raises:
        InputError: where one is absolute or leads out of the folder
    """
    for file in files:
        path = PurePosixPath(file)
        if path.is_absolute() or ".." in path.parts:
            raise InputError(
                f"{source} names {file}, which is not relative to the folder of the audio and"
                " within it: correct the name."
            )
