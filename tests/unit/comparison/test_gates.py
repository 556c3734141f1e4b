"""Gates compare a derived model with its source on each slice."""

import numpy as np
import pandas as pd
import pytest
from voxslice.comparison.compare import compare
from voxslice.comparison.gates import GATE_COLUMNS, compare_with_sources, summaries
from voxslice.comparison.groups import Group
from voxslice.task import Task


def compared(losses, slices=None, kind="classification"):
    scores = {name: pd.DataFrame({"loss": np.asarray(x, float)}) for name, x in losses.items()}
    slices = {
        name: Group("slice", f"rule of {name}", np.asarray(mask, bool))
        for name, mask in (slices or {}).items()
    }
    return compare(scores, slices, None, task=Task(kind), resamples=100, seed=0)


def gates_of(losses, slices=None, kind="classification", sources=None, gate=0.99):
    table = compared(losses, slices, kind)
    sources = sources or {"int8": "big"}
    return compare_with_sources(table, sources, gate=gate)


def wrong(count, total=200):
    return np.arange(total) < count


@pytest.mark.parametrize(("order", "names"), [(1, ["big", "int8"]), (-1, ["int8", "big"])])
def test_accuracy_is_compared_with_that_of_the_source(order, names):
    losses = dict(list({"big": wrong(20), "other": wrong(5), "int8": wrong(22)}.items())[::order])
    assert [name for name in losses if name != "other"] == names
    slices = {
        "thirty": np.arange(200) < 30,
        "few": (np.arange(200) >= 1) & (np.arange(200) < 30),
        "rest": np.arange(200) >= 30,
    }
    table = gates_of(losses, slices)
    assert list(table) == GATE_COLUMNS
    assert table["slice"].to_list() == ["all", "thirty", "rest"]
    assert table["rule"].to_list() == ["all utterances", "rule of thirty", "rule of rest"]
    assert table["support"].to_list() == [200, 30, 170]
    assert (table["model"] == "int8").all() and (table["source"] == "big").all()
    assert table["value"].to_list() == pytest.approx([178 / 200, 8 / 30, 1])
    assert table["source_value"].to_list() == pytest.approx([180 / 200, 10 / 30, 1])
    assert table["ratio"].to_list() == pytest.approx([178 / 180, 8 / 10, 1])
    assert table["passed"].to_list() == [False, False, True]
    assert gates_of(losses, slices, gate=0.98)["passed"].to_list() == [True, False, True]


def test_a_smaller_error_is_better():
    source = np.full(100, 2.0)
    for error, ratio, passed in [(2.02, 2 / 2.02, True), (2.03, 2 / 2.03, False), (1, 2, True)]:
        row = gates_of({"big": source, "int8": np.full(100, error)}, None, "regression").iloc[0]
        assert row["ratio"] == pytest.approx(ratio)
        assert row["passed"] == passed


def test_exactly_the_required_share_passes():
    assert gates_of({"big": wrong(0), "int8": wrong(2)}).iloc[0]["passed"]
    assert not gates_of({"big": wrong(0), "int8": wrong(3)}).iloc[0]["passed"]


def test_sources_that_are_always_wrong_or_never():
    row = gates_of({"big": wrong(200), "int8": wrong(200)}).iloc[0]
    assert (row["ratio"], row["passed"]) == (1, True)
    row = gates_of({"big": wrong(200), "int8": wrong(100)}).iloc[0]
    assert np.isnan(row["ratio"]) and row["passed"]
    perfect = np.zeros(200)
    row = gates_of({"big": perfect, "int8": perfect}, None, "regression").iloc[0]
    assert (row["ratio"], row["passed"]) == (1, True)
    row = gates_of({"big": perfect, "int8": perfect + 0.1}, None, "regression").iloc[0]
    assert (row["ratio"], row["passed"]) == (0, False)
    row = gates_of({"big": perfect + 0.1, "int8": perfect}, None, "regression").iloc[0]
    assert np.isnan(row["ratio"]) and row["passed"]


def test_the_gate_on_all_utterances_needs_no_minimum():
    assert gates_of({"big": wrong(1, 5), "int8": wrong(1, 5)})["support"].to_list() == [5]
    row = gates_of({"big": [], "int8": []}).iloc[0]
    assert not row["passed"] and np.isnan(row["ratio"])


def test_without_derived_models_there_is_no_gate():
    table = compared({"a": wrong(1), "b": wrong(2)})
    gates = compare_with_sources(table, {}, gate=0.99)
    assert list(gates) == GATE_COLUMNS and len(gates) == 0
    assert summaries(gates, 0.99) == []


def test_summaries():
    losses = {"big": wrong(20), "int8": wrong(22), "fp16": wrong(20)}
    gates = gates_of(losses, {"s": np.arange(200) < 40}, sources={"int8": "big", "fp16": "big"})
    assert summaries(gates, 0.99) == [
        "int8 fails its gates: 0 of 2 keep 0.99 of big, the least 0.9 on rule of s.",
        "fp16 passes its gates: 2 of 2 keep 0.99 of big.",
    ]
    assert pd.api.types.is_bool_dtype(gates["passed"])


@pytest.mark.parametrize(
    ("value", "source", "ratio", "passed"),
    [(0.8, 0.8, 1, True), (0.79, 0.8, 0.79 / 0.8, False), (-0.1, -0.1, np.nan, True),
     (-0.2, -0.1, np.nan, False), (0.1, -0.1, np.nan, True)],
)  # fmt: skip
def test_a_higher_concordance_is_better(value, source, ratio, passed):
    table = compared({"big": np.full(100, 2.0), "int8": np.full(100, 2.0)}, None, "regression")
    table = table.assign(metric="ccc", value_a=source, value_b=value)
    row = compare_with_sources(table, {"int8": "big"}, gate=0.99).iloc[0]
    assert row["metric"] == "ccc" and row["passed"] == passed
    np.testing.assert_equal(row["ratio"], ratio)
