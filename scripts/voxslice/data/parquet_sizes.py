"""The memory that a Parquet table takes, computed before the table is read.

Parquet stores a value that is repeated only once, so a file of a few kilobytes can take gigabytes
of memory. Tables from strangers are therefore measured first.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from voxslice.errors import InputError

CELL_BYTES = 20
"""Bytes that a cell takes in addition to its text."""
MAX_RATIO = 100
"""Most bytes of memory per byte of a larger file. Tables of different utterances need less."""
SMALL_BYTES = 5 * 10**8
"""Bytes of memory that a table of any file size may take."""


def require_bounded(
    path: str | Path, columns: Sequence[str] | None = None, name: str | None = None
) -> None:
    """Refuse a Parquet file that takes much more memory than its size makes plausible.

    The metadata at the end of the file is read first, and then text in compressed form. Neither
    takes much memory.

    Args:
        path: Parquet file.
        columns: Names of the columns that will be read, None for all.
        name: Name of the table for the message, by default its path.

    Raises:
        InputError: The table would take more than 500 MB and more than 100 times its file size.
        OSError: The file cannot be read.
        pyarrow.ArrowException: The file is not Parquet.
    """
    file_bytes = Path(path).stat().st_size
    for memory in _memory(path, columns):
        if memory > max(SMALL_BYTES, MAX_RATIO * file_bytes):
            raise InputError(
                f"The table {name or path} is refused because it could take {memory / 1e6:,.0f} MB"
                f" of memory, although its file has only {file_bytes / 1e6:.3g} MB: use another"
                " table or ask who published it."
            )


def _memory(path: str | Path, columns: Sequence[str] | None) -> Iterator[int]:
    """Two estimates of the memory in bytes: without and with repeated text."""
    metadata = pq.read_metadata(path)
    chunks = [
        chunk
        for group in map(metadata.row_group, range(metadata.num_row_groups))
        for chunk in map(group.column, range(group.num_columns))
        if columns is None or chunk.path_in_schema in columns
    ]
    memory = sum(CELL_BYTES * chunk.num_values + chunk.total_uncompressed_size for chunk in chunks)
    # a text in this encoding can contain all texts before it
    growing = [chunk for chunk in chunks if "DELTA_BYTE_ARRAY" in chunk.encodings]
    memory += sum(chunk.num_values * chunk.total_uncompressed_size for chunk in growing)
    yield memory
    texts = {chunk.path_in_schema for chunk in chunks if chunk.physical_type == "BYTE_ARRAY"}
    with pq.ParquetFile(path, read_dictionary=texts) as file:
        for group in range(file.num_row_groups):
            for column in file.read_row_group(group, columns=list(texts)).columns:
                memory += sum(map(_text_bytes, column.chunks))
    yield memory


def _text_bytes(values: pa.Array) -> int:
    """Bytes of all texts of an array if each of them is stored separately."""
    if pa.types.is_struct(values.type):
        return sum(map(_text_bytes, values.flatten()))
    if pa.types.is_nested(values.type):
        return _text_bytes(values.flatten())
    if not pa.types.is_dictionary(values.type):
        return values.nbytes
    lengths = pc.binary_length(values.dictionary)
    return pc.sum(lengths.take(values.indices)).as_py() or 0
