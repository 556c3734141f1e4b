"""Fetch datasets with audb."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import audb
import filelock

from voxslice.data.selection import files_needed
from voxslice.errors import InputError

LOCK_TIMEOUT = 300.0
"""Seconds to wait for another process that loads into the same cache; audb itself waits a day."""


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
    """Download a database with audb into a folder: mono audio of what is asked for, and its tables.

    Args:
        folder: where the database goes (made new): `db.yaml`, its tables, whole, and the media
        name: name of the database
        version: version of the database
        repositories: where to look, each with `name`, `host` and `backend`
        sampling_rate: of the media, in Hz
        format: of the media, wav or flac
        table: whose rows are the utterances; media that it does not name are not fetched
        filters: which utterances are wanted (see `files_needed`), the media of others are not
            fetched
        cache: audb's cache; it holds what was fetched before an interruption and is removed after
            success
        num_workers: threads that fetch and convert

    Raises:
        InputError: where no repository has the database in this version, it has no such table or
            column, the filter keeps nothing, or another process holds the cache
    """
    # audb would otherwise read repositories and caches from the user's home
    audb.config.REPOSITORIES = [
        audb.Repository(entry["name"], entry["host"], entry["backend"]) for entry in repositories
    ]
    _require_version(name, version)
    cache = Path(cache).absolute()
    cache.mkdir(parents=True, exist_ok=True)
    with _only_user(cache):
        _remove_leftovers(cache)
        load = partial(
            audb.load,
            name,
            version=version,
            attachments=[],
            full_path=False,
            cache_root=str(cache),
            num_workers=num_workers,
            timeout=LOCK_TIMEOUT,
            verbose=True,
        )
        flavor = {"format": format, "mixdown": True, "sampling_rate": sampling_rate}
        media = files_needed(load(only_metadata=True), table, filters)
        load(media=media, **flavor)
        # with media, tables lose the rows of the others; a filter would miss values that those have
        db = load(only_metadata=True, **flavor)
        loaded = Path(db.meta.pop("audb")["root"])
        folder = Path(folder)
        if folder.exists():
            shutil.rmtree(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        for leftover in [*loaded.glob("db.*"), *loaded.glob(".complete")]:
            leftover.unlink()
        # the tables in audb's cache name the files as published, those in memory as converted
        db.save(str(loaded), storage_format="parquet")
        shutil.move(loaded, folder)
        shutil.rmtree(cache)


@contextmanager
def _only_user(cache: Path) -> Iterator[None]:
    """Hold a cache alone; where a process is killed, the system lets go of what it held."""
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
    """Remove what a killed process has left, except for media, which audb moves there whole.

    A lock of audb is stale here, and a table may be half-written or already converted.
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
    except Exception as error:  # each backend raises its own kind when it cannot be reached
        raise InputError(
            f"The repositories cannot be asked for {name} ({error}): check the network and"
            f" the dataset's repositories ({places})."
        ) from error
    if version not in versions:
        have = f"has the versions {', '.join(versions)}" if versions else "is in none of them"
        raise InputError(
            f"The dataset {name} {version} does not exist in the repositories {places}: {name}"
            f" {have}; change the dataset's name, version or repositories."
        )
