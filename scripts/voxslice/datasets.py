"""Datasets: fetch them with audb, list their utterances, read their metadata."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import audb
import audformat
import pandas as pd
from tqdm import tqdm

from voxslice.audio import seconds
from voxslice.errors import InputError
from voxslice.files import KEY

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


def list_utterances(folder: str | Path, table: str) -> pd.DataFrame:
    """List the utterances of a database: the rows of one of its tables.

    Args:
        folder: the database, as `fetch_audb` leaves it
        table: filewise or segmented table whose rows are the utterances

    Returns:
        `file` (relative to the folder), `start`, `end` and `duration` in seconds, ordered by key; a
        filewise row lasts from 0 to the end of its file

    Raises:
        InputError: where the table is missing or empty, or has a row twice
    """
    db = audformat.Database.load(str(folder), load_data=False)
    _require(table, list(db.tables), f"table in the database {db.name}")
    db[table].load(str(Path(folder) / f"db.{table}"))
    if len(db[table]) == 0:
        raise InputError(f"The table {table} of {db.name} has no rows: choose another table.")
    utterances = _keys(db[table].index, Path(folder))
    utterances["duration"] = utterances["end"] - utterances["start"]
    if utterances.duplicated(KEY).any():
        twice = utterances.loc[utterances.duplicated(KEY), "file"].iloc[0]
        raise InputError(f"The table {table} lists {twice} more than once: remove the repetition.")
    return utterances.sort_values(KEY, ignore_index=True)


def _keys(index: pd.Index, folder: Path) -> pd.DataFrame:
    """The keys of an audformat index, in seconds; an open end is the end of the file."""
    keys = audformat.utils.to_segmented_index(index, allow_nat=True).to_frame(index=False)
    keys["file"] = keys["file"].astype(str)
    keys["start"] = keys["start"].dt.total_seconds().astype(float)
    keys["end"] = keys["end"].dt.total_seconds().astype(float)
    unended = sorted(set(keys.loc[keys["end"].isna(), "file"]))
    lengths = {f: seconds(folder / f) for f in tqdm(unended, desc="durations", unit="file")}
    keys["end"] = keys["end"].fillna(keys["file"].map(lengths))
    return keys


def read_metadata(
    folder: str | Path, utterances: pd.DataFrame, columns: Mapping[str, Mapping[str, str]]
) -> pd.DataFrame:
    """Add metadata columns to the utterances.

    Args:
        folder: the database, as `fetch_audb` leaves it
        utterances: as `list_utterances` gives them
        columns: for each new column the `table` and `column` it is read from and, where the scheme
            of that column maps its labels to more (a speaker to an age), the `map` to follow

    Returns:
        the utterances with the new columns, `speaker` first where there is one; a value is missing
        where the table has no row for the utterance

    Raises:
        InputError: where a table, a column or a map does not exist
    """
    db = audformat.Database.load(str(folder))
    order = sorted(columns, key=lambda name: name != "speaker")  # sorting is stable
    result = utterances.copy()
    for name in order:
        source = columns[name]
        table, column, mapping = source["table"], source["column"], source.get("map")
        _require(table, list(db.tables), f"table in the database {db.name}")
        _require(column, list(db[table].columns), f"column in the table {table} of {db.name}")
        try:
            values = db[table][column].get(map=mapping)
        except ValueError as error:
            raise InputError(
                f"The column {column} of the table {table} has no map {mapping!r}: correct"
                f" 'map' of the column {name} in the config ({error})."
            ) from error
        result[name] = _align(values, utterances, Path(folder))
    return result


def _align(values: pd.Series, utterances: pd.DataFrame, folder: Path) -> pd.Series | pd.Categorical:
    """Values of a filewise or segmented column for each utterance, missing where it has none."""
    # a categorical cannot be matched without losing the order of its categories: match the codes
    categorical = isinstance(values.dtype, pd.CategoricalDtype)
    plain = values.cat.codes.replace(-1, pd.NA).astype("Int64") if categorical else values
    if audformat.is_filewise_index(values.index):
        found = plain.reindex(utterances["file"]).reset_index(drop=True)
    else:
        keyed = _keys(values.index, folder).assign(value=plain.to_numpy())
        found = utterances[KEY].merge(keyed, on=KEY, how="left")["value"]
    if categorical:
        codes = found.astype("Int64").fillna(-1).astype(int)
        return pd.Categorical.from_codes(codes, dtype=values.dtype)
    return found


def _require(name: str, names: list[str], what: str) -> None:
    if name not in names:
        raise InputError(
            f"There is no {what} called {name!r}: the config must name one of {', '.join(names)}."
        )
