"""Data that stays where it is: fingerprints by which a change of it is seen.

Snakemake sees no change within a folder, and asking it to watch every file takes minutes where
there are many. Imported whenever Snakemake parses the workflow: it stays light.
"""

import csv
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from voxslice.filters import text, texts

MADE = ("resources", "results", "logs", "benchmarks")
"""Folders that the workflow makes in the current folder."""


def of_table(
    path: str | Path, audio: str | Path, filters: Mapping[str, Sequence[Any]]
) -> str | None:
    """Fingerprint the utterances of a CSV table and their audio, but not its other columns.

    Args:
        path: of the table, with `file` and maybe `start` and `end`
        audio: folder that the files are relative to
        filters: the values that are kept, for columns of the table

    Returns:
        12 hexadecimal digits of what is kept: the keys, and the size and time of change of each
        file; None where the table cannot be read, which the job that reads it explains
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error):
        return None
    wanted = {column: texts(values) for column, values in filters.items()}
    kept = {
        tuple(row.get(name) or "" for name in ("file", "start", "end"))
        for row in rows
        if all(text(row.get(column) or "") in values for column, values in wanted.items())
    }
    return _digest([*sorted(kept), *_states(audio, {key[0] for key in kept})])


def of_database(folder: str | Path) -> str:
    """Fingerprint the media of a database, but not its tables, which are inputs of the rules.

    Args:
        folder: looked at with all that is in it, except what is hidden or made by the workflow

    Returns:
        12 hexadecimal digits of the names, sizes and times of change
    """
    made = {Path(name).absolute() for name in MADE}
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [
            name
            for name in folders
            if not name.startswith(".") and Path(place, name).absolute() not in made
        ]
        skipped = (".", "db.") if Path(place) == Path(folder) else (".",)
        inside = "" if Path(place) == Path(folder) else f"{Path(place).relative_to(folder)}/"
        found += [inside + name for name in names if not name.startswith(skipped)]
    return _digest(_states(folder, found))


def _states(folder: str | Path, files: Iterable[str]) -> list[tuple[str, int, int]]:
    """Name, size and time of change of files, in order of their names; -1 where there is none."""
    states = []
    for file in sorted(files):
        try:
            state = os.stat(f"{folder}/{file}")  # noqa: PTH116 (thrice as fast as a Path)
            states.append((file, state.st_size, state.st_mtime_ns))
        except (OSError, ValueError):  # no such file, or a name that none can have
            states.append((file, -1, -1))
    return states


def _digest(states: Iterable[tuple]) -> str:
    content = "\n".join(repr(state) for state in states)
    return hashlib.sha256(content.encode("utf-8", "backslashreplace")).hexdigest()[:12]
