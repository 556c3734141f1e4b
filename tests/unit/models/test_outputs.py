"""Outputs of a model that can be read as one vector per utterance."""

import re

import numpy as np
import pytest
from voxslice.errors import InputError
from voxslice.models.outputs import label_columns, require_outputs, split_outputs, unfit

CARD = {
    "outputs": {"age": ["age"], "gender": ["female", "male"]},
    "refused": {"frames": "the output frames is not one vector per utterance"},
}


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (np.zeros((1, 3), np.float32), 3),
        (np.zeros((1, 3), np.float16), 3),
        (np.zeros((1, 3, 1)), 3),
        (np.zeros(3), 3),
        (np.float32(2), 1),
        (np.array([[7]]), 1),
        (np.array([True, False]), 2),
    ],
)
def test_vectors_of_numbers_fit(value, size):
    assert unfit("x", value, size) is None


@pytest.mark.parametrize(
    ("value", "size", "reason"),
    [
        (np.zeros((1, 49, 4)), 4, r"it has the shape \(1, 49, 4\), but 4 labels$"),
        (np.zeros((0, 4)), 4, r"it has the shape \(0, 4\), but 4 labels$"),
        (np.zeros((1, 2)), 1, r"it has the shape \(1, 2\), but 1 label$"),
        (np.array(["female"], dtype=object), 1, "the output x holds text"),
        (np.array(["female"]), 1, "the output x holds text"),
        (np.array([1j]), 1, "the output x holds text or other values that are not numbers"),
    ],
)
def test_other_values_do_not(value, size, reason):
    assert re.search(reason, unfit("x", value, size))


def test_an_output_is_usable_if_it_fits_at_every_duration():
    labels = {"a": ["a"], "frames": ["f"], "steady": ["s"] * 2}
    trials = [
        {"a": np.zeros(1), "frames": np.zeros((1, length)), "steady": np.zeros(2)}
        for length in (1, 2)
    ]
    usable, refused = split_outputs(labels, trials)
    assert usable == {"a": ["a"], "steady": ["s", "s"]}
    assert list(refused) == ["frames"] and "(1, 2)" in refused["frames"]
    assert split_outputs(labels, trials[:1]) == (labels, {})
    assert split_outputs(labels, []) == (labels, {})


def test_outputs_that_a_study_reads_must_exist():
    require_outputs(CARD, "m", outputs=["gender", "age"], labels=["male"])
    require_outputs(CARD, "m", outputs=[])
    with pytest.raises(InputError, match="model m has no output 'sex', but age, gender: correct"):
        require_outputs(CARD, "m", outputs=["age", "sex"])
    with pytest.raises(
        InputError, match=r"since the output frames is not .* \(those that can be read: age, gend"
    ):
        require_outputs(CARD, "m", outputs=["frames"])
    with pytest.raises(InputError, match=r"no label 'child': .* one of age, female, male"):
        require_outputs(CARD, "m", outputs=[], labels=["male", "child"])


def test_label_columns():
    assert label_columns({"x": ["b", "a"], "y": ["c"]}, "m") == ["b", "a", "c"]
    with pytest.raises(InputError, match="predictions of m would be called 'a'"):
        label_columns({"x": ["a"], "y": ["a"]}, "m")


@pytest.mark.parametrize("name", ["file", "start", "end", "embedding"])
def test_labels_must_not_hide_other_columns(name):
    with pytest.raises(InputError, match=f"would be called '{name}'"):
        label_columns({"y": [name]}, "m")
