"""Protect spreadsheets from text that they would run as a formula.

A spreadsheet runs a cell that begins with `=`, `+`, `-` or `@` as a formula, which may read other
cells, send them to a server, or start programs. An apostrophe in front of it makes it text.
"""

import re

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
"""A number, which is not a formula although it may begin with a sign."""
CELL = r"(^|[;\t\r\n])"
"""Where a cell may begin: some spreadsheets split a cell at semicolons, tabs and ends of lines."""
STARTS = r"(?=(?:[^\S\t\r\n]|['\"\u200b-\u200f\u2060\ufeff])*[=+\-@\uff1d\uff0b\uff0d\uff20])"
"""What a formula begins with, also in full width and after blanks and quotes that are dropped."""
FORMULA = re.compile(CELL + STARTS)
ESCAPED = re.compile(CELL + "'" + STARTS)


def escape(text: str) -> str:
    """Put an apostrophe in front of everything in a cell that may be run as a formula.

    Args:
        text: Text of a cell.

    Returns:
        The text, which `restore` turns back into the original.
    """
    return text if NUMBER.fullmatch(text) else FORMULA.sub(r"\1'", text)


def restore(text: str) -> str:
    """Remove the apostrophes that `escape` has added.

    Args:
        text: Text of a cell, as `escape` returns it.

    Returns:
        The original text.
    """
    return ESCAPED.sub(r"\1", text)
