"""Columns of data as charts and the interactive view show them."""

from collections.abc import Collection

import pandas as pd

from voxslice.shown_text import visible


def visible_column(column: pd.Series) -> pd.Series:
    """Make the control characters of text visible.

    Args:
        column: Column of any type.

    Returns:
        The column. Categories keep their order; those that look the same become one.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        names = {name: _visible_cell(name) for name in column.cat.categories}
        if all(name == shown for name, shown in names.items()):
            return column
        kind = pd.CategoricalDtype(list(dict.fromkeys(names.values())), column.cat.ordered)
        return column.astype(object).map(names).astype(kind)
    if column.dtype != object:
        return column
    return pd.Series(map(_visible_cell, column), column.index, dtype=object)


def visible_table(table: pd.DataFrame, raw: Collection[str] = ()) -> pd.DataFrame:
    """Make the control characters of a table visible, also in the names of its columns.

    Args:
        table: Table to show.
        raw: Columns that stay as they are, such as paths that are opened.

    Returns:
        The table to show.
    """
    columns = {name: table[name] if name in raw else visible_column(table[name]) for name in table}
    return pd.DataFrame(columns, index=table.index).rename(columns=visible)


def _visible_cell(cell: object) -> object:
    """Make the control characters of a cell visible if it is text."""
    return visible(cell) if isinstance(cell, str) else cell
