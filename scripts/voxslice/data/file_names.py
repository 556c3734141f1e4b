"""Names of audio files that a table and a disk write in different Unicode forms.

A Mac, for example, writes `ü` as two characters. Snakemake imports this module each time it parses
the workflow. The module therefore imports no heavy library.
"""

import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from voxslice.errors import InputError
from voxslice.unicode_text import nfc


def locate(folder: str | Path, file: str) -> Path:
    """Find a file by its name.

    Args:
        folder: folder that the name is relative to
        file: name of the file, maybe in another Unicode form than on the disk

    Returns:
        the path with exactly this name if it exists, else the only one whose name is the same text
        in another Unicode form; the exact path if there is no such file, or more than one
    """
    exact = Path(folder, file)
    if file.isascii() or os.path.lexists(exact):
        return exact
    found = Path(folder)
    for part in Path(file).parts:
        if not os.path.lexists(found / part):
            same = [] if part.isascii() else _same_names(found, part)
            if len(same) != 1:
                return exact
            part = same[0]
        found = found / part
    return found


def names_on_disk(folder: str | Path, files: Iterable[str]) -> list[str]:
    """Write the names of files as the disk writes them.

    Args:
        folder: folder that the names are relative to
        files: names of files, maybe in another Unicode form than on the disk

    Returns:
        the name of each file that `locate` finds, relative to the folder
    """
    return [
        file if file.isascii() else locate(folder, file).relative_to(folder).as_posix()
        for file in files
    ]


def _same_names(folder: Path, name: str) -> Sequence[str]:
    """Names in a folder that are the same text in any Unicode form."""
    try:
        changed = folder.stat().st_mtime_ns
    except OSError:
        return ()
    return _names_by_text(folder, changed).get(nfc(name), ())


@lru_cache(maxsize=64)
def _names_by_text(folder: Path, changed: int) -> dict[str, list[str]]:
    """Names in a folder that are not ASCII, by their text in the normal form C.

    Args:
        folder: the folder
        changed: its modification time, by which a cached answer is known to be out of date
    """
    names: dict[str, list[str]] = {}
    try:
        for name in sorted(path.name for path in folder.iterdir()):
            if not name.isascii():
                names.setdefault(nfc(name), []).append(name)
    except OSError:
        return {}
    return names


def require_distinct(files: Iterable[str], folder: str | Path) -> None:
    """Refuse different names for the same file.

    Args:
        files: names of files, relative to the folder
        folder: folder of the audio

    Raises:
        InputError: if two names are the same text in different Unicode forms and the folder does
            not have a file for each of them
    """
    by_text: dict[str, set[str]] = {}
    for file in files:
        if not file.isascii():
            by_text.setdefault(nfc(file), set()).add(file)
    for text, names in by_text.items():
        if len(names) > 1 and not all(os.path.lexists(Path(folder, name)) for name in names):
            raise InputError(
                f"{text} is listed under {len(names)} names that look the same, in different forms"
                f" of Unicode, but {folder} does not have that many files: keep one name."
            )


def match_names(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """Write names as a list of known names writes them.

    Args:
        names: names to look up
        known: names in the wanted form

    Returns:
        for each name itself if it is known, else the only known name that is the same text in
        another Unicode form; the name itself if there is no such name, or more than one
    """
    known = set(known)
    by_text: dict[str, list[str]] = {}
    for name in known:
        if not name.isascii():
            by_text.setdefault(nfc(name), []).append(name)
    return [_matched(name, known, by_text) for name in names]


def _matched(name: str, known: set[str], by_text: dict[str, list[str]]) -> str:
    if not isinstance(name, str) or name.isascii() or name in known:  # a missing name stays so
        return name
    same = by_text.get(nfc(name), [])
    return same[0] if len(same) == 1 else name
