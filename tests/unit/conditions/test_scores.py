"""The scores of a model in all conditions are kept in one table."""

import pandas as pd
import pytest
from condition_scores import CONDITIONS, classification, metadata
from voxslice.conditions.scores import joined, separated
from voxslice.files import write_parquet


@pytest.fixture
def scores():
    return classification(metadata())["small"]


def test_scores_are_the_same_after_they_were_joined_and_written(scores, tmp_path):
    table = joined(scores)
    assert list(table.columns) == ["condition", *scores["clean"].columns]
    assert list(table["condition"].unique()) == ["clean", *CONDITIONS]
    write_parquet(table, tmp_path / "scores.parquet")
    again = separated(pd.read_parquet(tmp_path / "scores.parquet"), scores)
    assert list(again) == list(scores)
    for name, expected in scores.items():
        pd.testing.assert_frame_equal(again[name], expected)
    assert "condition" not in scores["clean"]  # what is given is not changed


def test_conditions_are_taken_in_the_given_order(scores):
    taken = separated(joined(scores), ["quiet", "phone"])
    assert list(taken) == ["quiet", "phone"]
    assert taken["phone"].equals(scores["phone"])
