"""Paired tests: McNemar's test, sign flips and exchanges of speakers."""

import tracemalloc
from itertools import product

import numpy as np
import pytest
from scipy.stats import permutation_test
from voxslice.comparison.overall_metric import metric_value
from voxslice.comparison.paired_tests import (
    exchange_clusters,
    exchange_speakers,
    fewest_speakers,
    is_equivalent,
    mcnemar,
    sign_flips,
    sign_flips_of_clusters,
)
from voxslice.scores import bootstrap
from voxslice.scores.clusters import make_clusters


def test_mcnemar():
    assert mcnemar(15, 0) == pytest.approx(2 * 0.5**15, rel=1e-12)
    assert f"{mcnemar(15, 0):.1e}" == "6.1e-05"
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 5) == 1
    assert mcnemar(1, 3) == pytest.approx(2 * (1 + 4) / 16)
    for a, b in product(range(6), repeat=2):
        assert mcnemar(a, b) == mcnemar(b, a)


def sign_flip(values, **settings):
    """p-value of one column."""
    alone, adjusted = sign_flips(np.reshape(values, (-1, 1)), **settings)
    assert alone.shape == (1,) and alone == adjusted
    return float(alone[0])


def brute_force(values):
    observed = abs(sum(values))
    flips = [
        abs(sum(s * v for s, v in zip(signs, values, strict=True)))
        for signs in product([1, -1], repeat=len(values))
    ]
    return np.mean([flip >= observed - 1e-9 for flip in flips])


@pytest.mark.parametrize("seed", range(5))
def test_all_sign_flips_are_used(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(0.5, 1, 9)
    found = sign_flip(values, resamples=0, seed=0)
    assert found == pytest.approx(brute_force(values), abs=1e-12)
    other = permutation_test(
        (values,), np.sum, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    assert found == pytest.approx(other.pvalue, abs=1e-12)
    assert sign_flip(-values, resamples=0, seed=0) == found
    assert sign_flip(rng.permutation(values), resamples=0, seed=0) == found


def test_sign_flips_with_ties_and_zeros():
    assert sign_flip([0.1] * 10, resamples=0, seed=0) == 2 * 0.5**10
    assert sign_flip([0.1, 0.2, 0.3], resamples=0, seed=0) == 0.25
    assert sign_flip([0.1, 0.0, 0.2, 0.0, 0.3], resamples=0, seed=0) == 0.25
    assert sign_flip([0.1, 0.2, -0.3], resamples=0, seed=0) == 1
    assert sign_flip([0.0, 0.0], resamples=0, seed=0) == 1
    assert sign_flip([], resamples=0, seed=0) == 1
    assert sign_flip([5.0], resamples=0, seed=0) == 1


def test_random_sign_flips_approximate_all_flips(monkeypatch):
    values = np.random.default_rng(0).normal(0.4, 1, 14)
    exact = sign_flip(values, resamples=0, seed=0)
    monkeypatch.setattr("voxslice.comparison.paired_tests.MAX_SPEAKERS_EXACT", 5)
    found = sign_flip(values, resamples=20_000, seed=1)
    assert 0.01 < exact < 0.9
    assert found == pytest.approx(exact, abs=0.01)
    assert found == sign_flip(values, resamples=20_000, seed=1)
    assert found != sign_flip(values, resamples=20_000, seed=2)


def test_random_sign_flips_are_never_zero():
    assert sign_flip(np.ones(40), resamples=999, seed=0) == 1 / 1000


def test_random_sign_flips_are_drawn_in_blocks(monkeypatch):
    values = np.random.default_rng(0).normal(0.02, 1, 2003)
    whole = sign_flip(values, resamples=1001, seed=3)
    monkeypatch.setattr(bootstrap, "MAX_NUMBERS_PER_BLOCK", 2003 * 10)
    tracemalloc.start()
    blocks = sign_flip(values, resamples=1001, seed=3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert blocks == whole and 0.05 < whole < 0.95
    assert peak < 8 * 2003 * 10 * 5  # all flips at once are twenty times that


def test_sign_flips_hold_their_level():
    rng = np.random.default_rng(0)
    ps = [sign_flip(rng.normal(0, 1, 12), resamples=0, seed=0) for _ in range(400)]
    assert 0.02 <= np.mean(np.array(ps) <= 0.05) <= 0.085


@pytest.mark.parametrize("seed", range(3))
def test_columns_are_adjusted_by_their_largest_statistic(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal([0, 0.4, 0.8, 0], 1, (9, 4)) * (rng.random((9, 4)) < 0.8)
    values[:, 3] = 0
    alone, adjusted = sign_flips(values, resamples=0, seed=0)
    scaled = values[:, :3] / np.linalg.norm(values[:, :3], axis=0)
    observed = np.abs(scaled.sum(0))
    flips = np.abs(np.array(list(product([1, -1], repeat=9))) @ scaled)
    expected, largest = np.zeros(3), 0
    for column in np.argsort(-observed):
        # the largest of the columns whose statistic is not above the one of this column
        maxima = flips[:, observed <= observed[column]].max(axis=1)
        largest = max(largest, (maxima >= observed[column] - 1e-9).mean())
        expected[column] = largest
    np.testing.assert_allclose(adjusted[:3], expected, atol=1e-12)
    assert adjusted[3] == alone[3] == 1
    for column in range(3):
        assert alone[column] == brute_force(values[:, column])
    order = rng.permutation(4)
    np.testing.assert_array_equal(
        sign_flips(values[:, order], resamples=0, seed=0)[1], adjusted[order]
    )


def test_an_added_variance_shrinks_the_observed_statistic_alone():
    values = np.random.default_rng(0).normal(0.6, 1, 9)
    added = 0.7 * (values**2).sum()
    shrunken = abs(values.sum()) / np.sqrt(1.7)
    flips = np.abs(np.array(list(product([1, -1], repeat=9))) @ values)
    expected = (flips >= shrunken - 1e-9).mean()
    assert sign_flip(values, resamples=0, seed=0, added=np.array([added])) == expected
    assert expected > sign_flip(values, resamples=0, seed=0)
    # the exchange of two models is the same test if the metric is a mean
    sums = np.stack([np.zeros((9, 2)), np.stack([np.zeros(9), values], axis=1)])
    sums[..., 0] = 1
    added_to_mean = added / 81
    found = exchange_speakers(
        *sums, lambda s: metric_value(s, "mae"), resamples=0, seed=0, added=added_to_mean
    )
    assert found == expected


def test_the_largest_p_of_all_kinds_of_clusters_counts():
    speakers, sentences = np.repeat(np.arange(8), 7), np.tile(np.arange(7), 8)
    clusters = make_clusters(56, speakers, [sentences])
    values = np.random.default_rng(0).normal(0.3, 1, (56, 2)) + (sentences == 3)[:, None]
    values[:, 1] = np.where(sentences == 3, values[:, 1], np.nan)  # a column on one sentence
    drawn = {"resamples": 0, "seed": 0}
    alone, adjusted = sign_flips_of_clusters(values, clusters, [np.zeros(2)] * 2, **drawn)
    of_speakers, of_sentences = (
        sign_flips(part, **drawn) for part in clusters.cluster_sums(np.nan_to_num(values))
    )
    assert alone[0] == max(of_speakers[0][0], of_sentences[0][0])
    assert adjusted[0] == max(of_speakers[1][0], of_sentences[1][0])
    assert alone[1] == of_speakers[0][1] < of_sentences[0][1] == 1
    sums = np.stack([np.ones(56), np.zeros(56)], axis=1)
    other = np.stack([np.ones(56), values[:, 0]], axis=1)
    found = exchange_clusters(
        sums, other, lambda s: metric_value(s, "mae"), clusters, [0, 0], **drawn
    )
    assert found == alone[0]


def test_equal_columns_cost_nothing():
    values = np.random.default_rng(0).normal(0.5, 1, (10, 1))
    one = sign_flips(values, resamples=0, seed=0)[1]
    many = sign_flips(np.repeat(values, 5, axis=1), resamples=0, seed=0)[1]
    np.testing.assert_array_equal(many, np.repeat(one, 5))


def test_adjusted_sign_flips_hold_their_level_together():
    rng = np.random.default_rng(0)
    member = rng.random((20, 12, 1)) < 0.5  # speakers in groups that overlap
    smallest = [
        sign_flips(rng.normal(0, 1, (20, 1)) * member[:, :, 0], resamples=500, seed=0)[1].min()
        for _ in range(400)
    ]
    assert 0.02 <= np.mean(np.array(smallest) <= 0.05) <= 0.085


def f1_sums(seed, speakers):
    """Confusion matrices of two models on two labels, whose counts per label are the same."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 9, (speakers, 2))
    right = [rng.binomial(counts, rate) for rate in (0.6, 0.8)]
    return [np.stack([np.stack([r[:, 0], (counts - r)[:, 0]], -1),
                      np.stack([(counts - r)[:, 1], r[:, 1]], -1)], 1) for r in right]  # fmt: skip


def f1(sums):
    return metric_value(np.concatenate([sums, np.zeros((*sums.shape[:-1], 1))], -1), "f1")


@pytest.mark.parametrize("seed", range(3))
def test_all_exchanges_of_speakers_are_used(seed):
    a, b = f1_sums(seed, 8)
    observed = abs(f1(b.sum(0)) - f1(a.sum(0)))
    exchanges = []
    for swap in product([False, True], repeat=8):
        swapped = np.array(swap)[:, None, None]
        first, second = np.where(swapped, b, a).sum(0), np.where(swapped, a, b).sum(0)
        exchanges.append(abs(f1(second) - f1(first)) >= observed - 1e-12)
    found = exchange_speakers(a, b, f1, resamples=0, seed=0)
    assert 2 * 0.5**8 <= found == np.mean(exchanges) < 1
    assert exchange_speakers(b, a, f1, resamples=0, seed=0) == found


def test_exchanges_of_a_mean_are_sign_flips():
    rng = np.random.default_rng(0)
    a, b = (np.stack([np.full(12, 10.0), rng.gamma(3, 1, 12)], -1) for _ in range(2))
    found = exchange_speakers(a, b, lambda s: metric_value(s, "mae"), resamples=0, seed=0)
    assert found == sign_flip(b[:, 1] - a[:, 1], resamples=0, seed=0)


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e6])
def test_the_unit_of_an_error_changes_no_p(unit):
    for seed in range(50):
        rng = np.random.default_rng(seed)
        counts = rng.integers(5, 60, 8).astype(float)
        errors = counts * rng.gamma(3, unit, 8)
        fewer = errors * rng.uniform(0.3, 0.9, 8)  # better for each speaker
        a, b = np.stack([counts, errors], -1), np.stack([counts, fewer], -1)
        found = exchange_speakers(a, b, lambda s: metric_value(s, "mae"), resamples=0, seed=0)
        assert found == 2 * 0.5**8


def test_speakers_without_a_difference_are_not_exchanged():
    a, b = f1_sums(0, 8)
    same = np.concatenate([a, np.ones((30, 2, 2))]), np.concatenate([b, np.ones((30, 2, 2))])
    found = exchange_speakers(*same, f1, resamples=0, seed=0)
    assert found >= 2 * 0.5**8 and (found * 2**8) % 1 == 0
    assert exchange_speakers(a, a, f1, resamples=10, seed=0) == 1


def test_random_exchanges_approximate_all_exchanges(monkeypatch):
    a, b = f1_sums(2, 12)
    exact = exchange_speakers(a, b, f1, resamples=0, seed=0)
    monkeypatch.setattr("voxslice.comparison.paired_tests.MAX_SPEAKERS_EXACT", 5)
    found = exchange_speakers(a, b, f1, resamples=20_000, seed=1)
    assert 0 < exact < 0.9 and found == pytest.approx(exact, abs=0.01)
    assert found == exchange_speakers(a, b, f1, resamples=20_000, seed=1)
    monkeypatch.setattr(bootstrap, "MAX_NUMBERS_PER_BLOCK", 1200)
    assert exchange_speakers(a, b, f1, resamples=20_000, seed=1) == found


@pytest.mark.parametrize(("level", "speakers"), [(0.05, 6), (0.5, 2), (0.25, 3), (0.001, 11)])
def test_the_fewest_speakers_that_reach_a_level(level, speakers):
    assert fewest_speakers(level) == speakers
    assert 2.0 ** (1 - speakers) <= level < 2.0 ** (2 - speakers)


def test_a_difference_can_be_among_the_utterances_of_one_label():
    assert is_equivalent((-0.01, 0.01), 0.02, support=75, labels=2)
    assert not is_equivalent((-0.01, 0.01), 0.02, support=56, labels=2)


def test_equivalence_is_an_interval_within_the_margin():
    assert is_equivalent((-0.02, 0.01), 0.02, support=200)
    assert not is_equivalent((-0.021, 0.01), 0.02, support=200)
    assert not is_equivalent((-0.01, 0.021), 0.02, support=200)
    assert not is_equivalent((-0.01, 0.01), 0.02, support=148)
    assert is_equivalent((-0.01, 0.01), 0.02, support=149)
    assert is_equivalent((-1, 1), 2, support=None)
    assert not is_equivalent((np.nan, np.nan), 2, support=None)
