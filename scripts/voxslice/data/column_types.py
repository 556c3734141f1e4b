"""The values of a metadata column: numbers or categories, and text in one Unicode form."""

import re

import numpy as np
import pandas as pd

from voxslice.errors import InputError
from voxslice.rule_conditions import is_numeric
from voxslice.unicode_text import nfc

MISSING_WORDS = frozenset(
    [
        *(
            "",
            "-",
            "--",
            ".",
            "?",
            "n/a",
            "na",
            "n.a.",
            "#n/a",
            "nan",
            "<na>",
            "nil",
            "none",
            "null",
        ),
        *("missing", "unknown", "unspecified", "not available", "not known", "not specified"),
        *("unbekannt", "k.a.", "keine angabe"),
    ]
)
"""Words in lower case that mean "no value" in a column whose other cells are numbers."""
EXAMPLES = 3
"""Most cells that a message names."""

MAX_WHOLE = 2.0**53
"""Largest number up to which a float tells each whole number from the next one."""

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(e[+-]?[0-9]+)?", re.IGNORECASE)
_WITH_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+")
_WHOLE = re.compile(r"[+-]?[0-9]+")
_THOUSANDS = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")
_LEADING_ZERO = re.compile(r"[+-]?0[0-9].*")


def parse_numbers(cells: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Parse text as numbers.

    A comma is a decimal comma where every number of the column is written with a comma or as a
    whole number. Commas that may as well separate thousands, as in `1,250`, are not read.

    Args:
        cells: text; an empty cell is missing

    Returns:
        the numbers as float, NaN where a cell is empty, is one of `MISSING_WORDS`, or is not a
        number; and for each cell whether it is neither a number nor a missing value
    """
    text = cells.astype("string").str.strip()
    text = text.mask(text.str.casefold().isin(MISSING_WORDS))
    if _has_decimal_commas(text):
        text = text.str.replace(",", ".", regex=False)
    numeric = _fully(text, _NUMBER)
    values = pd.Series(np.nan, index=cells.index)
    values[numeric] = text[numeric].astype(float)
    finite = np.isfinite(values)
    return values.where(finite), text.notna() & ~finite


def typed(cells: pd.Series, kind: str | None = None, *, source: str = "") -> pd.Series:
    """Give a column of text its type.

    Args:
        cells: text; an empty cell is missing; its name is that of the column
        kind: `number` or `category` if the config sets the type; None to decide by the cells: they
            are numbers if all of them are numbers and none has a leading zero, as in a room number
        source: name of the table, for the message

    Returns:
        Int64 or float for numbers, else the cells as they are

    Raises:
        InputError: if the config sets the type `number` and a cell is not a number
    """
    if kind == "category":
        return cells
    values, wrong = parse_numbers(cells)
    if kind == "number":
        if wrong.any():
            raise InputError(
                f"{source} has cells in the column {cells.name} that are not numbers,"
                f" {_counted(cells, wrong)}: correct them or leave them empty."
            )
    elif wrong.any() or values.isna().all() or _has_leading_zero(cells):
        return cells
    return values.astype("Int64") if _are_whole(values) else values


def settled(column: pd.Series, kind: str | None = None, *, source: str = "") -> pd.Series:
    """Give a column of a database its type.

    Args:
        column: values of any type; its name is that of the column
        kind: `number` or `category` if the config sets the type; None to keep the type as it is
        source: name of the table, for the message

    Returns:
        numbers, booleans, text or a categorical; durations are in seconds, and whole numbers stay
        whole where some are missing

    Raises:
        InputError: if the values are dates, times or lists, or if the config sets the type `number`
            and a value is not a number
    """
    inferred = pd.api.types.infer_dtype(column, skipna=True)
    if inferred in ("timedelta", "timedelta64"):
        column = pd.to_timedelta(column).dt.total_seconds()
    elif column.dtype == object and inferred in ("integer", "floating", "mixed-integer-float"):
        column = column.convert_dtypes()
    elif inferred not in (
        *("empty", "integer", "floating", "boolean", "string", "categorical"),
        *(("date", "datetime", "datetime64", "time") if kind == "category" else ()),
    ):
        raise InputError(
            f"{source} has dates, times, lists or a mixture of types in the column {column.name},"
            " which are neither numbers nor categories: remove the column from the config, or"
            " change it to numbers or text."
        )
    if isinstance(column.dtype, pd.CategoricalDtype):
        # a file would give back numbers with missing values as floats
        column = column.cat.rename_categories(str)
    elif kind == "category":
        column = category_text(column)
    if kind == "number" and not is_numeric(column):
        column = typed(column.astype("string"), kind, source=source)
    return composed(column)


def category_text(column: pd.Series) -> pd.Series:
    """Convert a column to text. Whole numbers are written without a decimal point.

    Args:
        column: values of any type

    Returns:
        the values as text
    """
    if pd.api.types.is_float_dtype(column.dtype) and _are_whole(column):
        column = column.astype("Int64")
    return column.astype("string")


def remark_on_text(column: pd.Series) -> str:
    """Report that a column is text although most of its cells are numbers.

    Args:
        column: column of the metadata with its name

    Returns:
        a sentence that counts the cells which are not numbers and names the first of them; empty
        where the column is not text, or is text for a good reason
    """
    if not pd.api.types.is_string_dtype(column.dtype):
        return ""
    column = column.astype("string")  # what a library left as objects, too
    if _has_leading_zero(column):
        return ""
    values, wrong = parse_numbers(column)
    numbers = values.notna() | (wrong & _fully(column.str.strip(), _WITH_COMMA))
    if not wrong.any() or numbers.sum() <= (wrong & ~numbers).sum():
        return ""
    one = wrong.sum() == 1
    return (
        f"The column {column.name} is read as text, since {_counted(column, wrong)}"
        f" {'is not a number' if one else 'are not numbers'}: correct"
        f" {'it or leave it' if one else 'them or leave them'} empty, or give the column"
        " type: category in the config."
    )


def remark_on_numbers(cells: pd.Series) -> str:
    """Report decimal commas and words for missing values in a column that was read as numbers.

    Args:
        cells: text that `typed` reads as numbers; its name is that of the column

    Returns:
        one sentence about them; empty if there are none
    """
    text = cells.str.strip()
    words = text.str.casefold().isin(MISSING_WORDS).fillna(False).astype(bool)
    remarks = ["decimal commas"] if _has_decimal_commas(text.mask(words)) else []
    if words.any():
        remarks.append(f"{_counted(cells, words)} as missing")
    if not remarks:
        return ""
    return f"The column {cells.name} is read as numbers, with {' and '.join(remarks)}."


def _are_whole(values: pd.Series) -> bool:
    """Whether all values of a column of floats are whole numbers that a float holds exactly."""
    present = values.dropna()
    return bool(((present % 1 == 0) & (present.abs() <= MAX_WHOLE)).all())


def _counted(cells: pd.Series, chosen: pd.Series) -> str:
    """How many cells are chosen, and the first of them, as in `1 of its 40 cells ('x')`."""
    names = list(dict.fromkeys(cells[chosen]))
    shown = ", ".join(repr(str(name)) for name in names[:EXAMPLES])
    more = ", ..." if len(names) > EXAMPLES else ""
    return f"{int(chosen.sum()):,} of its {len(cells):,} cells ({shown}{more})"


def _has_decimal_commas(text: pd.Series) -> bool:
    """Whether the numbers of a column are written with decimal commas."""
    with_comma = _fully(text, _WITH_COMMA)
    others = _fully(text, _NUMBER) & ~_fully(text, _WHOLE)
    unclear = _fully(text, _THOUSANDS)
    return bool(with_comma.any() and not others.any() and (with_comma & ~unclear).any())


def _has_leading_zero(cells: pd.Series) -> bool:
    return bool(_fully(cells.str.strip(), _LEADING_ZERO).any())


def _fully(text: pd.Series, pattern: re.Pattern[str]) -> pd.Series:
    """Whether the whole of each cell fits a pattern; a missing cell does not."""
    return pd.Series(
        [isinstance(cell, str) and pattern.fullmatch(cell) is not None for cell in text],
        index=text.index,
        dtype=bool,
    )


def composed(column: pd.Series) -> pd.Series:
    """Convert the text of a column to the normal form C of Unicode; other values do not change.

    Args:
        column: values of any type

    Returns:
        the converted column
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        categories = column.cat.categories.map(_composed)
        if categories.equals(column.cat.categories):
            return column
        kind = pd.CategoricalDtype(categories.unique(), ordered=column.cat.ordered)
        return column.astype(object).map(_composed).astype(kind)
    if pd.api.types.is_string_dtype(column.dtype):
        return column.map(_composed).astype(column.dtype)
    return column


def _composed(value: object) -> object:
    return nfc(value) if isinstance(value, str) else value
