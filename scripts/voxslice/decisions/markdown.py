"""Write text, numbers and tables as Markdown."""

import re
from collections.abc import Sequence
from typing import Any

import pandas as pd

from voxslice.shown_text import visible

MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~&])")
"""Characters that Markdown would read as markup."""
DIGITS = 4
"""Significant digits of a number."""


def escape(text: str) -> str:
    """Escape text, so that Markdown shows it as it is.

    Args:
        text: text from data or from the config

    Returns:
        the text in one line, with visible control characters
    """
    return MARKUP.sub(r"\\\1", visible(" ".join(text.split())))


def number(value: Any) -> str:
    """Write a number with four significant digits; an integer with all of its digits.

    Args:
        value: number; a missing one becomes an empty text

    Returns:
        the number
    """
    if pd.isna(value):
        return ""
    if float(value).is_integer() and abs(value) < 1e15:
        return str(int(value))
    return f"{float(value):.{DIGITS}g}"


def markdown_table(titles: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[str]:
    """Write a table.

    Args:
        titles: titles of the columns
        rows: cells of each row, as text or numbers

    Returns:
        the lines of the table, and an empty line
    """
    lines = [f"| {' | '.join(titles)} |", f"|{'---|' * len(titles)}"]
    for row in rows:
        cells = [escape(cell) if isinstance(cell, str) else number(cell) for cell in row]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]
