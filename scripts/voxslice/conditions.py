"""Conditions in words, and what they are on: numbers, or categories as text."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

MISSING = "missing"


def is_numeric(column: pd.Series) -> bool:
    """Whether a column holds numbers that have an order (booleans are categories)."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def as_text(column: pd.Series) -> np.ndarray:
    """Categories as text, with a category of its own for what is missing."""
    return column.astype("string").fillna(MISSING).to_numpy(dtype=object)


def categories_text(name: object, categories: Sequence[str]) -> str:
    """A condition on categories, as in `emotion in {anger, fear}`."""
    if list(categories) == [MISSING]:
        return f"{name} {MISSING}"
    if len(categories) == 1:
        return f"{name} = {categories[0]}"
    return f"{name} in {{{', '.join(sorted(categories))}}}"
