"""Tables that users write: CSV and Parquet files, read as text."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from voxslice.data.column_types import category_text, composed, parse_numbers
from voxslice.data.csv_rows import read_csv_rows
from voxslice.data.manifests import is_manifest, read_manifest
from voxslice.data.parquet_sizes import require_bounded
from voxslice.errors import InputError
from voxslice.unicode_text import nfc


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table as text, so that a class may be called 1, NA or true.

    Args:
        path: a CSV or Parquet file, or a manifest (see `voxslice.data.manifests`)

    Returns:
        string columns, one row per line; an empty cell is missing. Columns of lists are left out

    Raises:
        InputError: if the file cannot be read, or would take much more memory than its size makes
            plausible
    """
    try:
        if Path(path).suffix == ".parquet":
            # an index that pandas saved is a column like any other
            schema = pq.read_schema(path)
            flat = [field.name for field in schema if not pa.types.is_nested(field.type)]
            require_bounded(path, flat)
            table = pq.read_table(path, columns=flat).to_pandas(ignore_metadata=True)
        else:
            read = read_manifest if is_manifest(path) else read_csv_rows
            names, rows = read(path)
            cells = [[row[index] or None for row in rows] for index in range(len(names))]
            table = pd.DataFrame(
                {
                    name: pd.array(column, dtype="string")
                    for name, column in zip(names, cells, strict=True)
                }
            )
    except InputError:
        raise
    except (ValueError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path} cannot be read ({reason}): correct it, or save it as CSV in UTF-8 or as"
            " Parquet."
        ) from error
    table = table.apply(category_text).astype("string").rename(columns=nfc)
    if not table.columns.is_unique:
        twice = table.columns[table.columns.duplicated()][0]
        raise InputError(f"{path} has more than one column called {twice!r}: rename one of them.")
    # the names of files stay as they are: two files may differ in their Unicode form alone
    return table.apply(lambda column: column if column.name == "file" else composed(column))


def numbers(table: pd.DataFrame, column: str, source: str) -> pd.Series:
    """Read a column of numbers.

    Args:
        table: text, as `read_table` returns it, with the column `file`
        column: name of the column
        source: name of the table, for the message

    Returns:
        the numbers as float, NaN where a cell is empty or holds a word for a missing value

    Raises:
        InputError: if a cell is not a number
    """
    values, wrong = parse_numbers(table[column])
    _require_none(wrong, table, column, source, "a number")
    return values


def times(table: pd.DataFrame, column: str, source: str) -> pd.Series:
    """Read a column of times.

    Args:
        table: text, as `read_table` returns it, with the column `file`
        column: name of the column, whose cells are seconds, as in `1.5`, or durations with hours,
            minutes and seconds, as in `0 days 00:00:01.5`
        source: name of the table, for the message

    Returns:
        the times in seconds as float, NaN where a cell is empty

    Raises:
        InputError: if a cell is not a time
    """
    cells = table[column]
    seconds, other = parse_numbers(cells)
    with_hours = other & cells.str.contains(":", regex=False).fillna(False).astype(bool)
    durations = pd.to_timedelta(cells[with_hours].astype(object), errors="coerce")
    seconds[with_hours] = durations.dt.total_seconds()
    _require_none(cells.notna() & seconds.isna(), table, column, source, "a time in seconds")
    return seconds


def _require_none(
    wrong: pd.Series, table: pd.DataFrame, column: str, source: str, wanted: str
) -> None:
    """Refuse a table if a cell is wrong, and name the first wrong cell."""
    if wrong.any():
        row = table.iloc[int(wrong.to_numpy().argmax())]
        raise InputError(
            f"{source} has {row[column]!r} as {column} of {row['file']}, which is not {wanted}:"
            " correct it or leave it empty."
        )
