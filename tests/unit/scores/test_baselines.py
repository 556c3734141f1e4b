"""The reference models chance, majority and median."""

import numpy as np
import pandas as pd
import pytest
from voxslice.errors import InputError
from voxslice.names import REFERENCES
from voxslice.scores.baselines import score_references
from voxslice.scores.scores import score_choices, score_values
from voxslice.utterance_keys import KEY

LABELS = ["female", "male", "other"]


def keys(count):
    files = [f"{i}.wav" for i in range(count)]
    return pd.DataFrame({"file": files, "start": 0.0, "end": 1.0})


def references_of(labels, known=LABELS, seed=0):
    labels = pd.Series(labels)
    table = score_references(keys(len(labels)), labels, known=known, seed=seed)
    parts = dict(iter(table.groupby("model", sort=False)))
    return {name: part.drop(columns="model").reset_index(drop=True) for name, part in parts.items()}


def test_references_of_a_classification_have_the_form_of_scores():
    labels = ["female", "male", None, "male", "unknown"]
    found = references_of(labels)
    assert list(found) == ["chance", "majority"]
    guesses = keys(5).assign(g=pd.Categorical(["male"] * 5, categories=LABELS))
    expected = score_choices(guesses, pd.Series(labels), task="g", known=LABELS)
    pd.testing.assert_frame_equal(found["majority"], expected)
    assert found["majority"]["loss"].to_list() == [1, 0, 0]
    assert found["chance"][[*KEY, "label"]].equals(expected[[*KEY, "label"]])


def test_the_accuracy_of_chance_does_not_depend_on_the_labels():
    labels = ["female"] * 2700 + ["male"] * 300
    found = references_of(labels)["chance"]
    right = 1 - found["loss"].groupby(found["label"], observed=True).mean()
    assert right["female"] == pytest.approx(1 / 3, abs=0.03)
    assert right["male"] == pytest.approx(1 / 3, abs=0.09)
    assert found["prediction"].value_counts(normalize=True).round(1).to_list() == [0.3] * 3


def test_the_first_label_wins_a_tie():
    labels = ["male", "female", "male", "female"]
    assert set(references_of(labels)["majority"]["prediction"]) == {"female"}
    other = references_of(labels, known=["male", "female"])["majority"]
    assert set(other["prediction"]) == {"male"}


def test_references_of_a_regression():
    labels = [20.0, 30, None, 70, 40]
    found = references_of(labels, known=None)
    assert list(found) == ["chance", "median"]
    expected = score_values(
        keys(5).assign(g=35.0), pd.Series(labels, dtype=float), column="g", scale=1
    )
    pd.testing.assert_frame_equal(found["median"], expected)
    assert found["median"]["loss"].to_list() == [15, 5, 35, 5]
    assert set(found["chance"]["prediction"]) <= {20, 30, 70, 40}


def test_chance_of_a_regression_predicts_labels_of_random_utterances():
    labels = np.random.default_rng(0).gamma(4, 10, 4000)
    found = references_of(labels, known=None)
    # the mean absolute difference of two labels, and the error of the best constant
    ordered = np.sort(labels)
    position = np.arange(1, 4001)
    gini = 2 * np.sum((2 * position - 4001) * ordered) / 4000**2
    assert found["chance"]["loss"].mean() == pytest.approx(gini, rel=0.05)
    best = np.abs(labels - np.median(labels)).mean()
    assert found["median"]["loss"].mean() == pytest.approx(best, rel=1e-12)
    assert best < np.abs(labels - labels.mean()).mean()


@pytest.mark.parametrize("known", [LABELS, None])
def test_the_seed_decides(known):
    labels = LABELS * 30 if known else np.arange(90.0)
    first, again, other = (references_of(labels, known, seed) for seed in (1, 1, 2))
    for name in first:
        pd.testing.assert_frame_equal(first[name], again[name])
    assert not first["chance"].equals(other["chance"])
    assert set(first) <= set(REFERENCES)


def test_without_labels_there_is_no_reference():
    with pytest.raises(InputError, match="No utterance has one of the labels"):
        references_of([None, "x"])
    with pytest.raises(InputError, match="No utterance has a label"):
        references_of([None, None], known=None)
    with pytest.raises(InputError, match="among the labels of a regression"):
        references_of(["old", "young"], known=None)
