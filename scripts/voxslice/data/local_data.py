"""Fingerprints of local data, which show whether the data has changed.

Snakemake notices no change inside a folder, and watching many files one by one takes minutes.
Snakemake imports this module each time it parses the workflow. The module therefore imports no
heavy library.

A file counts as changed when its size, its modification time or its status change time differs.
Only the content shows whether a file was really changed, or just touched or copied. Reading all
content takes too long while the workflow is parsed. The job that lists the utterances reads all
files anyway. It therefore records their content, and later fingerprints use this record.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import compress
from pathlib import Path
from typing import Any

from voxslice.data.csv_rows import read_csv_rows
from voxslice.data.file_names import locate
from voxslice.data.filters import text, texts
from voxslice.data.manifests import is_manifest, read_manifest

MADE = ("resources", "results", "logs", "benchmarks")
"""Folders that the workflow makes in the current folder."""
CONTENT_DIGITS = 32
"""Hexadecimal digits of a SHA-256 that name the content of a file."""


@dataclass(frozen=True)
class LocalData:
    """Local files and the utterances in them.

    Attributes:
        folder: the folder that the files are relative to
        files: names of the files, sorted
        keys: `file`, `start` and `end` of the utterances as a table has them, sorted
    """

    folder: str | Path
    files: Sequence[str]
    keys: Sequence[tuple[str, ...]] = ()

    def fingerprint(self, seen: str | Path | None = None) -> str:
        """Compute the fingerprint of the data.

        Args:
            seen: file with the record of a job (see `look`); it may be missing. If files have new
                times but the recorded content, the new times are added to the record. Their content
                is then read only once, and not each time the workflow is parsed.

        Returns:
            12 hexadecimal digits: those in the record if the utterances and the content of all
            files are as recorded, otherwise a digest of the utterances and of the files' states
        """
        states = self._states()
        record = _read_record(seen) if seen else None
        touched = self._touched(record, states) if record else None
        if record is None or touched is None:
            return _digest([*self.keys, *((file, *state) for file, state in states.items())])
        if seen and touched:
            files = record["files"]
            files |= {file: [*states[file], files[file][-1]] for file in touched}
            with suppress(OSError):  # without write permission the files are read again next time
                write_seen(record, seen)
        return str(record["fingerprint"])

    def _touched(
        self, record: Mapping[str, Any], states: Mapping[str, list[int]]
    ) -> list[str] | None:
        """Files with the recorded content but other times; None where anything else changed."""
        recorded = record["files"]
        if record["utterances"] != _digest(self.keys) or recorded.keys() != states.keys():
            return None
        if any(states[file][0] != recorded[file][0] for file in states):  # the size
            return None
        touched = [file for file in states if states[file] != recorded[file][:-1]]
        same = all(recorded[file][-1] == _content(self.folder, file) for file in touched)
        return touched if same else None

    def look(self, fingerprint: str, *, threads: int) -> dict[str, Any]:
        """Read all files and record their content.

        Args:
            fingerprint: fingerprint of the data when the workflow was parsed
            threads: number of files that are read at the same time

        Returns:
            the record that `fingerprint` compares with (see `write_seen`): `fingerprint`,
            `utterances` (a digest of the keys) and `files`, which gives for each file its size, its
            two times (ns) and its content (see `contents`)
        """
        states = self._states()  # before the content: a file that changes meanwhile has a new time
        there = [file for file, state in states.items() if state[0] >= 0]
        content = contents(self.folder, there, threads=threads)
        files = {file: [*state, content.get(file)] for file, state in states.items()}
        return {"fingerprint": fingerprint, "utterances": _digest(self.keys), "files": files}

    def _states(self) -> dict[str, list[int]]:
        """Size, modification time and status change time of each file; -1 where there is none.

        The status change time is needed because two files of one size that were written in the same
        second keep their sizes and modification times when their names are swapped.
        """
        states = {}
        for file in self.files:
            try:
                # three times as fast as a Path
                path = f"{self.folder}/{file}" if file.isascii() else locate(self.folder, file)
                state = os.stat(path)  # noqa: PTH116
                states[file] = [state.st_size, state.st_mtime_ns, state.st_ctime_ns]
            except (OSError, ValueError):  # no such file, or an impossible name
                states[file] = [-1, -1, -1]
        return states


def contents(folder: str | Path, files: Iterable[str], *, threads: int) -> dict[str, str | None]:
    """Compute a digest of the content of each file.

    Args:
        folder: the folder that the files are relative to
        files: names of the files
        threads: number of files that are read at the same time

    Returns:
        for each file the first 32 hexadecimal digits of its SHA-256; None where it cannot be read
    """
    names = list(files)
    with ThreadPoolExecutor(threads) as pool:
        found = pool.map(lambda name: _content(folder, name), names)
        return dict(zip(names, found, strict=True))


def _content(folder: str | Path, file: str) -> str | None:
    path = locate(folder, file)
    try:
        if not path.is_file():  # reading a pipe would never end
            return None
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()[:CONTENT_DIGITS]
    except (OSError, ValueError):
        return None


def tables_state(paths: Iterable[str | Path]) -> str:
    """Compute a digest of the content of tables. Modification times are ignored.

    Args:
        paths: the tables; they are read as a whole

    Returns:
        12 hexadecimal digits of the names and contents; a table that cannot be read has no content
    """
    found = [(Path(path).name, _content(Path(path).parent, Path(path).name)) for path in paths]
    return _digest(sorted(found, key=str))


def _read_record(path: str | Path) -> dict[str, Any] | None:
    """Read a record that `write_seen` wrote; None if there is no file, or another kind of file."""
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    valid = (
        isinstance(record, dict)
        and record.keys() == {"fingerprint", "utterances", "files"}
        and isinstance(record["files"], dict)
        and all(isinstance(row, list) and len(row) == 4 for row in record["files"].values())
    )
    return record if valid else None


def of_files(paths: Sequence[str | Path]) -> LocalData:
    """Local data of single files, for example the files of a model.

    Args:
        paths: the files, in one folder or in folders inside of it

    Returns:
        the files, without utterances
    """
    folder = Path(os.path.commonpath([Path(path).parent for path in paths]))
    return LocalData(folder, sorted(Path(path).relative_to(folder).as_posix() for path in paths))


def write_seen(seen: Mapping[str, Any], path: str | Path) -> None:
    """Write the record of `LocalData.look` to a file, completely or not at all.

    Args:
        seen: the record
        path: file to write
    """
    from voxslice.files import write_text  # it imports pandas, which takes long to import

    write_text(json.dumps(seen) + "\n", path)


def of_table(
    path: str | Path, audio: str | Path, filters: Mapping[str, Mapping[str, Any]]
) -> LocalData | None:
    """The utterances of a CSV table and their audio; other columns of the table are ignored.

    Args:
        path: the table, with the column `file` and optionally `start` and `end`
        audio: the folder that the files are relative to
        filters: for each name the `column` of the table and the `values` that are kept

    Returns:
        the utterances that are kept; None if the table cannot be read; the job that reads the table
        then explains the error
    """
    try:
        names, rows = _read_rows(path)
    except (OSError, ValueError):
        return None
    columns = {name: [row[index] for row in rows] for index, name in enumerate(names)}
    empty = [""] * len(rows)
    keys = zip(*(columns.get(name, empty) for name in ("file", "start", "end")), strict=True)
    chosen = [True] * len(rows)
    for source in filters.values():
        values = texts(source["values"])
        cells = columns.get(source["column"], empty)
        chosen = [
            before and text(cell) in values for before, cell in zip(chosen, cells, strict=True)
        ]
    kept = set(compress(keys, chosen))
    return LocalData(audio, sorted({key[0] for key in kept}), sorted(kept))


def _read_rows(path: str | Path) -> tuple[list[str], list[list[str]]]:
    """Names and rows of a table, as the jobs read them."""
    if is_manifest(path):
        return read_manifest(path)
    if Path(path).suffix != ".parquet":
        return read_csv_rows(path)
    from voxslice.data.user_tables import read_table  # heavy, so it is imported for Parquet only

    table = read_table(path)
    return list(table), table.fillna("").to_numpy().tolist()


def of_database(folder: str | Path) -> LocalData:
    """Local data of the media of a database, without its tables (see `tables_state`).

    Args:
        folder: the folder of the database

    Returns:
        all other files, without hidden files and files that the workflow makes
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
    return LocalData(folder, sorted(found))


def _digest(states: Iterable[tuple]) -> str:
    """12 hexadecimal digits that name a sequence of tuples."""
    content = "\n".join(repr(state) for state in states)
    return hashlib.sha256(content.encode("utf-8", "backslashreplace")).hexdigest()[:12]
