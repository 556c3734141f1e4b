"""The rows of a CSV file, read in the same way by every part of the workflow.

The workflow watches the audio files that a table names, and jobs read them. Both must read the same
names. Snakemake imports this module each time it parses the workflow. The module therefore imports
no heavy library.
"""

import csv
import io
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from voxslice.data.csv_text import read_csv_text
from voxslice.unicode_text import nfc

MAX_CELL = 2**31 - 1
"""Longest cell in characters; the csv module would refuse cells of more than 131,072."""


class CsvRows(NamedTuple):
    """The rows of a CSV file.

    Attributes:
        names: Names of the columns, all different, without columns that have no name.
        rows: One list of cells per row, as long as `names`. An empty cell is `""`.
    """

    names: list[str]
    rows: list[list[str]]


def read_csv_rows(path: str | Path) -> CsvRows:
    """Read a CSV file.

    Lines that are blank are skipped. A row needs as many cells as there are names: a missing cell
    may be one in the middle, so that all later cells would be in wrong columns. Only columns
    without a name and empty cells beyond the names may differ.

    Args:
        path: File as `voxslice.data.csv_text` reads it.

    Returns:
        Its names and rows.

    Raises:
        OSError: The file cannot be read.
        ValueError: The file has another encoding, is empty, has two columns with the same name, has
            a row with more or fewer cells than there are names, or has a quotation mark in a wrong
            place.
    """
    table = read_csv_text(path)
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(io.StringIO(table.text, newline=""), delimiter=table.separator, strict=True)
    try:
        lines = [(reader.line_num, line) for line in reader if not _is_blank(line)]
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num} of the table: {error}") from error
    if not lines:
        raise ValueError("there is no header line")
    names = [nfc(name) for name in lines[0][1]]
    kept = [index for index, name in enumerate(names) if name]
    twice = [name for name, count in Counter(names[i] for i in kept).items() if count > 1]
    if twice:
        raise ValueError(f"more than one column is called {twice[0]!r}")
    rows = []
    for number, line in lines[1:]:
        differs = len(line) != len(names)
        if differs and (any(names[len(line) :]) or any(line[len(names) :])):
            raise ValueError(
                f"the number of cells in line {number} of the table is {len(line)}, but there are"
                f" {len(names)} names"
            )
        rows.append(line if len(kept) == len(line) else [line[index] for index in kept])
    return CsvRows([names[index] for index in kept], rows)


def _is_blank(line: list[str]) -> bool:
    return len(line) < 2 and not "".join(line).strip()
