"""What a config selects from a dataset: tables, columns, and rows that a filter keeps."""

from collections.abc import Mapping, Sequence
from typing import Any

import audformat
import pandas as pd

from voxslice.data.filters import text, texts
from voxslice.errors import InputError

MAX_VALUES_SHOWN = 10
"""Most values that a message lists."""


def table_of(db: audformat.Database, table: str) -> audformat.Table:
    """Get a table of a database.

    Args:
        db: Database.
        table: Id of a filewise or segmented table.

    Returns:
        The table.

    Raises:
        InputError: The database has no such table.
    """
    _require(table, list(db.tables), f"table in the database {db.name}")
    return db[table]


def column_of(db: audformat.Database, name: str, source: Mapping[str, Any]) -> pd.Series:
    """Read a column of a table, or what the scheme of the column maps its labels to.

    Args:
        db: Database with its tables.
        name: Name of the column in the config, for the message.
        source: The `table` and `column`. With a `map`, each label is replaced by what the scheme of
            the column maps it to, as a speaker to an age.

    Returns:
        The values by the index of the table.

    Raises:
        InputError: The table, the column or the map does not exist.
    """
    table, column, mapping = source["table"], source["column"], source.get("map")
    columns = table_of(db, table).columns
    _require(column, list(columns), f"column in the table {table} of {db.name}")
    try:
        return db[table][column].get(map=mapping)
    except ValueError as error:
        raise InputError(
            f"The column {column} of the table {table} has no map {mapping!r}: correct"
            f" 'map' of the column {name} in the config ({error})."
        ) from error


def files_needed(
    db: audformat.Database, table: str, filters: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    """List the files of which a filter may keep an utterance.

    Only the tables are read, since the audio is not downloaded yet. If a file has several segments,
    each column of the filter may keep another segment. The file is then listed although no
    utterance is kept: the ends of segments are known only with the audio.

    Args:
        db: Database with its tables.
        table: Filewise or segmented table whose rows are the utterances.
        filters: For each name the `table` and `column` to read (see `column_of`), and the `values`
            that are kept.

    Returns:
        The names of the files, sorted.

    Raises:
        InputError: The table or a column does not exist, or the filter keeps nothing.
    """
    found = set(table_of(db, table).files)
    for name, source in filters.items():
        values = column_of(db, name, source)
        where = f"the table {source['table']} of {db.name}"
        rows = kept(pd.DataFrame({name: values}), {name: source["values"]}, where)
        found &= set(values.index[rows.to_numpy()].get_level_values("file"))
    if filters and not found:
        raise InputError(f"The filter leaves no utterance of the table {table}: widen it.")
    return sorted(found)


def kept(values: pd.DataFrame, filters: Mapping[str, Sequence[Any]], source: str) -> pd.Series:
    """Find the utterances that a filter keeps.

    Args:
        values: One row per utterance, with a column for each name of the filter.
        filters: The wanted values of each column.
        source: What the values are read from, for the message.

    Returns:
        Whether each row has a wanted value in every column. A missing value is never wanted.

    Raises:
        InputError: A wanted value does not occur, or no row has wanted values in all columns.
    """
    result = pd.Series(True, index=values.index)
    for name, wanted in filters.items():
        column = values[name].astype("object").map(text, na_action="ignore")
        found = sorted(set(column.dropna()))
        absent = [value for value in wanted if text(value) not in found]
        if absent:
            more = ", ..." if len(found) > MAX_VALUES_SHOWN else ""
            raise InputError(
                f"The filter of {name} names {absent[0]!r}, which does not occur in {source}: the"
                f" values are {', '.join(found[:MAX_VALUES_SHOWN])}{more}."
            )
        result &= column.isin(texts(wanted))
    if not result.any():
        raise InputError(f"The filter leaves no utterance of {source}: widen it.")
    return result


def _require(name: str, names: list[str], what: str) -> None:
    if name not in names:
        raise InputError(
            f"There is no {what} called {name!r}: the config must name one of {', '.join(names)}."
        )
