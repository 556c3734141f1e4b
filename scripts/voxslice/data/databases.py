"""Databases in the audformat: their utterances and their metadata."""

import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import audformat
import pandas as pd

from voxslice.data.column_types import category_text, settled
from voxslice.data.database_headers import read_header
from voxslice.data.parquet_sizes import require_bounded
from voxslice.data.selection import column_of, kept, table_of
from voxslice.data.unit_columns import as_text, unit_columns
from voxslice.data.utterances import ordered, require_inside, with_ends
from voxslice.errors import InputError, reason_of
from voxslice.utterance_keys import KEY


def list_utterances(
    folder: str | Path,
    table: str,
    filters: Mapping[str, Mapping[str, Any]],
    links: str = "inside",
) -> pd.DataFrame:
    """List the utterances of a database: the rows of one of its tables.

    Args:
        folder: Folder of the database.
        table: Filewise or segmented table whose rows are the utterances.
        filters: For each name the `table` and `column` to read, optionally a `map` (see
            `read_metadata`), and the `values` that are kept.
        links: Whether symbolic links may lead out of the folder (see `require_inside`).

    Returns:
        `file` (relative to the folder), `start`, `end` and `duration` in seconds, sorted. A row of
        a filewise table lasts from 0 to the end of its file.

    Raises:
        InputError: The table is missing or empty, has a row twice or names a file outside of the
            folder, or a filter keeps nothing.
    """
    db = _load(folder, None if filters else table)
    source = f"The table {table} of {db.name}"
    rows = table_of(db, table)
    require_inside(rows.files, folder, source, links)
    utterances = ordered(_keys(rows.index, folder), source)
    if not filters:
        return utterances
    values = _read(db, folder, utterances, filters)
    wanted = {name: source["values"] for name, source in filters.items()}
    return utterances[kept(values, wanted, source)].reset_index(drop=True)


def _load(folder: str | Path, table: str | None = None) -> audformat.Database:
    """Load a database with one table, or with all tables if `table` is None.

    audformat would run code from the header and from tables that are pickles, which it prefers. It
    therefore gets a folder with the checked header and the tables in CSV and Parquet.
    """
    folder = Path(folder).absolute()
    header = read_header(folder / "db.yaml")
    with tempfile.TemporaryDirectory() as safe:
        (Path(safe) / "db.yaml").write_text(header, encoding="utf-8")
        for pattern in ("db.*.csv", "db.*.parquet"):
            for file in folder.glob(pattern):
                if file.is_file():  # reading a pipe would never end
                    (Path(safe) / file.name).symlink_to(file)
        try:
            for file in Path(safe).glob("db.*.parquet"):
                if table is None or file.name == f"db.{table}.parquet":
                    require_bounded(file, name=file.name)
            db = audformat.Database.load(safe, load_data=table is None)
            if table in db.tables:
                db[table].load(str(Path(safe) / f"db.{table}"))
        except InputError:
            raise
        except Exception as error:  # each part of a database fails in its own way
            reason = reason_of(error, f"The database in {folder}").replace(safe, str(folder))[:300]
            raise InputError(
                f"The database in {folder} cannot be loaded ({reason}): name a folder with db.yaml"
                " and the tables as CSV or Parquet."
            ) from error
    return db


def _keys(index: pd.Index, folder: str | Path) -> pd.DataFrame:
    """Keys of an audformat index in seconds; an open end becomes the end of the file."""
    keys = audformat.utils.to_segmented_index(index, allow_nat=True).to_frame(index=False)
    keys["file"] = keys["file"].astype(str)
    keys["start"] = keys["start"].dt.total_seconds().astype(float)
    keys["end"] = keys["end"].dt.total_seconds().astype(float)
    return with_ends(keys, folder)


def read_metadata(
    folder: str | Path, utterances: pd.DataFrame, columns: Mapping[str, Mapping[str, str]]
) -> pd.DataFrame:
    """Add metadata columns to the utterances.

    Args:
        folder: Folder of the database.
        utterances: Utterances as `list_utterances` returns them.
        columns: For each new column the `table` and `column` it is read from and, optionally, the
            `map` of the column's scheme to follow (from a speaker to an age) and the `type` of the
            values (`number` or `category`).

    Returns:
        The utterances with the new columns, `speaker` first if there is one. Durations are in
        seconds. A value is missing if the table has no row for the utterance.

    Raises:
        InputError: A table, a column or a map does not exist, the values do not have the given
            type, or they are neither numbers nor categories.
    """
    return _read(_load(folder), folder, utterances, columns)


def read_unit_columns(
    folder: str | Path, utterances: pd.DataFrame, known: Collection[Mapping[str, str]]
) -> pd.DataFrame:
    """Read the columns that describe a unit by their name, and that the config does not name.

    Args:
        folder: Folder of the database.
        utterances: Utterances as `list_utterances` returns them.
        known: `table` and `column` of the columns that are left out.

    Returns:
        The keys of the utterances, and one text column per unit. Its name is the settings of the
        column in the config. Columns that are no text, numbers or categories are left out.
    """
    db = _load(folder)
    table = utterances[KEY].copy()
    sources = [
        {"table": name, "column": column} for name in db.tables for column in db[name].columns
    ]
    for source in unit_columns(sources):
        if source in known:
            continue
        try:
            values = _align(_values(db, source["column"], source), utterances, folder)
        except InputError:  # dates and lists are no units
            continue
        table[as_text(source)] = category_text(pd.Series(values)).to_numpy()
    return table


def _read(
    db: audformat.Database,
    folder: str | Path,
    utterances: pd.DataFrame,
    columns: Mapping[str, Mapping[str, Any]],
) -> pd.DataFrame:
    result = utterances.copy()
    for name in sorted(columns, key=lambda name: name != "speaker"):  # sorting is stable
        result[name] = _align(_values(db, name, columns[name]), utterances, folder)
    return result


def _values(db: audformat.Database, name: str, source: Mapping[str, Any]) -> pd.Series:
    """The values of a column with their type, by the index of its table."""
    values = column_of(db, name, source)
    where = f"The table {source['table']} of {db.name}"
    kind = "category" if name == "speaker" else source.get("type")
    return settled(values.rename(name), kind, source=where)


def _align(
    values: pd.Series, utterances: pd.DataFrame, folder: str | Path
) -> pd.Series | pd.Categorical:
    """Values of a filewise or segmented column, one per utterance; missing if it has no row."""
    # matching would lose the order of the categories, so their codes are matched
    categorical = isinstance(values.dtype, pd.CategoricalDtype)
    plain = values.cat.codes.replace(-1, pd.NA).astype("Int64") if categorical else values
    if audformat.is_filewise_index(values.index):
        found = plain.reindex(utterances["file"]).reset_index(drop=True)
    else:
        # other files are not opened: their names were not checked
        listed = values.index.get_level_values("file").isin(utterances["file"])
        keyed = _keys(values.index[listed], folder).assign(value=plain[listed].array)
        found = utterances[KEY].merge(keyed, on=KEY, how="left")["value"]
    if categorical:
        codes = found.astype("Int64").fillna(-1).astype(int)
        return pd.Categorical.from_codes(codes, dtype=values.dtype)
    return found
