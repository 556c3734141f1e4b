"""What a search without a slice rules out."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from voxslice.slices.certificates import SIZES, largest_excess, largest_limits
from voxslice.slices.excess import within_speakers
from voxslice.slices.search import find_slices


@pytest.mark.parametrize("statistic", [1.5, 3.0, 4.5])
def test_the_largest_excess_is_that_of_a_poisson_variable(statistic):
    # sums of a variance of 6, in jumps of 0.5: counts with an expectation of 24
    counts = np.array([0.0, 4.0, 24.0, 60.0])
    excess = (counts - 24) * 0.5
    expected = largest_excess(statistic, excess, np.full(4, 6.0), np.full(4, 0.5)) / 0.5 + 24
    deviance = 2 * (expected - counts + counts * np.log(np.maximum(counts, 1e-9) / expected))
    assert np.sqrt(deviance) == pytest.approx(statistic, rel=0.02)
    assert (expected > counts).all()


def test_the_largest_excess_without_skew_is_normal():
    found = largest_excess(3.0, np.array([-5.0, 0.0, 8.0]), np.full(3, 4.0), np.zeros(3))
    assert found == pytest.approx([1, 6, 14], abs=0.02)


def test_rules_that_no_test_can_judge_are_left_out():
    limits = largest_limits(np.array([3, 10, 40, 60]), 100, np.array([0.9, 0.4, 0.2, np.inf]))
    assert limits == pytest.approx([0.4, 0.4, 0.2])
    assert np.isnan(largest_limits(np.array([3]), 100, np.array([0.9]))).all()


def drawn(rng, drop):
    """A table with a planted category, its losses, and the true rates."""
    who = rng.integers(20, size=800)
    table = pd.DataFrame(
        {
            "speaker": who.astype(str),
            "word": rng.integers(8, size=800).astype(str),
            "room": rng.integers(4, size=800).astype(str),
        }
    )
    rate = rng.beta(2, 18, 20)[who] + drop * (table["word"] == "0")
    return table, (rng.random(800) < rate).astype(float), rate.to_numpy()


@pytest.mark.slow
@pytest.mark.parametrize("drop", [0.0, 0.15])
def test_limits_hold_and_are_not_far_from_the_truth(drop):
    rng = np.random.default_rng(5)
    held, limits = [], []
    for seed in range(60):
        table, loss, rate = drawn(rng, drop)
        found = find_slices(table, loss, ["word", "room"], "speaker", depth=2, seed=seed)
        limits.append(found.limits)
        speakers = table["speaker"].to_numpy()
        true = [
            within_speakers(rate, (table["word"] == word).to_numpy(), speakers).value
            for word in "01234567"
        ]
        # each word has about an eighth of the rows
        held.append(max(true) <= found.limits[0])
    limits = np.array(limits)
    assert np.mean(held) >= 0.95 - 2 * np.sqrt(0.05 * 0.95 / 60)
    assert (np.diff(limits[:, :2], axis=1) <= 0).all()
    assert np.median(limits[:, 0]) < drop + 0.25


def test_a_larger_test_set_rules_out_smaller_drops():
    rng = np.random.default_rng(0)
    limits = []
    for rows in (500, 5000):
        table = pd.DataFrame({"word": rng.integers(6, size=rows).astype(str)})
        loss = (rng.random(rows) < 0.1).astype(float)
        limits.append(find_slices(table, loss, ["word"]).limits)
    assert limits[1][0] < 0.5 * limits[0][0]
    # the words have a sixth of the rows each, so no group has a fifth of them
    assert np.isfinite(limits[0][:2]).all() and np.isnan(limits[0][2])
    assert len(limits[0]) == len(SIZES)


def test_speakers_are_judged_between_speakers():
    who = np.repeat(np.arange(40), 20)
    table = pd.DataFrame({"speaker": who.astype(str), "site": (who % 4).astype(str)})
    loss = (np.random.default_rng(2).random(800) < 0.1).astype(float)
    found = find_slices(table, loss, ["site"], "speaker")
    means = np.array([loss[who == one].mean() for one in range(40)])
    error = means.std() * np.sqrt(1 / 10 + 1 / 30)
    assert found.limits[2] > stats.norm.ppf(0.95) * error
    assert found.limits[2] < 8 * error
