"""Download datasets with audb."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import audb
import filelock

from voxslice.data.audb_contents import Contents, contents_of, legacy_table
from voxslice.data.audb_repositories import CheckedRepository
from voxslice.data.audb_tables import require_published
from voxslice.data.selection import files_needed
from voxslice.errors import InputError, reason_of

LOCK_TIMEOUT = 300.0
"""Seconds to wait for another process that uses the same cache; audb itself would wait a day."""


def fetch_audb(
    folder: str | Path,
    *,
    name: str,
    version: str,
    repositories: Sequence[Mapping[str, str]],
    sampling_rate: int,
    format: str,
    table: str,
    filters: Mapping[str, Mapping[str, Any]],
    cache: str | Path,
    num_workers: int = 1,
) -> None:
    """Download a database with audb: its tables as a whole and the mono audio of a selection.

    Nothing that a repository provides is trusted: headers must be plain YAML, archives must hold
    the published files only, and each file must have its published checksum.

    Args:
        folder: Where the database goes: `db.yaml`, the tables and the audio files. An earlier
            folder is replaced.
        name: Name of the database.
        version: Version of the database.
        repositories: Where to look for it, each with `name`, `host` and `backend`.
        sampling_rate: Sampling rate of the audio in Hz.
        format: Format of the audio, `wav` or `flac`.
        table: Table whose rows are the utterances; audio of other files is not downloaded.
        filters: Which utterances are wanted (see `files_needed`); audio of others is not
            downloaded.
        cache: Folder that audb downloads into. It keeps the files of an interrupted download and
            is removed after success.
        num_workers: Number of threads that download and convert.

    Raises:
        InputError: No repository has this version of the database, a file is missing, damaged or
            refused, the table or a column does not exist, the filter keeps nothing, or another
            process uses the cache.
        MachineError: The machine failed, for example because a disk is full.
    """
    _use(repositories, legacy_table(name, version))
    _require_version(name, version)
    cache = Path(cache).absolute()
    cache.mkdir(parents=True, exist_ok=True)
    with _only_user(cache), _errors_in_words(name, version):
        _remove_leftovers(cache)
        dependencies = audb.dependencies(name, version=version, cache_root=str(cache))
        _use(repositories, {**legacy_table(name, version), **contents_of(dependencies, name)})
        load = partial(
            audb.load,
            name,
            version=version,
            attachments=[],
            full_path=False,
            pickle_tables=False,
            cache_root=str(cache),
            num_workers=num_workers,
            timeout=LOCK_TIMEOUT,
            verbose=True,
        )
        flavor = {"format": format, "mixdown": True, "sampling_rate": sampling_rate}
        try:
            tables = load(only_metadata=True)
        except KeyError as error:  # raised by audb, which looks up the durations of all files
            raise InputError(
                f"The tables of {name} {version} name files that were not published ({error}): use"
                " another version or ask who published it."
            ) from error
        require_published(tables, tables.meta["audb"]["root"], dependencies)
        media = files_needed(tables, table, filters)
        load(media=media, **flavor)
        # with media, audb drops the rows of other files, and metadata of utterances would be lost
        db = load(only_metadata=True, **flavor)
        loaded = Path(db.meta.pop("audb")["root"])
        folder = Path(folder)
        if folder.exists():
            shutil.rmtree(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        for leftover in [*loaded.glob("db.*"), *loaded.glob(".complete")]:
            leftover.unlink()
        # tables in the cache of audb name the files as published, tables in memory as converted
        db.save(str(loaded), storage_format="parquet")
        shutil.move(loaded, folder)
        shutil.rmtree(cache)


def _use(repositories: Sequence[Mapping[str, str]], contents: Contents) -> None:
    """Let audb use these repositories only; by default it reads some from the user's home."""
    audb.config.REPOSITORIES = [CheckedRepository(place, contents) for place in repositories]


@contextmanager
def _errors_in_words(name: str, version: str) -> Iterator[None]:
    """Turn what audb, its backends and audio libraries raise into one sentence."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        cause = getattr(error, "exception", error)  # a BackendError does not give the reason
        reason = reason_of(cause, f"The dataset {name} {version}")[:300]
        raise InputError(
            f"The dataset {name} {version} cannot be fetched ({reason}): check the network and the"
            " dataset's repositories, or ask who published it."
        ) from error


@contextmanager
def _only_user(cache: Path) -> Iterator[None]:
    """Lock a cache for this process; the system unlocks it if the process is killed."""
    lock = filelock.FileLock(cache / "held", timeout=LOCK_TIMEOUT)
    try:
        lock.acquire()
    except filelock.Timeout as error:
        raise InputError(
            f"Another process has been loading into {cache} for {LOCK_TIMEOUT / 60:.0f} minutes:"
            " let it finish or end it, and start again; if there is none, delete that folder."
        ) from error
    try:
        yield
    finally:
        lock.release()


def _remove_leftovers(cache: Path) -> None:
    """Remove what a killed process left, except for audio, which audb moves there as a whole.

    Locks of audb are stale here, and a table may be incomplete or already converted.
    """
    for pattern in (".*.lock", "db.*", ".complete"):
        for file in list(cache.rglob(pattern)):
            file.unlink()


def _require_version(name: str, version: str) -> None:
    places = ", ".join(
        f"{repository.name} at {repository.host}" for repository in audb.config.REPOSITORIES
    )
    try:
        versions = audb.versions(name)
    except Exception as error:  # each backend raises other errors
        raise InputError(
            f"The repositories cannot be searched for {name} ({error}): check the network and"
            f" the dataset's repositories ({places})."
        ) from error
    if version not in versions:
        found = f"has the versions {', '.join(versions)}" if versions else "is in none of them"
        raise InputError(
            f"The dataset {name} {version} does not exist in the repositories {places}: {name}"
            f" {found}; change the dataset's name, version or repositories."
        )
