"""Tables of the page as plain data: the text of each cell, and its sort key."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from voxslice.report.numbers import NONE
from voxslice.report.study import Study


@dataclass(frozen=True)
class Cell:
    """A table cell.

    Args:
        text: what is shown
        key: number by which the column is sorted; None to sort by the text
        note: text that is shown in small letters below `text`
        shade: shade of the background, from 0 (good) to 1 (bad); None for no shade
        mark: CSS class of the cell, such as `confirmed`, `suggested` or `model-0`
    """

    text: str
    key: float | None = None
    note: str = ""
    shade: float | None = None
    mark: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Args:
        title: title of the column
        unit: unit that is shown after the title
        number: whether the column contains numbers
        meaning: tooltip of the title
        model: position of the model whose symbol is shown in front of the title, or None
        before: word in front of the symbol
    """

    title: str
    unit: str = ""
    number: bool = True
    meaning: str = ""
    model: int | None = None
    before: str = ""


@dataclass(frozen=True)
class Table:
    """A table with a caption.

    Args:
        caption: caption of the table
        columns: columns of the table
        rows: cells of each row, one cell per column
    """

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Matrix:
    """A matrix of shaded cells.

    Args:
        caption: caption of the matrix
        down: title of the rows
        across: title of the columns
        names: names of the columns
        rows: name and cells of each row
    """

    caption: str
    down: str
    across: str
    names: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]


@dataclass(frozen=True)
class Facts:
    """A list of names with texts.

    Args:
        title: title of the list
        rows: name and text of each entry
    """

    title: str
    rows: Sequence[tuple[str, str]]


def plain(text: object) -> Cell:
    """Make a cell that contains text."""
    return Cell(text_of(text))


def number(text: str, key: float, **more: object) -> Cell:
    """Make a cell that contains a number.

    Args:
        text: the number as it is shown
        key: the number by which the column is sorted
        more: further attributes of the cell

    Returns:
        the cell
    """
    return Cell(text, key if math.isfinite(key) else None, **more)  # type: ignore[arg-type]


def count(value: float, **more: object) -> Cell:
    """Make a cell that contains a count, or a dash if the count is missing."""
    if pd.isna(value):
        return Cell(NONE)
    return number(f"{int(value):,}", int(value), **more)


def model_cell(study: Study, name: str) -> Cell:
    """Make a cell that contains the id of a model.

    Args:
        study: the study
        name: id of a model or reference

    Returns:
        the cell; compared models have a symbol, references and other models have none
    """
    positions = {model.name: position for position, model in enumerate(study.models)}
    return Cell(name, mark=f"model-{positions[name]}" if name in positions else "other")


def capital(text: str) -> str:
    """Make the first letter of a text a capital letter."""
    return text[:1].upper() + text[1:]


def text_of(value: object) -> str:
    """Convert a value to text; a missing value becomes an empty text."""
    return "" if pd.isna(value) else str(value)
