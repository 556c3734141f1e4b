"""The slices and categories on which models are compared."""

import numpy as np
import pandas as pd
import pytest
from voxslice.comparison.compare import compare
from voxslice.comparison.groups import Group, align, category_groups, slice_groups
from voxslice.names import NO_RULE
from voxslice.task import Task
from voxslice.utterance_keys import KEY


def scored(files, loss):
    table = pd.DataFrame({"file": files, "start": 0.0, "end": 1.0, "loss": np.asarray(loss, float)})
    return table[[*KEY, "loss"]]


def members(name, files):
    return scored(files, [0] * len(files))[KEY].assign(slice=name)


def table_of(*names):
    return pd.DataFrame({"slice": names, "rule": [f"rule of {name}" for name in names]})


def test_models_are_compared_on_common_utterances():
    scores = {"a": scored(list("wxyz"), [0, 1, 2, 3]), "b": scored(list("zyxv"), [30, 20, 10, 9])}
    keys, aligned = align(scores)
    assert keys["file"].to_list() == ["x", "y", "z"]
    assert aligned["a"]["loss"].tolist() == [1, 2, 3]
    assert aligned["b"]["loss"].tolist() == [10, 20, 30]
    slices = slice_groups(
        keys,
        [table_of("s"), table_of("t", "s")],
        [members("s", ["x", "w"]), pd.concat([members("t", ["v", "z"]), members("s", ["x", "w"])])],
    )
    assert {name: part.mask.tolist() for name, part in slices.items()} == {
        "s": [True, False, False],
        "t": [False, False, True],
    }
    assert {(part.kind, part.rule) for part in slices.values()} == {
        ("slice", "rule of s"),
        ("slice", "rule of t"),
    }
    table = compare(aligned, slices, None, task=Task("regression"), resamples=100, seed=0)
    assert table["slice"].to_list() == ["all", "s", "t"]


@pytest.mark.parametrize("name", ["file", "start", "end", "loss", "a_x"])
def test_models_may_have_any_id(name):
    keys, aligned = align(
        {name: scored(list("xyz"), [1, 2, 3]), "b": scored(list("xyz"), [4, 5, 6])}
    )
    assert list(keys) == KEY and keys["file"].to_list() == list("xyz")
    assert aligned[name]["loss"].tolist() == [1, 2, 3]
    assert aligned["b"]["loss"].tolist() == [4, 5, 6]


def test_no_common_utterance():
    keys, aligned = align({"a": scored(["x"], [1]), "b": scored(["y"], [1])})
    assert len(keys) == 0
    slices = slice_groups(keys, [table_of("s")], [members("s", ["x"])])
    slices |= category_groups(pd.DataFrame({"age": pd.Series(dtype=float)}), slices)
    table = compare(
        aligned, slices, None, task=Task("classification", margin=0.1), resamples=100, seed=0
    )
    assert table["support"].to_list() == [0, 0]
    assert table["p"].to_list() == [1, 1]
    assert table["verdict"].to_list() == ["undecided", "undecided"]


def test_a_slice_without_a_rule_is_named_as_a_cluster():
    keys, _ = align({"a": scored(["x"], [1])})
    table = pd.DataFrame(
        {"slice": ["s", "t", "t", "s"], "rule": [NO_RULE, "clean", NO_RULE, NO_RULE],
         "search": ["one", "one", "two", "two"]}
    )  # fmt: skip
    rows = pd.concat([members("s", ["x"]), members("t", ["x"])])
    names = {name: group.rule for name, group in slice_groups(keys, [table], [rows]).items()}
    assert names == {"s": "cluster s of one", "t": "clean"}


def test_each_category_is_a_slice():
    metadata = pd.DataFrame(
        {
            "emotion": pd.Categorical(["anger"] * 20 + ["fear"] * 9 + ["joy"] * 21),
            "clean": [True] * 10 + [None] * 30 + [False] * 10,
        }
    )
    slices = category_groups(metadata, {})
    assert list(slices) == [
        "emotion=anger", "emotion=joy", "clean=False", "clean=True", "clean=missing",
    ]  # fmt: skip
    assert slices["emotion=joy"].rule == "emotion = joy"
    assert slices["emotion=joy"].kind == "category"
    assert slices["emotion=joy"].mask.nonzero()[0].tolist() == list(range(29, 50))
    assert slices["clean=missing"].mask.sum() == 30


def test_numbers_are_compared_in_three_groups():
    ages = [21] * 12 + [26] * 13 + [30] * 14 + [31] * 10 + [34] * 10 + [35] * 11 + [np.nan] * 20
    slices = category_groups(pd.DataFrame({"age": ages}), {})
    assert list(slices) == ["age=21..26", "age=30..31", "age=34..35"]
    assert [part.rule for part in slices.values()] == [
        "age at most 26", "age in 30..31", "age at least 34",
    ]  # fmt: skip
    assert [part.mask.sum() for part in slices.values()] == [25, 24, 21]
    shuffled = np.random.default_rng(0).permutation(90)
    again = category_groups(pd.DataFrame({"age": np.array(ages)[shuffled]}), {})
    assert all((again[name].mask == slices[name].mask[shuffled]).all() for name in slices)


def test_equal_numbers_are_in_one_group():
    slices = category_groups(pd.DataFrame({"level": [0] * 80 + [5] * 20}), {})
    assert {name: part.mask.sum() for name, part in slices.items()} == {
        "level=0": 80,
        "level=5": 20,
    }
    assert slices["level=0"].rule == "level = 0"
    assert category_groups(pd.DataFrame({"level": [np.nan] * 30}), {}) == {}


def test_groups_of_many_numbers_are_of_about_the_same_size():
    values = np.random.default_rng(0).normal(size=1000)
    sizes = [part.mask.sum() for part in category_groups(pd.DataFrame({"x": values}), {}).values()]
    assert sum(sizes) == 1000 and max(sizes) - min(sizes) <= 1


def test_a_set_of_utterances_is_compared_once():
    metadata = pd.DataFrame(
        {
            "gender": ["female"] * 20 + ["male"] * 20,
            "pronoun": ["she"] * 20 + ["he"] * 20,
            "language": ["de"] * 40,
        }
    )
    found = {"1a": Group("slice", "gender = male", np.arange(40) >= 20)}
    assert list(category_groups(metadata, found)) == ["gender=female"]
    assert list(category_groups(metadata, {})) == ["gender=female", "gender=male"]


def test_groups_of_large_and_close_numbers_have_different_texts():
    when = 1_600_000_000 + np.arange(300)
    slices = category_groups(pd.DataFrame({"when": when}), {})
    assert list(slices) == [
        "when=1600000000..1600000099",
        "when=1600000100..1600000199",
        "when=1600000200..1600000299",
    ]
    assert slices["when=1600000100..1600000199"].rule == "when in 1600000100..1600000199"
    assert sum(part.mask for part in slices.values()).tolist() == [1] * 300
