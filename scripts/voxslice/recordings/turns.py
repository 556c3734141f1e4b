"""Turns of speakers from RTTM, Praat TextGrid and CSV files."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

import pandas as pd

from voxslice.data.user_tables import read_table, times
from voxslice.errors import InputError

TURN = ["file", "start", "end", "speaker"]
"""Columns of a table of turns. Further columns are labels of the turn."""
RTTM_FIELDS = 8
"""Smallest number of fields in a line of RTTM: up to the name of the speaker."""
MAX_BYTES = 10**8
"""Largest size of a file of turns in bytes. A meeting has less than a megabyte."""
TOKEN = re.compile(r'"((?:[^"]|"")*)"|(?<!\S)(<exists>|<absent>|-?\d[\d.eE+-]*)(?!\S)')
"""A text or a number of a TextGrid. Everything else in the file is a comment."""


def read_turns(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Read turns from files.

    Args:
        paths: files that end in `.rttm`, `.TextGrid` or `.csv`. An RTTM file and a CSV table with
            the column `file` name the recordings. Any other file has the name of its recording,
            apart from the suffix

    Returns:
        `file` (the recording as the file names it), `start` and `end` (seconds), `speaker` (missing
        if it is not known), and the further columns of CSV tables, all of them text except times;
        one row per turn

    Raises:
        InputError: if a file cannot be read, or a turn ends before it starts
    """
    tables = []
    for path in map(Path, paths):
        reader = READERS.get(path.suffix.lower())
        if reader is None:
            raise InputError(
                f"{path} is no file of turns: name a file or folder with .rttm, .TextGrid or .csv."
            )
        table = reader(path)
        wrong = ~(table["end"] > table["start"]) | (table["start"] < 0)
        if wrong.any():
            row = table[wrong].iloc[0]
            raise InputError(
                f"{path} has a turn of {row['file']} from {row['start']:g} to {row['end']:g} s:"
                " correct its times."
            )
        tables.append(table)
    found = pd.concat(tables, ignore_index=True)
    return found.sort_values(["file", "start", "end"], kind="stable", ignore_index=True)


def match_recordings(turns: pd.DataFrame, recordings: Sequence[str], source: str) -> pd.DataFrame:
    """Find the recording of each turn.

    Args:
        turns: turns, as `read_turns` returns them
        recordings: files of the recordings
        source: what the turns are read from, for messages

    Returns:
        the turns with the files of their recordings; a turn may name its recording by the path, by
        the path without the suffix, or by the name without folder and suffix

    Raises:
        InputError: if a turn names no recording, or more than one
    """
    names: dict[str, set[str]] = {}
    for file in recordings:
        path = PurePosixPath(file)
        for name in {file, path.with_suffix("").as_posix(), path.name, path.stem}:
            names.setdefault(name, set()).add(file)
    files = {}
    for name in turns["file"].unique():
        found = {name} if name in set(recordings) else names.get(name, set())
        if len(found) != 1:
            problem = "no recording" if not found else f"{len(found)} recordings"
            raise InputError(
                f"{source} has turns of {name!r}, which is the name of {problem} of the dataset:"
                " correct the name."
            )
        files[name] = next(iter(found))
    return turns.assign(file=turns["file"].map(files))


def _read_rttm(path: Path) -> pd.DataFrame:
    """Turns of a file in RTTM, the format of diarisation."""
    rows = []
    for number, line in enumerate(_text(path).splitlines(), start=1):
        fields = line.split()
        if not fields or fields[0] != "SPEAKER":
            continue
        try:
            start, duration, speaker = float(fields[3]), float(fields[4]), fields[7]
        except (IndexError, ValueError) as error:
            raise InputError(
                f"Line {number} of {path} is not RTTM: it needs {RTTM_FIELDS} fields, with the"
                " start and the duration in seconds as the fourth and the fifth."
            ) from error
        rows.append((fields[1], start, start + duration, speaker))
    return _table(rows)


def _read_textgrid(path: Path) -> pd.DataFrame:
    """Turns of a TextGrid: the intervals with text, whose tier has the name of the speaker."""
    tokens = iter(
        match[1].replace('""', '"') if match[1] is not None else match[2]
        for match in TOKEN.finditer(_text(path))
    )
    rows = []
    try:
        if (next(tokens), next(tokens)) != ("ooTextFile", "TextGrid"):
            raise ValueError("its first line names another kind of file")
        tiers = int([next(tokens) for _ in range(4)][-1])
        for _ in range(tiers):
            kind, name, _, _, count = (next(tokens) for _ in range(5))
            width = 3 if kind == "IntervalTier" else 2
            for _ in range(int(count)):
                *limits, text = (next(tokens) for _ in range(width))
                if kind == "IntervalTier" and text.strip():
                    rows.append((path.stem, float(limits[0]), float(limits[1]), name))
    except (RuntimeError, StopIteration, ValueError) as error:
        reason = str(error) if isinstance(error, ValueError) else "it ends too early"
        raise InputError(f"{path} is not a TextGrid ({reason}): save it as text again.") from error
    return _table(rows)


def _read_csv(path: Path) -> pd.DataFrame:
    """Turns of a CSV table with start and end, and optionally file, speaker and labels."""
    table = read_table(path)
    if "file" not in table:
        table.insert(0, "file", path.stem)
    missing = [name for name in ("start", "end") if name not in table]
    if missing:
        raise InputError(f"{path} has no column {missing[0]!r}: a turn needs start and end.")
    for name in ("start", "end"):
        table[name] = times(table, name, str(path))
    if table[TURN[:3]].isna().any(axis=None):
        raise InputError(f"{path} has a turn without a file, a start or an end: fill it in.")
    if "speaker" not in table:
        table["speaker"] = pd.array([None] * len(table), dtype="string")
    return table[[*TURN, *(name for name in table if name not in TURN)]]


def _table(rows: list[tuple[str, float, float, str]]) -> pd.DataFrame:
    """A table of turns without labels."""
    table = pd.DataFrame(rows, columns=TURN)
    return table.astype({"file": object, "start": float, "end": float, "speaker": "string"})


def _text(path: Path) -> str:
    """The text of a file in UTF-8 or UTF-16, as Praat writes it."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{path} has more than {MAX_BYTES // 10**6} MB: divide it.")
        content = path.read_bytes()
        wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
        return content.decode("utf-16" if wide else "utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise InputError(f"{path} cannot be read ({error}): save it in UTF-8.") from error


READERS = {".rttm": _read_rttm, ".textgrid": _read_textgrid, ".csv": _read_csv}
"""Function that reads a file of turns, by its suffix in lower case."""
