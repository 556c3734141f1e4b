"""Conditions on metadata are written in words."""

import numpy as np
import pandas as pd
import pytest
from voxslice.rule_conditions import (
    as_text,
    categories_text,
    category_order,
    ends_text,
    interval_text,
    is_numeric,
    missing_text,
    neighbours,
)

VALUES = np.array([1.0, 2.96, 3.98765, 4.1, 17.24681, 18.7])


@pytest.mark.parametrize(
    ("low", "high", "ends", "text"),
    [
        (3.98765, 17.24681, "3..18", "snr in 3..18"),
        (4.1, 4.1, "4.1", "snr = 4.1"),
        (1.0, 18.7, "1..18.7", "snr in 1..18.7"),  # the limits of the data, not 1..19
        (2.96, 4.1, "2..5", "snr in 2..5"),
        (1.0, 3.98765, "1..4", "snr at most 4"),
        (1.0, 1.0, "1", "snr = 1"),
        (3.98765, 18.7, "3..18.7", "snr at least 3"),
    ],
)
def test_an_interval_has_few_digits_and_holds_the_same_values(low, high, ends, text):
    around = neighbours(low, high, VALUES)
    assert ends_text(low, high, *around) == ends
    assert interval_text("snr", low, high, *around) == text
    first, last = (float(end) for end in (ends.split("..") * 2)[:2])
    if "at" in text:
        limit = float(text.split()[-1])
        first, last = (limit, np.inf) if "least" in text else (-np.inf, limit)
    inside = (first <= VALUES) & (last >= VALUES)
    np.testing.assert_array_equal(inside, (low <= VALUES) & (high >= VALUES))


def test_an_open_side_names_no_limit_beyond_the_data():
    seconds = np.array([0.99, 1.2, 1.83, 2.4, 3.1])
    assert interval_text("length", 0.99, 1.83, *neighbours(0.99, 1.83, seconds)) == (
        "length at most 2"
    )
    assert interval_text("length", 0.99, 3.1, *neighbours(0.99, 3.1, seconds)) == (
        "length in 0.99..3.1"
    )


def test_digits_are_added_where_a_neighbour_is_near():
    values = np.array([0.1234, 0.12345, 0.2, 0.9])
    around = neighbours(0.12345, 0.2, values)
    assert interval_text("level", 0.12345, 0.2, *around) == "level in 0.12345..0.2"
    assert ends_text(-np.inf, 0.1234, *neighbours(-np.inf, 0.1234, values)) == "-inf..0.1234"


def test_categories_and_missing_values_are_written():
    assert categories_text("emotion", ["anger"]) == "emotion = anger"
    assert categories_text("emotion", ["joy", "anger"]) == "emotion in {anger, joy}"
    column = pd.Series(["a", None], name="room")
    assert as_text(column).tolist() == ["a", "missing"]
    assert categories_text("room", ["missing"]) == missing_text("room") == "room missing"


def test_categories_have_their_own_order_or_are_sorted():
    kind = pd.CategoricalDtype(["low", "middle", "high"], ordered=True)
    assert category_order(pd.Series(["high", None, "low"], dtype=kind)) == [
        "low",
        "high",
        "missing",
    ]
    assert category_order(pd.Series(["b", "missing", "a"])) == ["a", "b", "missing"]
    assert category_order(pd.Series(["b", "a"], dtype="category")) == ["a", "b"]
    assert category_order(pd.Series([True, False])) == ["False", "True"]


def test_booleans_are_categories_and_nullable_numbers_are_numbers():
    assert is_numeric(pd.Series([1, None], dtype="Int64"))
    assert not is_numeric(pd.Series([True, False]))
    assert not is_numeric(pd.Series(["1"]))
