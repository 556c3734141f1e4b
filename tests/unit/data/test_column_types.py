"""The cells of a column are read as numbers or as text."""

import datetime

import pandas as pd
import pytest
from voxslice.data.column_types import (
    composed,
    parse_numbers,
    remark_on_numbers,
    remark_on_text,
    settled,
    typed,
)
from voxslice.errors import InputError


def text(*cells):
    return pd.Series(cells, dtype="string", name="age")


def values(column):
    return [None if pd.isna(value) else value for value in column]


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["1", " 2.5 ", "+3", "-4e2", ".5", "6."], [1, 2.5, 3, -400, 0.5, 6]),
        (["1", None, "NA", "Unknown", "n/a", " ", "?", "k.A."], [1] + [None] * 7),
        (["1,5", "0,25", "-2", ",5"], [1.5, 0.25, -2, 0.5]),
        (["1,250", "0,5"], [1.25, 0.5]),  # the second tells what the comma of the first means
    ],
)
def test_numbers_are_parsed(cells, numbers):
    found, wrong = parse_numbers(text(*cells))
    assert values(found) == numbers and not wrong.any()
    assert values(typed(text(*cells))) == numbers


@pytest.mark.parametrize("cell", ["9" * 40, "1e300", "-99999999999999999999", "9007199254740994"])
def test_numbers_that_no_whole_number_holds_stay_floats(cell):
    assert values(typed(text("1", cell))) == [1, float(cell)]
    numbers = pd.Series([1, float(cell), None])
    assert values(settled(numbers, "category")) == [str(1.0), str(float(cell)), None]
    assert typed(text("1", "9007199254740992")).dtype == "Int64"


@pytest.mark.parametrize(
    ("cells", "other"),
    [
        (["1", "two", "3"], ["two"]),
        (["1.5", "1,5"], ["1,5"]),  # a column that does not agree
        (["1", "1,250"], ["1,250"]),  # may be a thousand and more
        (["1", "inf", "0x10", "1_000", "1e999", "True", "1 2"],
         ["inf", "0x10", "1_000", "1e999", "True", "1 2"]),
        (["1.234,5", "1"], ["1.234,5"]),
    ],
)  # fmt: skip
def test_other_cells_are_not_taken_for_numbers(cells, other):
    column = text(*cells)
    assert column[parse_numbers(column)[1]].to_list() == other
    assert typed(column).to_list() == cells


def test_numbers_with_a_leading_zero_are_text_unless_the_config_sets_the_type():
    rooms = text("007", "12")
    assert typed(rooms).to_list() == ["007", "12"]
    assert typed(rooms, "number").to_list() == [7, 12]
    assert typed(text("0.5", "0", "0,5".replace(",", "."))).to_list() == [0.5, 0, 0.5]
    assert remark_on_text(rooms) == ""


def test_the_config_decides_the_type():
    assert typed(text("1", "2"), "category").to_list() == ["1", "2"]
    assert values(typed(text(None, "NA"), "number")) == [None, None]
    with pytest.raises(
        InputError, match=r"mine\.csv has .* 4 of its 5 cells \('a', 'b', 'c', \.\.\."
    ):
        typed(text("1", "a", "b", "c", "d"), "number", source="mine.csv")


@pytest.mark.parametrize(
    ("cells", "remark"),
    [
        (["1", "2", "x"], "since 1 of its 3 cells ('x') is not a number: correct it or leave it"),
        (["1", "2", "3", "4", "5", "a", "b", "c", "d"],
         "since 4 of its 9 cells ('a', 'b', 'c', ...) are not numbers: correct them"),
        (["1", "2", "3", "x", "x"], "since 2 of its 5 cells ('x') are not"),
        (["1.5", "1,5", "2.5"], "since 1 of its 3 cells ('1,5') is not"),
        (["1,250", "3,000"], "since 2 of its 2 cells ('1,250', '3,000') are not"),
        (["a", "b", "1"], ""),  # most are words
        (["1", "2"], ""),
        (["01", "x"], ""),
    ],
)  # fmt: skip
def test_text_that_is_mostly_numbers_is_reported(cells, remark):
    for column in (text(*cells), text(*cells).astype(object)):
        remarks = remark_on_text(column)
        assert remark in remarks and bool(remarks) == bool(remark)


@pytest.mark.parametrize(
    "column", [pd.Series([1, 2]), pd.Series([True, False]), pd.Series(["1", "x"], dtype="category")]
)
def test_columns_that_are_not_text_are_not_reported(column):
    assert remark_on_text(column) == ""


def test_reading_text_as_numbers_is_reported():
    assert remark_on_numbers(text("1", None, "2.5")) == ""
    assert remark_on_numbers(text("1,5", "unknown", "-", None)) == (
        "The column age is read as numbers, with decimal commas and 2 of its 4 cells ('unknown',"
        " '-') as missing."
    )


def test_text_gets_one_unicode_form():
    cells = ["u\u0308", "\u00fc", None]
    for dtype in ("string", object):
        found = composed(pd.Series(cells, dtype=dtype))
        assert values(found) == ["\u00fc", "\u00fc", None] and found.dtype == dtype
    ordered = composed(
        pd.Series(["b", "u\u0308"], dtype=pd.CategoricalDtype(["u\u0308", "b"], True))
    )
    assert list(ordered.cat.categories) == ["\u00fc", "b"] and ordered.cat.ordered
    both = composed(pd.Series(cells, dtype="category"))
    assert values(both) == ["\u00fc", "\u00fc", None]
    assert composed(pd.Series([1, None])).to_list()[0] == 1


NA = None


@pytest.mark.parametrize(
    ("column", "expected", "dtype"),
    [
        (pd.Series([0, 1, NA], dtype=object), [0, 1, NA], "Int64"),
        (pd.Series([0, NA], dtype="Int64"), [0, NA], "Int64"),
        (pd.Series([0.5, NA], dtype=object), [0.5, NA], "Float64"),
        (pd.Series(pd.to_timedelta(["1.5s", NA])), [1.5, NA], "float64"),
        (pd.Series(pd.to_timedelta(["1min", NA])).astype(object), [60, NA], "float64"),
        (pd.Series([True, NA], dtype="boolean"), [True, NA], "boolean"),
        (pd.Series(["a", NA]), ["a", NA], "object"),
        (pd.Series([2, NA], dtype="category"), ["2", NA], "category"),
        (pd.Series([NA, NA], dtype=object), [NA, NA], "object"),
    ],
)
def test_values_of_a_database_keep_their_meaning(column, expected, dtype):
    found = settled(column)
    assert values(found) == expected and found.dtype == dtype


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pd.Series([0, 1, NA], dtype=object), ["0", "1", NA]),
        (pd.Series([0, 1, NA], dtype=float), ["0", "1", NA]),
        (pd.Series([0.5, 1.0]), ["0.5", "1.0"]),
        (pd.Series(pd.to_datetime(["2020-02-01", NA])), ["2020-02-01", NA]),
        (pd.Series([datetime.time(13, 30)]), ["13:30:00"]),
        (pd.Series([True]), ["True"]),
    ],
)
def test_any_value_may_be_a_category(column, expected):
    assert values(settled(column, "category")) == expected


def test_text_of_a_database_may_be_a_number():
    assert values(settled(text("3", "1,5", None), "number")) == [3, 1.5, None]
    assert values(settled(pd.Series([3, 1], dtype="category"), "number")) == [3, 1]
    with pytest.raises(InputError, match=r"T has .* 1 of its 2 cells \('x'\): correct"):
        settled(text("3", "x"), "number", source="T")


@pytest.mark.parametrize(
    "cells",
    [
        pd.to_datetime(["2020-01-01", NA]),
        [datetime.date(2020, 1, 1), NA],
        [datetime.time(1), NA],
        [[1, 2], NA],
        [{"a": 1}, {}],
        ["a", 1],
    ],
)
@pytest.mark.parametrize("kind", [None, "number"])
def test_dates_times_and_lists_are_refused(cells, kind):
    with pytest.raises(InputError, match=r"^T has dates, times, lists .* column age, which are"):
        settled(pd.Series(cells, name="age"), kind, source="T")
