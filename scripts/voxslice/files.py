"""Read and write files. Each file is written completely or not at all."""

import csv
import fcntl
import glob
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype

from voxslice.errors import full_disk
from voxslice.formulas import escape, restore
from voxslice.utterance_keys import KEY

TEXT = [
    "file", "speaker", "half", "reason", "model", "model_a", "model_b", "source", "search",
    "finder", "slice", "kind", "rule", "evidence", "verdict", "note", "metric", "label",
    "prediction", "machine", "device", "mode", "leading_speaker",
    "category", "then", "against", "dataset", "task", "column", "version",
    "quantity", "group", "relation", "answer", "clue", "config", "features",
]  # fmt: skip
"""Columns of CSV tables that are always text: an id may be `1`, and a label may be `None`."""


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Write a file under a temporary name, which replaces the file at the end of the block.

    A writer that is killed leaves its temporary file, which the next writer of the file removes.

    Args:
        path: File to write. Its folder is created if it is missing.

    Yields:
        Path of the temporary file, which is removed if the block raises an exception.

    Raises:
        MachineError: The disk is full.
    """
    path = Path(path)
    with full_disk(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        temporary = Path(name)
        try:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield temporary
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
            os.close(handle)


def _remove_abandoned(path: Path) -> None:
    """Remove the temporary files of writers that were killed; a running one has locked its file."""
    for temporary in path.parent.glob(f".{glob.escape(path.name)}.????????"):
        with suppress(OSError), temporary.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            temporary.unlink()


def _umask() -> int:
    """The permissions that this process removes from new files."""
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sha256(path: str | Path) -> str:
    """Compute the SHA-256 of a file.

    Args:
        path: File to read.

    Returns:
        64 hexadecimal digits.
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text(text: str, path: str | Path) -> None:
    """Write a text file in UTF-8, whole or not at all.

    Args:
        text: Content of the file.
        path: File to write.
    """
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_csv(table: pd.DataFrame, path: str | Path) -> None:
    """Write a small table as CSV, whole or not at all.

    Floats keep 10 significant digits. Text that a spreadsheet would run as a formula gets an
    apostrophe in front (see `voxslice.formulas`), which `read_csv` removes again. A NUL, which CSV
    cannot contain, becomes `\u2400`.

    Args:
        table: Table to write, without its index.
        path: File to write.
    """
    cells = _map_text(table, lambda text: escape(text.replace("\0", "\u2400")))
    # without quotes, a lone carriage return would be read as the end of a line
    returns = any("\r" in text for text in _texts(cells))
    with whole(path) as temporary:
        cells.to_csv(
            temporary,
            index=False,
            float_format="%.10g",
            lineterminator="\n",
            quoting=csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL,
        )


def read_csv(path: str | Path) -> pd.DataFrame:
    """Read a table that `write_csv` has written.

    Args:
        path: File of the table.

    Returns:
        The table. The columns `TEXT` are text, also where a cell looks like a number. An empty cell
        is missing.
    """
    cells = pd.read_csv(
        path,
        dtype=dict.fromkeys(TEXT, str),
        keep_default_na=False,
        na_values=[""],
        skip_blank_lines=False,  # a row may consist of one cell of blanks
    )
    return _map_text(cells, restore)


def as_booleans(column: pd.Series) -> pd.Series:
    """Convert a column of a table that was read to booleans.

    Args:
        column: booleans, or their text if the CSV file has empty cells

    Returns:
        the booleans; missing values become false
    """
    return column.astype("string").str.lower().eq("true").fillna(False).astype(bool)


def _map_text(table: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """Change all text of a table, also the names of its columns."""
    changed = table.rename(columns=change)
    for name in changed.columns[[_holds_text(dtype) for dtype in changed.dtypes]]:
        cells = [change(cell) if isinstance(cell, str) else cell for cell in changed[name]]
        changed[name] = pd.Series(cells, index=changed.index, dtype=object)
    return changed


def _holds_text(dtype: Any) -> bool:
    """Whether a column of this type can hold text."""
    return not (is_numeric_dtype(dtype) or is_datetime64_any_dtype(dtype))


def _texts(table: pd.DataFrame) -> Iterator[str]:
    """All text of a table, with the names of its columns."""
    columns = [table[name] for name in table if table[name].dtype == object]
    for cells in [table.columns, *columns]:
        yield from (cell for cell in cells if isinstance(cell, str))


def write_parquet(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table as Parquet, whole or not at all.

    Args:
        table: Table to write, without its index.
        path: File to write.
    """
    with whole(path) as temporary:
        table.to_parquet(temporary, index=False)


def read_predictions(paths: list[str], columns: list[str] | None = None) -> pd.DataFrame:
    """Read the shards of a model's predictions, in order.

    Args:
        paths: Parquet files, one per shard.
        columns: Columns to read, None for all except the embedding.

    Returns:
        One row per utterance.
    """
    tables = []
    for path in paths:
        names = columns or [name for name in pq.read_schema(path).names if name != "embedding"]
        tables.append(pq.read_table(path, columns=names).to_pandas())
    return pd.concat(tables, ignore_index=True)


def read_embeddings(
    paths: list[str], wanted: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, np.ndarray]:
    """Read the embeddings from a model's predictions.

    Args:
        paths: Parquet files, one per shard.
        wanted: Keys of the utterances to read, None for all. The files are read in pieces, so that
            the memory depends on the number of these utterances.

    Returns:
        The keys of the utterances, and their embeddings as float32 of shape (utterances,
        dimensions).
    """
    columns = [*KEY, "embedding"]
    if wanted is None:
        tables = [pq.read_table(path, columns=columns) for path in paths]
    else:
        names = pd.MultiIndex.from_frame(wanted[KEY])
        tables = [_rows_of(path, columns, names) for path in paths]
    table = pa.concat_tables(tables)
    column = table["embedding"].combine_chunks()
    matrix = column.flatten().to_numpy(zero_copy_only=False)
    return table.select(KEY).to_pandas(), matrix.reshape(len(table), column.type.list_size)


def _rows_of(path: str, columns: list[str], wanted: pd.MultiIndex) -> pa.Table:
    """Read some rows of a Parquet file in pieces."""
    with pq.ParquetFile(path) as file:
        parts = []
        for batch in file.iter_batches(columns=columns):
            keys = pd.MultiIndex.from_frame(batch.select(KEY).to_pandas())
            parts.append(batch.filter(pa.array(keys.isin(wanted))))
        schema = pa.schema([file.schema_arrow.field(name) for name in columns])
    return pa.Table.from_batches(parts, schema)
