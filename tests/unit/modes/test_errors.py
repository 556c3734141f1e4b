"""Confusions, the direction of errors, and a speaker who makes most of them."""

import numpy as np
import pandas as pd
import pytest
from voxslice.modes.errors import confusions, leading_speaker
from voxslice.task import Task


def scores(pairs):
    table = pd.DataFrame(pairs, columns=["label", "prediction"])
    return table.assign(loss=(table["label"] != table["prediction"]).astype(float))


@pytest.mark.parametrize(
    ("pairs", "text"),
    [
        ([("a", "a")], ""),
        ([("a", "b")], "a predicted as b (1 of 1 error)"),
        (
            [("a", "b")] * 3 + [("b", "a")] + [("a", "a")],
            "a predicted as b (3 of 4 errors); b predicted as a (1 of 4 errors)",
        ),
        ([("a", "b")] * 9 + [("b", "a")], "a predicted as b (9 of 10 errors)"),
    ],
)
def test_frequent_confusions_are_named(pairs, text):
    assert confusions(scores(pairs), Task("classification")) == text


@pytest.mark.parametrize(
    ("errors", "text"),
    [
        ([-12.0, -10], "predicts 11 years too low on average"),
        ([12.0, 10, -1], "predicts 7 years too high on average"),
        ([5.0, -5, 1], "predicts too high and too low"),
        ([0.0], ""),
        ([], ""),
    ],
)
def test_errors_of_a_regression_have_a_direction(errors, text):
    table = pd.DataFrame({"label": 30.0, "prediction": 30 + np.array(errors)})
    table["loss"] = (table["prediction"] - table["label"]).abs()
    assert confusions(table, Task("regression", "years")) == text


def test_a_speaker_leads_with_more_than_half_of_the_errors():
    speakers = np.array(["a", "a", "a", "b", ""])
    assert leading_speaker(np.array([1.0, 1, 0, 1, 0]), speakers) == "a"
    assert leading_speaker(np.array([1.0, 0, 0, 1, 0]), speakers) == ""
    assert leading_speaker(np.array([0.0, 0, 0, 0, 1]), speakers) == ""
    assert leading_speaker(np.zeros(5), speakers) == ""
    assert leading_speaker(np.ones(5), None) == ""
