"""Confidence intervals that resample speakers."""

import numpy as np
import pytest
from scipy.stats import norm, t
from voxslice.scores import bootstrap
from voxslice.scores.bootstrap import (
    block_sizes,
    bootstrap_interval,
    expanded_tail,
    percentile_interval,
    speaker_sums,
)


def mean(sums):
    return (sums[..., 1] / sums[..., 0])[..., None]


def parts(values):
    return np.stack([np.ones_like(values), values], axis=-1)


def test_speaker_sums():
    values = np.array([[1, 10], [2, 20], [3, 30], [4, 40]])
    sums = speaker_sums(values, np.array(["b", "a", "b", "c"]))
    np.testing.assert_array_equal(sums, [[2, 20], [4, 40], [4, 40]])
    np.testing.assert_array_equal(speaker_sums(values, None), values)
    assert speaker_sums(values[:, 0], np.array(["b", "a", "b", "c"])).shape == (3,)
    assert speaker_sums(values[:0], np.array([], dtype=str)).shape == (0, 2)


@pytest.mark.slow
def test_coverage_with_correlated_speakers():
    rng = np.random.default_rng(0)
    cases, speakers, each = 300, 40, 10
    names = np.repeat(np.arange(speakers), each)
    covered = {"by speaker": 0, "alone": 0}
    for case in range(cases):
        values = 1 + rng.normal(0, 1, speakers)[names] + rng.normal(0, 1, len(names))
        for kind, groups in {"by speaker": names, "alone": None}.items():
            low, high = bootstrap_interval(
                speaker_sums(parts(values), groups), mean, resamples=400, seed=case
            )
            covered[kind] += low[0] <= 1 <= high[0]
    assert 0.92 <= covered["by speaker"] / cases <= 0.98
    assert covered["alone"] / cases < 0.75


@pytest.mark.slow
@pytest.mark.parametrize(("speakers", "least"), [(5, 0.90), (10, 0.935), (20, 0.93), (40, 0.935)])
def test_coverage_with_few_speakers_who_differ(speakers, least):
    """Not expanded, the intervals of 5, 10, 20 speakers cover 0.83, 0.91, 0.92."""
    rng = np.random.default_rng(speakers)
    covered = []
    for seed in range(50):  # each has 40 studies, which share the draws
        errors = rng.binomial(50, rng.beta(2, 8, (speakers, 40)))
        sums = np.stack([np.full_like(errors, 50), errors], axis=-1)
        low, high = bootstrap_interval(
            sums, lambda sums: sums[..., 1] / sums[..., 0], resamples=2000, seed=seed
        )
        covered += list((low <= 0.2) & (high >= 0.2))
    assert least <= np.mean(covered) <= 0.965


@pytest.mark.parametrize("speakers", [2, 3, 5, 10, 100])
def test_the_tail_is_that_of_students_t(speakers):
    for level in (0.9, 0.95):
        half = -norm.ppf(expanded_tail(speakers, level)) * np.sqrt((speakers - 1) / speakers)
        assert half == pytest.approx(t.ppf((1 + level) / 2, speakers - 1), rel=1e-9)
    assert expanded_tail(10**6) == pytest.approx(0.025, rel=1e-4)


def test_each_interval_uses_the_number_of_its_speakers():
    values = np.random.default_rng(0).normal(0, 1, (2000, 5))
    values[:100, 3], values[:, 4] = np.nan, np.nan
    low, high = percentile_interval(values, np.array([40, 5, 1, 5, 5]))
    for column, speakers in [(0, 40), (1, 5), (3, 5)]:
        alone = percentile_interval(values[:, [column]], speakers)
        assert (low[column], high[column]) == (alone[0][0], alone[1][0])
    assert high[1] - low[1] > high[0] - low[0]
    assert np.isnan(low[[2, 4]]).all() and np.isnan(high[[2, 4]]).all()


def test_block_sizes(monkeypatch):
    monkeypatch.setattr(bootstrap, "MAX_NUMBERS_PER_BLOCK", 100)
    assert block_sizes(25, 10) == [10, 10, 5]
    assert block_sizes(20, 10) == [10, 10]
    assert block_sizes(3, 1000) == [1, 1, 1]
    assert block_sizes(0, 10) == []


def test_the_interval_of_a_mean_has_the_theoretical_width():
    values = np.random.default_rng(1).normal(0, 1, 400)
    low, high = bootstrap_interval(parts(values), mean, resamples=4000, seed=0)
    half = 1.96 * values.std() / np.sqrt(400)
    assert low[0] == pytest.approx(values.mean() - half, abs=0.1 * half)
    assert high[0] == pytest.approx(values.mean() + half, abs=0.1 * half)
    narrow = bootstrap_interval(parts(values), mean, resamples=4000, seed=0, level=0.5)
    assert narrow[1][0] - narrow[0][0] == pytest.approx(2 * half * 0.6745 / 1.96, rel=0.1)


def test_speakers_are_weighted_by_their_utterances():
    # one speaker with many utterances moves the mean; a mean of speakers' means would not see it
    values, names = np.array([0.0] * 90 + [1.0] * 10), np.array(["a"] * 90 + ["b"] * 10)
    low, high = bootstrap_interval(speaker_sums(parts(values), names), mean, resamples=500, seed=0)
    assert (low[0], high[0]) == (0, 1)


def test_blocks_have_the_same_shape_and_nearly_the_same_ends(monkeypatch):
    values = np.random.default_rng(2).normal(0, 1, (300, 3))
    sums = np.stack([np.ones_like(values), values], axis=-1)

    def means(sums):
        return sums[..., 1] / sums[..., 0]

    whole = bootstrap_interval(sums, means, resamples=1001, seed=0)
    sizes = []

    def noted(sums):
        sizes.append(len(sums))
        return means(sums)

    monkeypatch.setattr(bootstrap, "MAX_NUMBERS_PER_BLOCK", 300 * 100)
    blocks = bootstrap_interval(sums, noted, resamples=1001, seed=0)
    assert max(sizes) <= 100 and sum(sizes) == 1001
    for whole_end, blocks_end in zip(whole, blocks, strict=True):
        assert whole_end.shape == blocks_end.shape == (3,)
        np.testing.assert_allclose(whole_end, blocks_end, atol=0.05)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_speakers_have_no_interval(count):
    with np.errstate(invalid="ignore"):
        low, high = bootstrap_interval(parts(np.ones(count)), mean, resamples=100, seed=0)
    assert low.shape == high.shape == (1,)
    assert np.isnan(low).all() and np.isnan(high).all()
    low[0] = 0
    assert np.isnan(high[0])


def test_resamples_without_a_value_are_left_out():
    # the second statistic is defined only where the first speaker is drawn, the third nowhere
    sums = np.stack([np.arange(5.0), np.eye(5)[0], np.zeros(5)], axis=-1)

    def statistic(sums):
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.stack([sums[:, 0], sums[:, 1] / sums[:, 1], sums[:, 2] / sums[:, 2]], axis=-1)

    with np.errstate(all="raise"):
        low, high = bootstrap_interval(sums, statistic, resamples=200, seed=0)
    assert low[0] < 10 < high[0]
    assert low[1] == high[1] == 1
    assert np.isnan(low[2]) and np.isnan(high[2])
