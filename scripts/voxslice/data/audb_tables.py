"""Tables of an audb repository, compared with the checksums in its dependency table.

audformat publishes the checksum of a table's content, because the bytes of a Parquet file differ
each time it is written. audformat also writes that checksum into the file, where a forged table can
copy it. It is therefore computed again from the content.
"""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import audb
import audformat
import numpy as np
import pandas as pd
import pyarrow as pa

from voxslice.data.audb_archives import ADVICE
from voxslice.errors import InputError

OLD_CHECKSUM_ROWS = 1000
"""Most rows that a checksum of audformat before version 1.4 covers completely."""

_md5 = partial(hashlib.md5, usedforsecurity=False)  # what audb publishes


def require_published(
    db: audformat.Database, folder: str | Path, dependencies: audb.Dependencies
) -> None:
    """Compare each table in Parquet with its published checksum.

    Args:
        db: Database with its tables, as audb loads it.
        folder: Folder of the files of the tables.
        dependencies: The dependency table of the same version of the database.

    Raises:
        InputError: The content of a table has another checksum.
    """
    for table in [*db.tables, *db.misc_tables]:
        file = f"db.{table}.parquet"
        if file not in dependencies.tables:
            continue  # a table in CSV is compared byte by byte when it is unpacked
        content, checksum = db[table].df, dependencies.checksum(file)
        if _md5(Path(folder, file).read_bytes()).hexdigest() == checksum:
            continue  # audb publishes the checksum of the bytes if the file contains none
        if _matches(content, checksum, _checksum):
            continue
        if not _matches(content, checksum, _old_checksum):
            raise InputError(
                f"The table {file} is not the published one (its content has another checksum):"
                f" {ADVICE}."
            )
        if len(content) > OLD_CHECKSUM_ROWS:
            print(
                f"The checksum of the table {file} covers only its first and last rows, because an"
                " old version of audformat computed it."
            )


def _matches(content: pd.DataFrame, checksum: str, compute: Callable[[pd.DataFrame], str]) -> bool:
    return any(compute(variant) == checksum for variant in _variants(content))


def _variants(content: pd.DataFrame) -> Iterator[pd.DataFrame]:
    """The table as loaded, and as it may have been before it was saved.

    Parquet does not keep which kind of missing value a column of objects had, and turns whole
    numbers into fractions if a column has both.
    """
    yield content
    objects = content.select_dtypes(object)
    if len(objects.columns):
        for missing, whole in product((None, np.nan, pd.NA), (False, True)):
            restored = {name: _restored(values, missing, whole) for name, values in objects.items()}
            yield content.assign(**restored)


def _restored(column: pd.Series, missing: Any, whole: bool) -> pd.Series:
    cells = [
        missing if empty else int(value) if whole and _is_whole(value) else value
        for value, empty in zip(column, column.isna(), strict=True)
    ]
    return pd.Series(cells, index=column.index, dtype=object)


def _is_whole(value: Any) -> bool:
    return isinstance(value, float) and value.is_integer()


def _checksum(content: pd.DataFrame) -> str:
    return audformat.utils.hash(content, strict=True)


def _old_checksum(content: pd.DataFrame) -> str:
    """Checksum of audformat before version 1.4: numpy shortens a column of many rows."""
    columns = content.reset_index()
    schema = pa.Table.from_pandas(columns, preserve_index=False).schema
    text = schema.to_string(show_field_metadata=False, show_schema_metadata=False)
    digest = _md5()
    for _, column in columns.items():
        values = column.astype("float") if column.dtype == "Int64" else column
        digest.update(str(values.to_numpy()).encode())
    return _md5(_md5(text.encode()).digest() + digest.digest()).hexdigest()
