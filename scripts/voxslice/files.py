"""Files that are written whole or not at all, and the fingerprints that tell them apart."""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from voxslice.errors import full_disk
from voxslice.utterance_keys import KEY

TEXT = [
    "file", "speaker", "half", "reason", "model", "model_a", "model_b", "source", "search",
    "finder", "slice", "kind", "rule", "evidence", "verdict", "note", "metric", "label",
    "prediction", "machine", "device",
]  # fmt: skip
"""Columns of text in the CSV tables of the workflow: an id may be `1`, a label `None`."""


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Give a temporary path beside `path` that replaces it once the block is through.

    Args:
        path: the file to write; its folder is made where it is missing

    Yields:
        the path to write to; it is removed where the block raises

    Raises:
        MachineError: The disk is full.
    """
    path = Path(path)
    with full_disk(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o666 & ~_umask())
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def sha256(path: str | Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_text(text: str, path: str | Path) -> None:
    """Write a text file in UTF-8, whole or not at all."""
    with whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_csv(table: pd.DataFrame, path: str | Path) -> None:
    """Write a small table as CSV, whole or not at all; floats keep 10 significant digits."""
    with whole(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.10g", lineterminator="\n")


def read_csv(path: str | Path) -> pd.DataFrame:
    """Read a table that `write_csv` has written.

    Args:
        path: of the table

    Returns:
        the table; what is in the columns `TEXT` is text, whatever it looks like, and what is empty
        is missing
    """
    return pd.read_csv(path, dtype=dict.fromkeys(TEXT, str), keep_default_na=False, na_values=[""])


def write_parquet(table: pd.DataFrame, path: str | Path) -> None:
    """Write a table of utterances as Parquet, whole or not at all."""
    with whole(path) as temporary:
        table.to_parquet(temporary, index=False)


def read_predictions(paths: list[str], columns: list[str] | None = None) -> pd.DataFrame:
    """Read the shards of a model's predictions, in order.

    Args:
        paths: Parquet files, one a shard
        columns: what to read; None for all but the embedding

    Returns:
        one row an utterance
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
        paths: Parquet files, one a shard
        wanted: keys of the utterances to read, so that the others are never all in memory; None
            for all

    Returns:
        the keys of the utterances and a float32 array of shape (utterances, dimensions)
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
    """Some rows of a Parquet file, which is read in pieces."""
    with pq.ParquetFile(path) as file:
        parts = []
        for batch in file.iter_batches(columns=columns):
            keys = pd.MultiIndex.from_frame(batch.select(KEY).to_pandas())
            parts.append(batch.filter(pa.array(keys.isin(wanted))))
        schema = pa.schema([file.schema_arrow.field(name) for name in columns])
    return pa.Table.from_batches(parts, schema)
