"""Checks and order of the utterances of a dataset, for every kind of source."""

import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path, PurePosixPath

import pandas as pd
from tqdm import tqdm

from voxslice.data.audio import require_folder, seconds
from voxslice.data.file_names import locate, require_distinct
from voxslice.errors import InputError
from voxslice.utterance_keys import KEY


def with_ends(keys: pd.DataFrame, folder: str | Path) -> pd.DataFrame:
    """Fill in open ends of utterances with the end of their file.

    Args:
        keys: `file` (relative to the folder), `start` and `end` in seconds. An open end is NaN.
        folder: Folder of the audio.

    Returns:
        The keys with all ends. An end is 0 if the file cannot be read; inference gives the reason.

    Raises:
        InputError: Two names are names of the same file.
        MachineError: The machine is at fault, or the folder is missing or empty.
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
    """Check a list of utterances and sort it.

    Args:
        keys: `file`, `start` and `end` in seconds.
        source: What lists the utterances, for the message.

    Returns:
        `file`, `start`, `end` and `duration` in seconds, sorted.

    Raises:
        InputError: There are no utterances, or one is listed twice.
    """
    if len(keys) == 0:
        raise InputError(f"{source} has no rows: name another table.")
    if keys.duplicated(KEY).any():
        twice = keys.loc[keys.duplicated(KEY), "file"].iloc[0]
        raise InputError(f"{source} lists {twice} more than once: remove the repetition.")
    duration = (keys["end"] - keys["start"]).clip(lower=0)
    return keys[KEY].assign(duration=duration).sort_values(KEY, ignore_index=True)


def require_inside(
    files: Iterable[str], folder: str | Path, source: str, links: str = "inside"
) -> None:
    """Refuse audio files that are not in the folder of the audio.

    Args:
        files: Names of the files.
        folder: Folder of the audio.
        source: What names the files, for the message.
        links: `inside` to refuse symbolic links that lead out of the folder, `anywhere` to follow
            them.

    Raises:
        InputError: A name is absolute or leads out of the folder, or a symbolic link does.
    """
    names = list(dict.fromkeys(files))
    for file in names:
        path = PurePosixPath(file)
        if path.is_absolute() or ".." in path.parts:
            raise InputError(
                f"{source} names {file}, which is not relative to the folder of the audio and"
                " within it: correct the name."
            )
    if links == "anywhere":
        return
    root = Path(os.path.realpath(folder))
    resolved = lru_cache(maxsize=None)(os.path.realpath)  # many files are in one folder
    for file in names:
        if "\0" in file:  # no file can have such a name
            continue
        found = locate(folder, file)
        linked = os.path.islink(found)  # noqa: PTH114  # a method of Path fails on long names
        target = os.path.realpath(found) if linked else resolved(found.parent)
        if not Path(target).is_relative_to(root):
            raise InputError(
                f"{source} names {file}, which a symbolic link leads out of the folder of the audio"
                f" to {target}: copy it into the folder, or set links to anywhere for the dataset."
            )
