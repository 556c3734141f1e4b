"""Values of a filter are compared as text."""

import pytest
from voxslice.data.filters import text, texts


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ([1, 1.0, "1", " 1 ", "1.0", "1e0"], "1"),
        ([0.1, "0.1", "0.10"], "0.1"),
        ([True, "True", "true"], "true"),
        (["01"], "01"),
        (["1a"], "1a"),
        (["test"], "test"),
        (["inf"], "inf"),
        ([""], ""),
    ],
)
def test_values_that_give_the_same_text(values, written):
    assert texts(values) == {written}


def test_values_that_give_different_texts():
    assert len({text(value) for value in (1, "01", True, "TRUE", "yes", 10)}) == 6
