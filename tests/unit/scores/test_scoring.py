"""Scoring of a model's predictions as the task and the model's card define it."""

import numpy as np
import pandas as pd
import pytest
from voxslice.errors import InputError
from voxslice.scores.scoring import score_predictions
from voxslice.utterance_keys import KEY

COUNT = 8
CARD = {
    "outputs": {"gender": ["f", "m"], "age": ["age"], "both": ["age", "height"]},
    "activations": {},
}


def keys():
    return pd.DataFrame(
        {"file": [f"{i}.wav" for i in range(COUNT)], "start": 0.0, "end": np.arange(COUNT) + 1.0}
    )


def metadata():
    return keys().assign(gender=["f", "m"] * 4, age=np.arange(COUNT) * 10.0)


@pytest.fixture
def shards(tmp_path):
    """Two shards whose utterances are in another order than those of the metadata."""
    table = keys().assign(
        f=np.where(np.arange(COUNT) % 2, -2.0, 2.0), m=0.0, age=np.arange(COUNT) / 10
    )
    table.loc[3, "f"] = 5.0  # the only error
    paths = []
    for number, rows in enumerate([[5, 4, 7, 6], [3, 2, 1, 0]]):
        paths.append(str(tmp_path / f"{number}.parquet"))
        table.iloc[rows].to_parquet(paths[-1], index=False)
    return paths


def scored(paths, settings, *, given=False, task="t", table=None, card=CARD, **changes):
    arguments = {"classes": {"labels": ["f", "m"]}, "scale": "logits", "model": "big"} | changes
    table = metadata() if table is None else table
    return score_predictions(
        paths, table, given=given, card=card, task=task, settings=settings, **arguments
    )


GENDER = {"type": "classification", "target": "gender", "output": "gender", "labels": ["f", "m"]}
AGE = {"type": "regression", "target": "age", "output": "age", "scale": 100}


def test_a_classification_is_scored_by_the_labels_of_each_utterance(shards, capsys):
    scoring = scored(shards, GENDER)
    wrong = scoring.scores.loc[scoring.scores["loss"] == 1, "file"]
    assert wrong.to_list() == ["3.wav"]
    assert (scoring.scale, scoring.notes) == ("logits", [])
    assert "8 of 8 utterances are scored." in capsys.readouterr().out


def test_a_regression_is_scored_in_the_unit_of_the_task(shards):
    scoring = scored(shards, AGE)
    assert scoring.scale is None
    np.testing.assert_allclose(scoring.scores["loss"], 0, atol=1e-9)
    half = scored(shards, AGE | {"scale": 50}).scores.set_index("file")["loss"]
    np.testing.assert_allclose(half[keys()["file"]], np.arange(COUNT) * 5.0)


def test_utterances_whose_label_the_task_does_not_name_are_left_out_and_named(shards, capsys):
    table = metadata().assign(gender=["f", "x"] * 4)
    scoring = scored(shards, GENDER, table=table)
    assert len(scoring.scores) == 4
    printed = capsys.readouterr().out
    assert "'x' (4)" in printed and "4 of 8 utterances are scored." in printed


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_given_predictions_are_scored_where_they_have_a_value(tmp_path, kind):
    path = str(tmp_path / "given.parquet")
    if kind == "classification":
        values = pd.Categorical(["f", "f", None, "m"] * 2)
        settings = {"type": kind, "target": "gender", "labels": ["f", "m"]}
        expected = [0, 1, 0] * 2
    else:
        values = [0.0, 12.0, np.nan, 33.0, 40.0, 50.0, np.nan, 70.0]
        settings = {"type": kind, "target": "age"}
        expected = [0, 2, 3, 0, 0, 0]
    keys().assign(mine=values).iloc[::-1].to_parquet(path, index=False)
    scoring = scored([path], settings, given=True, task="mine")
    assert scoring.scores["loss"].to_list() == expected[::-1]
    assert scoring.scale is None


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (GENDER | {"output": "none"}, "has no output 'none'"),
        (AGE | {"output": "both"}, "age, height"),
        (AGE | {"target": "gender"}, "among the labels of a regression"),
    ],
)
def test_what_does_not_fit_is_refused(shards, settings, message):
    with pytest.raises(InputError, match=message):
        scored(shards, settings)


def test_scores_have_the_keys_of_the_predictions(shards):
    files = scored(shards, AGE).scores
    assert list(files[KEY].columns) == KEY
    assert files["file"].to_list() == [f"{i}.wav" for i in (5, 4, 7, 6, 3, 2, 1, 0)]


def test_a_head_with_another_order_of_labels_is_in_the_log_and_the_notes(shards, capsys):
    table = metadata().assign(gender=["m", "f", "m", "m", "m", "f", "m", "f"])
    (note,) = scored(shards, GENDER, table=table).notes
    assert note.startswith("big predicts m for f, f for m: the order of its labels looks wrong")
    assert note in capsys.readouterr().out
    few = table.assign(speaker=["a", "b"] * 4)  # two speakers show nothing
    assert scored(shards, GENDER, table=few).notes == []
