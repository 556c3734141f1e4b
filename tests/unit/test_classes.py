"""Classes of models are mapped to the labels of a task."""

import pytest
from voxslice.classes import Classes
from voxslice.errors import InputError


def test_classes_are_grouped_by_their_labels():
    task = Classes(
        ["low", "high"], {"sad": "low", "joy": "high", "calm": "low", "odd": "odd"}, ["x"]
    )
    groups = {"low": ["sad", "calm"], "high": ["high", "joy"], "odd": ["odd"]}
    assert task.groups(["sad", "x", "high", "joy", "odd", "calm"]) == groups
    # another model of the task has other classes
    assert task.groups(["high", "low"]) == {"high": ["high"], "low": ["low"]}


def test_without_classes_and_exclude_classes_do_not_change():
    assert Classes(["a"]).groups(["b", "a"]) == {"b": ["b"], "a": ["a"]}


@pytest.mark.parametrize(
    ("task", "sentence"),
    [
        (Classes(["a", "b"]), "the classes a, c, none of which stands for the task's label 'b'"),
        (Classes(["a"], {"d": "a"}), "the class 'c', which is neither a label of the task nor"),
        (Classes(["a"], excluded=["C"]), "the class 'c', which is neither a label"),
        (Classes(["a", "c"], {"c": "a"}), "none of which stands for the task's label 'c'"),
        (Classes(["a", "c"], excluded=["a"]), "none of which stands for the task's label 'a'"),
    ],
)
def test_a_misspelt_class_is_an_error_of_one_sentence(task, sentence):
    with pytest.raises(InputError) as error:
        task.groups(["a", "c"])
    assert sentence in str(error.value)
    assert str(error.value).endswith(".")


def test_an_error_names_the_model_or_table_that_has_the_classes():
    with pytest.raises(InputError, match=r"^The model m has the classes a, none of which"):
        Classes(["b"]).groups(["a"], "The model m")
    with pytest.raises(InputError, match=r"^t\.csv has the class 'c', which is neither"):
        Classes(["b"], {"a": "b"}).groups(["b", "c"], "t.csv")
