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
        key: what the column sorts by, None for the text
        note: shown small beneath
        shade: 0 (good) to 1 (bad) of a shaded cell
        mark: a class of its own (`confirmed`, `suggested`, `model-0`)
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
        title: shown
        unit: shown after the title
        number: whether it holds numbers
        meaning: shown when pointed at
        model: position of the model whose symbol stands in front of the title
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
    """A table with a caption."""

    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True)
class Matrix:
    """A shaded matrix with a name on each side."""

    caption: str
    down: str
    across: str
    names: Sequence[str]
    rows: Sequence[tuple[str, Sequence[Cell]]]


@dataclass(frozen=True)
class Facts:
    """A list of names, each with a text."""

    title: str
    rows: Sequence[tuple[str, str]]


def plain(text: object) -> Cell:
    """A cell of text."""
    return Cell(said(text))


def number(text: str, key: float, **more: object) -> Cell:
    """A cell with a number, which is its sort key."""
    return Cell(text, key if math.isfinite(key) else None, **more)  # type: ignore[arg-type]


def count(value: float, **more: object) -> Cell:
    """A cell with a count, or a dash if the count is missing."""
    if pd.isna(value):
        return Cell(NONE)
    return number(f"{int(value):,}", int(value), **more)


def model_cell(study: Study, name: str) -> Cell:
    """A model's name with its symbol; a reference or another model has none."""
    positions = {model.name: position for position, model in enumerate(study.models)}
    return Cell(name, mark=f"model-{positions[name]}" if name in positions else "other")


def capital(text: str) -> str:
    """The text with a capital letter in front."""
    return text[:1].upper() + text[1:]


def said(value: object) -> str:
    """A value as text, empty if it is missing."""
    return "" if pd.isna(value) else str(value)
