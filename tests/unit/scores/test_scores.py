"""Scores of classes and values are computed from outputs and labels."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from voxslice.classes import Classes
from voxslice.errors import InputError
from voxslice.scores.scores import (
    labels_of_output,
    score_choices,
    score_classes,
    score_values,
    value_label,
)
from voxslice.utterance_keys import KEY

CLASSES = ["female", "male", "child"]


def keys(count):
    return pd.DataFrame(
        {"file": [f"{i}.wav" for i in range(count)], "start": 0.0, "end": np.arange(count) + 1.0}
    )


def logits(rows):
    return keys(len(rows)).join(pd.DataFrame(rows, columns=CLASSES, dtype=np.float32))


def score(rows, labels, known=("female", "male"), classes=CLASSES):
    return score_classes(
        logits(rows), pd.Series(labels), classes=classes, task=Classes(list(known))
    )


def test_scores_of_a_classification():
    rows = [[3, 1, 0], [0, 1, 2], [0, 4, 1], [1, 0, 0]]
    scores = score(rows, ["female", "female", "female", "male"])
    assert scores[KEY].equals(keys(4))
    assert scores["label"].to_list() == ["female", "female", "female", "male"]
    assert scores["prediction"].to_list() == ["female", "child", "male", "female"]
    assert scores["loss"].to_list() == [0, 1, 1, 1]  # a class that the task lacks is wrong
    assert list(scores["prediction"].cat.categories) == CLASSES
    probabilities = scores[[f"p_{name}" for name in CLASSES]].to_numpy()
    np.testing.assert_allclose(probabilities, softmax(rows, axis=1), atol=1e-7)
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)


def test_extreme_logits_have_probabilities():
    scores = score([[1e30, -1e30, 0], [-1e4, -1e4, -1e4]], ["female", "male"])
    probabilities = scores[[f"p_{name}" for name in CLASSES]].to_numpy()
    assert np.isfinite(probabilities).all()
    np.testing.assert_allclose(probabilities.sum(1), 1, atol=1e-6)


def test_the_probabilities_of_classes_that_stand_for_one_label_are_added():
    rows = [[2.0, 1.9, 1.8], [5, 0, 0], [0, 0, 9]]
    task = Classes(["adult", "child"], {"female": "adult", "male": "adult"})
    scores = score_classes(
        logits(rows), pd.Series(["adult", "child", "child"]), classes=CLASSES, task=task
    )
    shares = softmax(rows, axis=1)
    assert list(scores) == [*KEY, "label", "prediction", "loss", "p_adult", "p_child"]
    np.testing.assert_allclose(scores["p_adult"], shares[:, :2].sum(1), atol=1e-7)
    assert scores["prediction"].to_list() == ["adult", "adult", "child"]
    assert scores["loss"].to_list() == [0, 1, 0]
    # the label with the largest share, not the one with the largest class
    close = score_classes(
        logits([[1.0, 1.0, 1.2]]), pd.Series(["adult"]), classes=CLASSES, task=task
    )
    assert close["prediction"].to_list() == ["adult"]


def test_excluded_classes_leave_their_probability_to_the_others():
    rows = [[1, 0, 9], [0, 2, 1]]
    task = Classes(["female", "male"], excluded=["child"])
    scores = score_classes(logits(rows), pd.Series(["female"] * 2), classes=CLASSES, task=task)
    assert list(scores["prediction"].cat.categories) == ["female", "male"]
    assert scores["prediction"].to_list() == ["female", "male"]
    np.testing.assert_allclose(
        scores[["p_female", "p_male"]], softmax([[1, 0], [0, 2]], axis=1), atol=1e-7
    )


def test_rows_without_a_known_label_are_left_out():
    rows = [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1], [0, 1, 0]]
    scores = score(rows, ["female", None, "other", "child", "male"])
    assert scores["file"].to_list() == ["0.wav", "4.wav"]
    assert scores["loss"].to_list() == [0, 0]
    assert scores.index.to_list() == [0, 1]
    assert not scores.isna().any(axis=None)


def choices(chosen, probabilities=None):
    table = keys(len(chosen)).assign(gender=pd.Categorical(chosen, categories=CLASSES))
    for position, name in enumerate(CLASSES if probabilities else []):
        table[f"gender.{name}"] = [row[position] for row in probabilities]
    return table


def test_scores_of_given_classes_have_the_form_of_computed_ones():
    rows = [[3, 1, 0], [0, 1, 2], [0, 4, 1], [1, 0, 0]]
    labels = ["female", "female", None, "male"]
    chosen = ["female", "child", "male", "female"]
    computed = score(rows, labels)
    given = score_choices(
        choices(chosen, softmax(rows, axis=1).tolist()),
        pd.Series(labels),
        task="gender",
        known=["female", "male"],
    )
    pd.testing.assert_frame_equal(given, computed)
    assert given["loss"].to_list() == [0, 1, 1]


def test_given_classes_need_no_probabilities():
    given = score_choices(
        choices(["male", "male"]), pd.Series(["male", "female"]), task="gender", known=CLASSES[:2]
    )
    assert list(given) == [*KEY, "label", "prediction", "loss"]
    assert given["loss"].to_list() == [0, 1]
    with pytest.raises(InputError, match="No utterance has one of the labels"):
        score_choices(choices(["male"]), pd.Series(["x"]), task="gender", known=CLASSES[:2])


def test_the_index_of_the_labels_does_not_matter():
    labels = pd.Series(["female", "male"], index=[7, 3])
    scores = score_classes(
        logits([[1, 0, 0], [0, 1, 0]]), labels, classes=CLASSES, task=Classes(["female", "male"])
    )
    assert scores["label"].to_list() == ["female", "male"]


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (pd.Series([True, False, None], dtype="boolean"), ["True", "False"]),
        (pd.Series([True, False, True]), ["True", "False"]),
        (pd.Series([1, 2, None], dtype="Int64"), ["1", "2"]),
        (pd.Series([1, 2, 1]), ["1", "2"]),
        (pd.Series([1.0, 2.5, np.nan]), ["1.0", "2.5"]),
        (pd.Series(["x", "y", None], dtype="category"), ["x", "y"]),
        (pd.Series([1, 2, 1], dtype="category"), ["1", "2"]),
        (pd.Series(["x", "y", pd.NA], dtype="string"), ["x", "y"]),
        (pd.Series([True, False, None], dtype="object"), ["True", "False"]),
    ],
)
def test_labels_of_every_type_are_matched_as_text(labels, names):
    classes = [*names, "other"]
    predictions = logits([[1, 0, 0], [1, 0, 0], [0, 0, 1]])
    predictions.columns = [*KEY, *classes]
    scores = score_classes(predictions, labels, classes=classes, task=Classes(names))
    assert scores["label"].to_list()[:2] == names
    assert scores["loss"].to_list()[:2] == [0, 1]
    assert len(scores) == labels.notna().sum()


def test_a_class_that_the_model_lacks():
    with pytest.raises(InputError, match="stands for the task's label 'senior'"):
        score([[1, 0, 0]], ["female"], known=["female", "senior"])


@pytest.mark.parametrize(("labels", "found"), [(["a", "b"], "a, b"), ([None, None], "none")])
def test_no_known_label(labels, found):
    with pytest.raises(InputError, match=rf"one of the labels female, male \(found: {found}\)"):
        score([[1, 0, 0], [1, 0, 0]], labels)


def values(predicted, labels, scale=1.0):
    predictions = keys(len(predicted)).assign(age=np.array(predicted, dtype=np.float32))
    return score_values(predictions, pd.Series(labels), column="age", scale=scale)


def test_scores_of_a_regression():
    scores = values([0.25, 0.5, 0.75], [30, 50, 60], scale=100)
    assert scores["prediction"].to_list() == [25, 50, 75]
    assert scores["label"].to_list() == [30, 50, 60]
    assert scores["loss"].to_list() == [5, 0, 15]
    assert scores[KEY].equals(keys(3))


@pytest.mark.parametrize(
    "labels",
    [
        [1.0, None, np.nan, np.inf, 2.0],
        pd.Series([1, None, None, None, 2], dtype="Int64"),
        pd.Series(["1", None, None, None, "2"]),
        pd.Series([1, None, None, None, 2], dtype="category"),
        pd.Series(["1", None, None, None, "2"], dtype="string"),
    ],
)
def test_rows_without_a_number_are_left_out(labels):
    scores = values([0, 1, 2, 3, 4], labels)
    assert scores["file"].to_list() == ["0.wav", "4.wav"]
    assert scores["label"].to_list() == [1, 2]
    assert scores["loss"].to_list() == [1, 2]
    assert scores.index.to_list() == [0, 1]


def test_labels_that_are_no_numbers():
    with pytest.raises(InputError, match="has 'old' among the labels of a regression"):
        values([1, 2], ["old", "young"])
    with pytest.raises(InputError, match="No utterance has a label"):
        values([1, 2], [None, None])


def test_outputs_and_labels():
    outputs = {"age": ["age"], "gender": CLASSES}
    assert labels_of_output(outputs, "gender", "m") == CLASSES
    with pytest.raises(InputError, match="model m has no output 'x', but age, gender"):
        labels_of_output(outputs, "x", "m")
    assert value_label(["age"], None, "age", "m") == "age"
    assert value_label(CLASSES, "male", "gender", "m") == "male"
    with pytest.raises(InputError, match="name one of them"):
        value_label(CLASSES, None, "gender", "m")
    with pytest.raises(InputError, match="gender of m has the labels female, male, child"):
        value_label(CLASSES, "age", "gender", "m")
