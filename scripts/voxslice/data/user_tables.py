"""Tables that users give."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from voxslice.errors import InputError


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table as text, so that a class may be called 1, NA or true.

    Args:
        path: a CSV or Parquet file

    Returns:
        string columns; an empty cell is missing

    Raises:
        InputError: where the file cannot be read
    """
    try:
        if Path(path).suffix == ".parquet":
            # an index that pandas saved is a column like any other
            table = pq.read_table(path).to_pandas(ignore_metadata=True)
        else:
            # index_col: else a comma at the end of each row shifts the columns; the warning is of
            # rows that are longer than the first line, whose cells cannot be told apart
            with warnings.catch_warnings(action="error", category=pd.errors.ParserWarning):
                table = pd.read_csv(
                    path,
                    dtype="string",
                    keep_default_na=False,
                    na_values=[""],
                    encoding="utf-8-sig",
                    index_col=False,
                )
    except (ValueError, OSError, pd.errors.ParserWarning) as error:  # of pandas and pyarrow
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"{path} cannot be read ({reason}): save it as CSV in UTF-8 with commas, or as Parquet."
        ) from error
    return table.astype("string")


def numbers(table: pd.DataFrame, column: str, source: str) -> pd.Series:
    """Read a column of numbers; an empty cell is NaN.

    Args:
        table: as `read_table` gives it, with the column `file`
        column: of the table
        source: name of the table, for the message

    Returns:
        float

    Raises:
        InputError: where a cell holds anything else
    """
    values = pd.to_numeric(table[column], errors="coerce").astype("Float64").astype(float)
    wrong = table[column].notna().to_numpy() & ~np.isfinite(values.to_numpy())
    if wrong.any():
        row = table.iloc[int(wrong.argmax())]
        raise InputError(
            f"{source} has {row[column]!r} as {column} of {row['file']}, which is not a number:"
            " correct it or leave it empty."
        )
    return values
