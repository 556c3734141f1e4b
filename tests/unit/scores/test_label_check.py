"""Labels that the task does not name are counted and reported."""

import pandas as pd
import pytest
from voxslice.scores.label_check import unnamed_labels

KNOWN = ["female", "male"]


def test_nothing_is_reported_if_the_task_names_all_labels():
    assert unnamed_labels(pd.Series(["male", "female", "male"]), KNOWN) == []
    assert unnamed_labels(pd.Series([0, 1, 1]), ["0", "1"]) == []
    assert unnamed_labels(pd.Series([True, False]), ["True", "False"]) == []


def test_labels_are_counted_and_look_alikes_are_listed_first():
    labels = pd.Series(
        ["female", "M", "M", "M", "female ", "Female", "Female", None, "male", "ma\u200ble"]
    )
    assert unnamed_labels(labels, KNOWN) == [
        "7 of the 10 utterances have a label that the task does not name and are left out:"
        " 'Female' (2, looks like 'female'), 'female ' (1, looks like 'female'),"
        " 'ma\\u200ble' (1, looks like 'male'), 'M' (3).",
        "1 of the 10 utterances has no label and is left out.",
    ]


@pytest.mark.parametrize(
    ("label", "known"),
    [("FREUDE", "freude"), ("in  love", "in love"), ("glu\u0308cklich", "gl\u00fccklich"),
     ("\uff4d\uff41\uff4c\uff45", "male"), ("STRASSE", "straße"), ("\u00a0joy", "joy")],
)  # fmt: skip
def test_case_blanks_and_unicode_forms_look_the_same(label, known):
    assert f"looks like {known!r}" in unnamed_labels(pd.Series([label]), ["other", known])[0]


def test_many_labels_are_cut():
    sentences = unnamed_labels(pd.Series([*"abcdefg", "male"], dtype="category"), KNOWN)
    assert sentences[0].endswith("left out: 'a' (1), 'b' (1), 'c' (1), 'd' (1), 'e' (1), 2 others.")
