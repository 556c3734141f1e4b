"""The smallest drop with which a rule would be confirmed."""

import numpy as np
import pandas as pd
import pytest
from voxslice.slices.max_tests import adjusted_p, signed_root
from voxslice.slices.needed_drops import critical_statistic, needed_excess
from voxslice.slices.search import find_slices


@pytest.mark.parametrize("unit", [0.0, 1e-6, 0.02, 0.5, 4.0])
@pytest.mark.parametrize("statistic", [0.0, 0.5, 3.0, 9.0])
def test_the_needed_excess_has_the_statistic(statistic, unit):
    excess = needed_excess(statistic, 2.5, unit)
    assert signed_root(np.array(excess), 2.5, unit) == pytest.approx(statistic, abs=1e-6)


def test_no_excess_is_enough_without_variance():
    assert needed_excess(3.0, 0.0, 1.0) == np.inf


def test_the_critical_statistic_is_the_smallest_one_below_the_level():
    maxima = np.random.default_rng(0).gumbel(3, 0.3, 999)
    for level in (0.5, 0.05, 0.01, 0.004):
        critical = critical_statistic(maxima, level)
        p = adjusted_p(np.array([critical, critical - 0.001]), maxima)
        assert p[0] <= level < p[1]
    assert critical_statistic(maxima, 0.001) == np.inf


def searched(drop, speakers, seed):
    """A table with a planted category, and its slices."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(40), 20)
    table = pd.DataFrame(
        {
            "speaker": who.astype(str),
            "site": np.array(["a", "b", "c", "d"])[who % 4],
            "word": rng.integers(6, size=800).astype(str),
        }
    )
    column, value = ("site", "a") if speakers == "across" else ("word", "0")
    loss = rng.random(800) < 0.1 + drop * (table[column] == value)
    if speakers is None:
        return table, loss, find_slices(table, loss, ["word"], seed=seed).slices
    return table, loss, find_slices(table, loss, ["site"], "speaker", seed=seed).slices


@pytest.mark.parametrize("speakers", [None, "across"])
def test_a_rule_is_confirmed_if_its_drop_reaches_the_detectable_one(speakers):
    outcomes = set()
    for seed in range(8):
        table, loss, slices = searched(0.03 + 0.03 * seed, speakers, seed)
        for row in slices.itertuples():
            inside = np.isin(np.arange(len(table)), row.rows)
            drop = loss[inside].mean() - loss[~inside].mean()
            assert (row.p <= 0.05) == (drop >= row.detectable - 1e-3)
            outcomes.add(row.p <= 0.05)
    assert outcomes == {True, False}


def test_the_detectable_drop_falls_with_the_size_and_scales_with_the_losses():
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {
            "speaker": rng.integers(20, size=2000).astype(str),
            "word": rng.choice(["long", "rare", "other"], 2000, p=[0.3, 0.05, 0.65]),
        }
    )
    loss = (rng.random(2000) < 0.1 + 0.4 * (table["word"] != "other")).astype(float)
    slices = find_slices(table, loss, ["word"], "speaker").slices.set_index("rule")
    wanted = slices["detectable"]
    assert 0 < wanted["word = long"] < wanted["word = rare"] < 0.4
    larger = find_slices(table, 30 * loss, ["word"], "speaker").slices.set_index("rule")
    pd.testing.assert_series_equal(larger["detectable"], 30 * wanted)
