"""Conditions on the columns of the metadata: what they apply to, and how they are written."""

from collections.abc import Sequence
from math import floor, inf, isfinite

import numpy as np
import pandas as pd

MISSING = "missing"


def is_numeric(column: pd.Series) -> bool:
    """Whether a column holds numbers that have an order (booleans are categories).

    Args:
        column: values of any type

    Returns:
        True for numbers, False for booleans, text and other categories
    """
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def as_text(column: pd.Series) -> np.ndarray:
    """Categories as text; missing values are the category `missing`.

    Args:
        column: values of any type

    Returns:
        text of shape (rows,)
    """
    return column.astype("string").fillna(MISSING).to_numpy(dtype=object)


def category_order(column: pd.Series) -> list[str]:
    """The categories of a column as text, in the order in which they are shown.

    Args:
        column: values of any type

    Returns:
        the categories that occur, in their own order if they have one (as `low`, `middle`, `high`),
        else sorted; `missing` comes last
    """
    occurring = set(as_text(column))
    ordered = isinstance(column.dtype, pd.CategoricalDtype) and column.cat.ordered
    names = [str(name) for name in column.cat.categories] if ordered else sorted(occurring)
    shown = [name for name in names if name in occurring and name != MISSING]
    return shown + [MISSING] * (MISSING in occurring)


def missing_text(name: object) -> str:
    """A condition on values that are missing, as in `age missing`.

    Args:
        name: name of the column

    Returns:
        the condition in words
    """
    return f"{name} {MISSING}"


def categories_text(name: object, categories: Sequence[str]) -> str:
    """A condition on categories, as in `emotion = anger` or `emotion in {anger, fear}`.

    Args:
        name: name of the column
        categories: categories that fulfil the condition, at least one

    Returns:
        the condition in words
    """
    if list(categories) == [MISSING]:
        return missing_text(name)
    if len(categories) == 1:
        return f"{name} = {categories[0]}"
    return f"{name} in {{{', '.join(sorted(categories))}}}"


def interval_text(name: object, low: float, high: float, below: float, above: float) -> str:
    """A condition on an interval of a number, as in `age in 30..42` or `age at most 42`.

    Args:
        name: name of the column
        low: smallest value in the interval
        high: largest value in the interval
        below: largest value of the column below the interval, minus infinity if there is none
        above: smallest value of the column above the interval, infinity if there is none

    Returns:
        the condition with the fewest digits that select the same values of the column; it names no
        limit on a side that has no other values
    """
    if low == high:
        return f"{name} = {ends_text(low, high, below, above)}"
    if below == -inf and above < inf:
        return f"{name} at most {shortest_decimal(high, above)}"
    if above == inf and below > -inf:
        return f"{name} at least {shortest_decimal(low, below)}"
    return f"{name} in {ends_text(low, high, below, above)}"


def ends_text(low: float, high: float, below: float, above: float) -> str:
    """The ends of an interval, as in `30..42`; one number where both are the same.

    Args:
        low: smallest value in the interval
        high: largest value in the interval
        below: largest value of the column below the interval, minus infinity if there is none
        above: smallest value of the column above the interval, infinity if there is none

    Returns:
        both ends with the fewest digits that select the same values of the column. The smallest and
        the largest value of the column are not shortened
    """
    if low == high:
        return shortest_decimal(low, low)
    ends = (low, low if below == -inf else below), (high, high if above == inf else above)
    return "..".join(shortest_decimal(*end) for end in ends)


def neighbours(low: float, high: float, values: np.ndarray) -> tuple[float, float]:
    """The values next to an interval.

    Args:
        low: smallest value in the interval
        high: largest value in the interval
        values: all values of the column in any order, none missing

    Returns:
        the largest value below and the smallest value above, infinite where there is none
    """
    return values[values < low].max(initial=-inf), values[values > high].min(initial=inf)


def shortest_decimal(value: float, beyond: float) -> str:
    """The decimal with the fewest digits between two numbers.

    Args:
        value: first number, which the decimal may be equal to
        beyond: second number, larger or smaller, which the decimal must not reach

    Returns:
        the decimal that is nearest to `value` among those with the fewest digits
    """
    if not isfinite(value):
        return str(float(value))
    for digits in range(16):
        scaled = value * 10**digits
        whole = floor(scaled) if beyond < value else -floor(-scaled)
        text = f"{whole / 10**digits:.{digits}f}"
        shown = float(text)
        if shown == value or (beyond < shown < value) or (value < shown < beyond):
            return text
    return repr(float(value))
