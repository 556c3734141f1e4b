"""What a config picks of a database: tables, columns, and the rows that a filter keeps."""

from collections.abc import Mapping, Sequence
from typing import Any

import audformat
import pandas as pd

from voxslice.data.filters import text, texts
from voxslice.errors import InputError

SHOWN = 10
"""Most values that a message lists."""


def table_of(db: audformat.Database, table: str) -> audformat.Table:
    """A table of utterances.

    Raises:
        InputError: where the database has no such table
    """
    _require(table, list(db.tables), f"table in the database {db.name}")
    return db[table]


def column_of(db: audformat.Database, name: str, source: Mapping[str, Any]) -> pd.Series:
    """A column of a table, or what its scheme maps it to.

    Args:
        db: with its tables
        name: of the column in the config, for the message
        source: the `table` and `column` and, where the scheme of that column maps its labels to
            more (a speaker to an age), the `map` to follow

    Returns:
        the values by the table's index

    Raises:
        InputError: where the table, the column or the map does not exist
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
    """Files of which a filter may keep an utterance, as far as tables without audio tell.

    Args:
        db: with its tables
        table: filewise or segmented table whose rows are the utterances
        filters: for each name where it is read (see `column_of`), and the `values` that are kept

    Returns:
        the files, sorted. Of a file with several segments, each part of the filter may keep
        another one, and then none is kept: which segments are one utterance, tells the audio

    Raises:
        InputError: where the table or a filter's column does not exist, or a filter keeps nothing
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
    """Which utterances a filter keeps.

    Args:
        values: one row an utterance, a column for each key of the filter
        filters: the wanted values of each column
        source: what the values are read from, for messages

    Returns:
        whether each row has a wanted value in every column; a missing value is none

    Raises:
        InputError: where a wanted value does not occur, or no row has all of them
    """
    result = pd.Series(True, index=values.index)
    for name, wanted in filters.items():
        column = values[name].astype("object").map(text, na_action="ignore")
        found = sorted(set(column.dropna()))
        absent = [value for value in wanted if text(value) not in found]
        if absent:
            more = ", ..." if len(found) > SHOWN else ""
            raise InputError(
                f"The filter of {name} names {absent[0]!r}, which does not occur in {source}: the"
                f" values are {', '.join(found[:SHOWN])}{more}."
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
