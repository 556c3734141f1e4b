"""Fetch datasets with audb."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import audb

from voxslice.errors import InputError

LOCK_TIMEOUT = 300  # seconds to wait for another process that loads into the same cache


def fetch_audb(
    folder: str | Path,
    *,
    name: str,
    version: str,
    repositories: Sequence[Mapping[str, str]],
    sampling_rate: int,
    format: str,
    cache: str | Path,
    num_workers: int = 1,
) -> None:
    """Download a database with audb as mono audio into a folder, together with its tables.

    Args:
        folder: where the database goes (made new): `db.yaml`, its tables and its media
        name: name of the database
        version: version of the database
        repositories: where to look, each with `name`, `host` and `backend`
        sampling_rate: of the media, in Hz
        format: of the media, wav or flac
        cache: audb's cache; it holds what was fetched before an interruption and is removed after
            success
        num_workers: threads that fetch and convert

    Raises:
        InputError: where no repository has the database in this version, or another process holds
            the cache
    """
    # audb would otherwise read repositories and caches from the user's home
    audb.config.REPOSITORIES = [
        audb.Repository(entry["name"], entry["host"], entry["backend"]) for entry in repositories
    ]
    cache = Path(cache).absolute()
    _require_version(name, version)
    db = audb.load(
        name,
        version=version,
        format=format,
        mixdown=True,
        sampling_rate=sampling_rate,
        full_path=False,
        cache_root=str(cache),
        num_workers=num_workers,
        timeout=LOCK_TIMEOUT,
        verbose=True,
    )
    if db is None:
        raise InputError(
            f"Another process has been loading into {cache} for {LOCK_TIMEOUT} s: end it, or delete"
            " the folder if there is none."
        )
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
