"""The searches of a whole study are judged together."""

import numpy as np
import pandas as pd
import pytest
from voxslice.slices.search import find_slices
from voxslice.slices.study_level import (
    STUDY_COLUMNS,
    Searches,
    holding_searches,
    judge_searches,
)
from voxslice.slices.table import SEARCH_COLUMNS


def searches(model, *rows):
    """Searches of a model: name, number of rules, number of confirmed slices, and p."""
    table = pd.DataFrame(
        [
            [name, "subgroups", rules, 2, 3, confirmed, p, 0.3, 0.2, 0.1, 100]
            for name, rules, confirmed, p in rows
        ],
        columns=SEARCH_COLUMNS,
    )
    return Searches("voices", "gender", model, table.astype({"searched": "Int64"}))


def test_p_values_are_adjusted_for_all_searches_that_tested_a_rule():
    first = searches("a", ("metadata", 500, 2, 0.001), ("sound", 80, 1, 0.03))
    second = searches("b", ("metadata", 500, 0, 0.4), ("sound", 0, 0, 1.0), ("cluster", None, 0, 1))
    table = judge_searches([first, second], 0.05)
    assert list(table) == STUDY_COLUMNS
    assert table["q_study"].to_list()[:3] == pytest.approx([0.004, 0.09, 0.8])
    assert np.isnan(table["q_study"][3]) and table["q_study"][4] == 1
    assert table["holds"].to_list() == [True, False, False, False, False]
    assert (table["level"] == 0.05).all()
    assert holding_searches(table, "voices", "gender") == {"a": {"metadata"}, "b": set()}
    assert holding_searches(table, "voices", "age") == {}


def test_a_search_without_a_confirmed_slice_does_not_hold():
    table = judge_searches([searches("a", ("metadata", 500, 0, 0.001))], 0.05)
    assert not table["holds"].any()


def null_search(rng, seed):
    """A small search of errors without a slice; some have attributes of speakers."""
    who = rng.integers(16, size=240)
    table = pd.DataFrame(
        {
            "speaker": who.astype(str),
            "word": rng.integers(4, size=240).astype(str),
            "room": rng.integers(3, size=240).astype(str),
            "gender": np.array(["female", "male"])[who % 2],
        }
    )
    loss = (rng.random(240) < rng.beta(2, 10, 16)[who]).astype(float)
    return find_slices(table, loss, ["word", "room", "gender"], "speaker", depth=2, seed=seed)


@pytest.mark.slow
def test_p_values_of_searches_are_uniform_or_larger_below_the_resolution():
    rng = np.random.default_rng(7)
    p = np.array([null_search(rng, seed).p for seed in range(300)])
    for level in (0.05, 0.1, 0.3):
        assert (p <= level).mean() <= level + 2.5 * np.sqrt(level * (1 - level) / len(p))
    assert (p <= 0.0025).sum() <= 4


def test_a_clear_slice_has_a_p_value_beyond_the_resamples():
    rng = np.random.default_rng(1)
    table = pd.DataFrame({"word": rng.integers(6, size=600).astype(str)})
    loss = (rng.random(600) < 0.05 + 0.5 * (table["word"] == "1")).astype(float)
    found = find_slices(table, loss, ["word"])
    assert found.p < 1e-8 < found.slices["p"].iloc[0]
    assert find_slices(table, np.zeros(600), ["word"]).p == 1
