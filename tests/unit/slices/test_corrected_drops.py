"""The drop of a confirmed slice is corrected for its choice."""

import numpy as np
import pytest
from scipy import stats
from voxslice.slices.corrected_drops import corrected_drop, corrected_slice
from voxslice.slices.excess import within_speakers


def test_a_drop_just_above_the_smallest_confirmed_one_is_much_smaller():
    found = corrected_drop(0.25, 0.05, 30, 0.24)
    assert found.low < 0.01 < found.value < 0.15
    assert 0.25 + 0.08 < found.high < 0.25 + 0.102


def test_a_drop_far_above_the_smallest_confirmed_one_stays():
    found = corrected_drop(0.6, 0.05, 30, 0.24)
    assert found.value == pytest.approx(0.6, abs=0.002)
    # the 97.5 % quantile of a t distribution with 30 degrees of freedom is 2.042
    assert (found.low, found.high) == pytest.approx((0.6 - 0.102, 0.6 + 0.102), abs=0.002)


def test_the_correction_grows_with_the_smallest_confirmed_drop():
    values = [corrected_drop(0.3, 0.05, 20, least).value for least in (0.05, 0.15, 0.25, 0.35)]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize("missing", range(4))
def test_what_is_not_known_is_not_corrected(missing):
    known = [0.25, 0.05, 30.0, 0.24]
    known[missing] = np.nan
    assert np.isnan(corrected_drop(*known).value)


def test_a_slice_is_compared_as_it_was_tested():
    rng = np.random.default_rng(0)
    speakers = np.repeat(np.arange(20), 20).astype(str)
    inside = rng.random(400) < 0.3
    # speakers with many errors are seldom inside
    bad = np.repeat(np.arange(20) < 5, 20)
    inside[bad & (rng.random(400) < 0.7)] = False
    loss = (rng.random(400) < 0.1 + 0.4 * inside + 0.4 * bad).astype(float)
    within = corrected_slice(loss, inside, speakers, "within speakers", 0.1)
    across = corrected_slice(loss, inside, speakers, "across speakers", 0.1)
    plain = within_speakers(loss, inside, speakers)
    assert within.value == pytest.approx(plain.value, abs=0.01)
    assert across.value < within.value - 0.05
    assert np.isnan(corrected_slice(loss, np.ones(400, bool), speakers, "rows", 0.1).value)


@pytest.mark.parametrize("true", [0.0, 2.0, 4.0, 5.0, 6.0, 9.0])
def test_the_interval_covers_the_true_drop_of_what_is_confirmed(true):
    # quantiles of drops with a standard error of 1, of which those of at least 4 are confirmed
    shares = (np.arange(1000) + 0.5) / 1000
    drops = true - stats.norm.ppf(shares * stats.norm.cdf(true - 4.0))
    found = [corrected_drop(drop, 1.0, 1e6, 4.0) for drop in drops]
    covered = np.mean([one.low <= true <= one.high for one in found])
    assert covered == pytest.approx(0.95, abs=0.003)
    if true <= 2:
        assert np.mean(np.abs(drops - true) <= 1.96) == 0
    bias = np.mean([one.value for one in found]) - true
    assert abs(bias) < max(0.6 * abs(drops.mean() - true), 1.1)


def test_a_slice_that_another_test_has_confirmed_may_lie_below_the_critical_value():
    found = corrected_drop(0.2, 0.05, 30, 0.24)
    assert found == corrected_drop(0.2, 0.05, 30, 0.2)
    assert found.low < found.value < 0.2 < found.high
