"""The files of a database on audb, from its dependency table, which is checked.

The dependency table names each published file with its archive and its checksum. It comes from the
repository like everything else, so its names are checked before any of them becomes a path.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

import audb

from voxslice.errors import InputError

MEDIA, TABLE = 1, 0
"""Types of files in a dependency table. The third type, attachments, is never downloaded."""
REQUIRED = ["archive", "checksum", "type", "version"]
PCM_FORMATS = {"wav", "flac"}
MAX_SAMPLE_BYTES = 8
EXTRA_BYTES = 100_000_000
"""Bytes that an audio file may have beyond its samples, such as pictures and texts."""


@dataclass(frozen=True)
class PublishedFile:
    """One file as it was published.

    Attributes:
        checksum: MD5 in hexadecimal, or None if nothing tells it.
        removed: Whether the publisher withdrew the file, so that its archive may lack it.
        max_bytes: Most bytes that audio of the published duration can take, or None if nothing
            tells it.
    """

    checksum: str | None
    removed: bool = False
    max_bytes: float | None = None


Contents = Mapping[tuple[str, str], Mapping[str, PublishedFile]]
"""Published files by name, for each remote file or archive (path in the repository, version)."""


def legacy_table(name: str, version: str) -> Contents:
    """Contents of the archive that holds the dependency table of an old database.

    Args:
        name: Name of the database.
        version: Version of the database.

    Returns:
        The archive with the one file that may be in it, a CSV table.
    """
    return {(f"/{name}/db.zip", version): {"db.csv": PublishedFile(checksum=None)}}


def contents_of(dependencies: audb.Dependencies, name: str) -> Contents:
    """List the files that each archive of a database must contain.

    Args:
        dependencies: The dependency table of one version of the database.
        name: Name of the database.

    Returns:
        The published media and tables of each archive, and of each table that is not archived.

    Raises:
        InputError: The table lacks a value, lists a file twice or has a name that is not plain,
            such as one that leads out of the folder or that audb uses itself.
    """
    table = dependencies()
    table = table[table["type"] != 2]
    if table[REQUIRED].isna().any(axis=None) or not table.index.is_unique:
        raise InputError(
            f"The dependency table of {name} lacks a value or lists a file twice: use another"
            " repository or ask who published it."
        )
    contents: dict[tuple[str, str], dict[str, PublishedFile]] = {}
    for file, row in zip(table.index, table.to_dict("records"), strict=True):
        _require_plain(file, row, name)
        remote = (f"/{name}/{_remote_path(file, row)}", row["version"])
        contents.setdefault(remote, {})[file] = PublishedFile(
            checksum=row["checksum"],
            removed=bool(row["removed"]),
            max_bytes=_max_bytes(row),
        )
    return contents


def _require_plain(file: str, row: Mapping[str, Any], name: str) -> None:
    path = PurePosixPath(file)
    is_table = row["type"] == TABLE and path.suffix in (".csv", ".parquet")
    plain = (
        path.as_posix() == file
        and not path.is_absolute()
        and not {"..", "."} & set(path.parts)
        and not any(character in file for character in "\\\0")
        and path.parts[0] != ".complete"
        and path.parts[0].startswith("db.") == is_table
        and (len(path.parts) == 1 or not is_table)
    )
    if not plain or ".." in f"{row['archive']}/{row['version']}".split("/"):
        raise InputError(
            f"The dependency table of {name} lists {file[:200]!r} in the archive"
            f" {row['archive']!r}, which is not a name for a file of a database: use another"
            " repository or ask who published it."
        )


def _remote_path(file: str, row: Mapping[str, Any]) -> str:
    if row["type"] == MEDIA:
        return f"media/{row['archive']}.zip"
    table = PurePosixPath(file[len("db.") :])
    return f"meta/{table}" if table.suffix == ".parquet" else f"meta/{table.stem}.zip"


def _max_bytes(row: Mapping[str, Any]) -> float | None:
    if row["type"] != MEDIA or row["format"] not in PCM_FORMATS:
        return None
    samples = float(row["duration"]) * float(row["sampling_rate"]) * float(row["channels"])
    return EXTRA_BYTES + samples * MAX_SAMPLE_BYTES
