import numpy as np
import pandas as pd
import pytest
from voxslice.conditions import (
    as_text,
    categories_text,
    ends_text,
    interval_text,
    is_numeric,
    missing_text,
    neighbours,
)

VALUES = np.array([1.0, 2.96, 3.98765, 4.1, 17.24681, 18.7])


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (3.98765, 17.24681, "3..18"),
        (4.1, 4.1, "4.1"),
        (1.0, 18.7, "1..19"),
        (2.96, 4.1, "2..5"),
    ],
)
def test_an_interval_has_few_digits_and_holds_the_same_values(low, high, text):
    around = neighbours(low, high, VALUES)
    assert ends_text(low, high, *around) == text
    relation = "=" if low == high else "in"
    assert interval_text("snr", low, high, *around) == f"snr {relation} {text}"
    first, last = (float(end) for end in (text.split("..") * 2)[:2])
    inside = (first <= VALUES) & (last >= VALUES)
    np.testing.assert_array_equal(inside, (low <= VALUES) & (high >= VALUES))


def test_digits_are_added_where_a_neighbour_is_near():
    values = np.array([0.1234, 0.12345, 0.2])
    around = neighbours(0.12345, 0.2, values)
    assert interval_text("level", 0.12345, 0.2, *around) == "level in 0.12345..1"
    assert ends_text(-np.inf, 0.1234, *neighbours(-np.inf, 0.1234, values)) == "-inf..0.1234"


def test_categories_and_missing_values_are_written():
    assert categories_text("emotion", ["anger"]) == "emotion = anger"
    assert categories_text("emotion", ["joy", "anger"]) == "emotion in {anger, joy}"
    column = pd.Series(["a", None], name="room")
    assert as_text(column).tolist() == ["a", "missing"]
    assert categories_text("room", ["missing"]) == missing_text("room") == "room missing"


def test_booleans_are_categories_and_nullable_numbers_are_numbers():
    assert is_numeric(pd.Series([1, None], dtype="Int64"))
    assert not is_numeric(pd.Series([True, False]))
    assert not is_numeric(pd.Series(["1"]))
