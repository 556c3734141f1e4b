"""Data that stays where it is: fingerprints by which a change of it is seen.

Snakemake sees no change within a folder, and asking it to watch every file takes minutes where
there are many. Imported whenever Snakemake parses the workflow: it stays light.

A file counts as changed where its size or time of change is another. Only the content tells whether
a file was touched or copied anew, and reading all of it takes too long for parsing: so a job, once
it has to look at the data anyway, leaves what it has seen.
"""

import csv
import hashlib
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from voxslice.data.filters import text, texts

MADE = ("resources", "results", "logs", "benchmarks")
"""Folders that the workflow makes in the current folder."""


@dataclass(frozen=True)
class LocalData:
    """What the workflow reads where it is.

    Attributes:
        folder: that the files are relative to
        files: sorted
        keys: `file`, `start` and `end` of the utterances as a table has them, sorted
    """

    folder: str | Path
    files: Sequence[str]
    keys: Sequence[tuple[str, ...]] = ()

    def fingerprint(self, seen: str | Path | None = None) -> str:
        """Name the state of the data.

        Args:
            seen: file in which a job has left what it saw, maybe missing; new times of the same
                content are noted there, so that it is read once, and not at each parsing

        Returns:
            12 hexadecimal digits; the same as those under which the job saw the same utterances and
            files of the same content
        """
        states = self._states()
        try:
            before = json.loads(Path(seen).read_text(encoding="utf-8")) if seen else {}
        except (OSError, ValueError):
            before = {}
        touched = self._touched(before, states) if before else None
        if touched is None:
            return _digest([*self.keys, *((file, *state) for file, state in states.items())])
        if seen and touched:
            before["files"] |= {file: [*states[file], before["files"][file][2]] for file in touched}
            with suppress(OSError):  # who may only read the study, reads the files again
                write_seen(before, seen)
        return str(before["fingerprint"])

    def _touched(
        self, before: Mapping[str, Any], states: Mapping[str, list[int]]
    ) -> list[str] | None:
        """Files with the content that a job saw, but another time; None where more has changed."""
        then = before["files"]
        if before["utterances"] != _digest(self.keys) or then.keys() != states.keys():
            return None
        if any(states[file][0] != then[file][0] for file in states):  # the size
            return None
        touched = [file for file in states if states[file] != then[file][:2]]
        return touched if all(then[file][2] == self._content(file) for file in touched) else None

    def look(self, fingerprint: str, *, threads: int) -> dict[str, Any]:
        """Read all files.

        Args:
            fingerprint: of the data as the workflow was parsed
            threads: files that are read at the same time

        Returns:
            what `fingerprint` wants to find (see `write_seen`): the fingerprint, a digest of the
            utterances, and of each file its size, time of change (ns) and SHA-256; None for what is
            no file
        """
        states = self._states()  # before the content: what changes meanwhile has another time
        there = [file for file, (size, _) in states.items() if size >= 0]
        with ThreadPoolExecutor(threads) as pool:
            contents = dict(zip(there, pool.map(self._content, there), strict=True))
        files = {file: [*state, contents.get(file)] for file, state in states.items()}
        return {"fingerprint": fingerprint, "utterances": _digest(self.keys), "files": files}

    def _states(self) -> dict[str, list[int]]:
        """Size and time of change of each file, -1 where there is none."""
        states = {}
        for file in self.files:
            try:
                state = os.stat(f"{self.folder}/{file}")  # noqa: PTH116 (thrice as fast as a Path)
                states[file] = [state.st_size, state.st_mtime_ns]
            except (OSError, ValueError):  # no such file, or a name that none can have
                states[file] = [-1, -1]
        return states

    def _content(self, file: str) -> str | None:
        path = Path(self.folder, file)
        try:
            if not path.is_file():  # reading a pipe would wait for ever
                return None
            with path.open("rb") as opened:
                return hashlib.file_digest(opened, "sha256").hexdigest()
        except (OSError, ValueError):
            return None


def of_files(paths: Sequence[str | Path]) -> LocalData:
    """Files of one folder, as those of a model."""
    return LocalData(Path(paths[0]).parent, sorted(Path(path).name for path in paths))


def write_seen(seen: Mapping[str, Any], path: str | Path) -> None:
    """Write what `LocalData.look` gave, whole or not at all."""
    from voxslice.files import write_text  # imports pandas, which parsing does not need

    write_text(json.dumps(seen) + "\n", path)


def of_table(
    path: str | Path, audio: str | Path, filters: Mapping[str, Mapping[str, Any]]
) -> LocalData | None:
    """The utterances of a CSV table and their audio; its other columns are left alone.

    Args:
        path: of the table, with `file` and maybe `start` and `end`
        audio: folder that the files are relative to
        filters: for each name the `column` of the table and the `values` that are kept

    Returns:
        what is kept; None where the table cannot be read, which the job that reads it explains
    """
    try:
        with Path(path).open(newline="", encoding="utf-8-sig") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error):
        return None
    wanted = [(source["column"], texts(source["values"])) for source in filters.values()]
    kept = {
        tuple(row.get(name) or "" for name in ("file", "start", "end"))
        for row in rows
        if all(text(row.get(column) or "") in values for column, values in wanted)
    }
    return LocalData(audio, sorted({key[0] for key in kept}), sorted(kept))


def of_database(folder: str | Path) -> LocalData:
    """The media of a database, but not its tables, which are inputs of the rules.

    Args:
        folder: looked at with all that is in it, except what is hidden or made by the workflow
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
    content = "\n".join(repr(state) for state in states)
    return hashlib.sha256(content.encode("utf-8", "backslashreplace")).hexdigest()[:12]
