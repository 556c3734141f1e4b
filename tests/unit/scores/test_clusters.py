"""Variances and intervals if utterances depend on speakers and on units that cross speakers."""

import numpy as np
import pytest
from voxslice.scores.bootstrap import bootstrap_interval, speaker_sums
from voxslice.scores.clusters import (
    added_variances,
    cluster_interval,
    crossing_units,
    lies_within,
    make_clusters,
    variances,
)

SPEAKERS = np.repeat(np.arange(12), 20)
SENTENCES = np.tile(np.arange(10), 24)
SESSIONS = SPEAKERS * 4 + np.arange(240) % 4


def mean(sums):
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[..., 1:] / sums[..., :1]


def parts(values):
    return np.stack([np.ones(len(values)), values], axis=1)


def test_only_kinds_that_cross_speakers_and_have_enough_units_count():
    assert lies_within(SESSIONS, SPEAKERS) and not lies_within(SENTENCES, SPEAKERS)
    sites = SPEAKERS // 2
    few = np.tile(np.arange(5), 48)
    kinds = crossing_units(SPEAKERS.astype(str), [SESSIONS, SENTENCES, few, sites])
    assert [kind.tolist() for kind in kinds] == [SENTENCES.tolist(), sites.tolist()]
    clusters = make_clusters(240, SPEAKERS, [SENTENCES])
    assert len(clusters.kinds[0]) == 120  # each speaker has read each sentence twice
    sums = clusters.cluster_sums(clusters.cell_sums(np.ones(240)))
    assert [part.tolist() for part in sums] == [[20] * 12, [24] * 10]
    alone = make_clusters(240, SPEAKERS, [SESSIONS])
    assert [kind.tolist() for kind in alone.kinds] == [list(range(12))] and alone.fewest == 12


def test_the_variance_of_crossed_units_is_that_of_both_minus_that_of_their_cells():
    rng = np.random.default_rng(0)
    values = rng.normal(size=12)[SPEAKERS] + rng.normal(size=10)[SENTENCES] + rng.normal(size=240)
    clusters = make_clusters(240, SPEAKERS, [SENTENCES])
    rest = (values - values.mean()) / 240

    def variance(codes):
        sums = np.bincount(codes, rest)
        return len(sums) / (len(sums) - 1) * (sums**2).sum()

    of_speakers, of_sentences = variance(SPEAKERS), variance(SENTENCES)
    of_cells = variance(10 * SPEAKERS + SENTENCES)
    found = variances(clusters.cell_sums(parts(values)), mean, clusters)
    expected = [
        (of_speakers, of_sentences - of_cells),
        (of_sentences, of_speakers - of_cells),
    ]
    np.testing.assert_allclose(np.squeeze(found), expected, rtol=1e-4)
    # sites above speakers replace them: the variance is that of the sites alone
    sites = SPEAKERS // 2
    above = make_clusters(240, SPEAKERS, [sites])
    own, added = variances(above.cell_sums(parts(values)), mean, above)[0]
    assert own + added == pytest.approx(max(of_speakers, variance(sites)))


def test_without_other_units_the_interval_is_that_of_the_bootstrap():
    values = np.random.default_rng(0).normal(size=240)
    drawn = {"resamples": 200, "seed": 0}
    expected = bootstrap_interval(speaker_sums(parts(values), SPEAKERS), mean, **drawn)
    for units in ([], [SESSIONS]):
        clusters = make_clusters(240, SPEAKERS, units)
        found = cluster_interval(clusters.cell_sums(parts(values)), mean, clusters, **drawn)
        np.testing.assert_array_equal(found, expected)
        assert added_variances(clusters.cell_sums(parts(values)), mean, clusters)[0] == 0


def test_a_sentence_that_a_value_is_about_does_not_count():
    values = np.random.default_rng(0).normal(size=240)
    inside = (SENTENCES == 3).astype(float)
    clusters = make_clusters(240, SPEAKERS, [SENTENCES])
    sums = clusters.cell_sums(parts(values) * inside[:, None])
    drawn = {"resamples": 200, "seed": 0, "present": sums[:, :1] > 0}
    low, high = cluster_interval(sums, mean, clusters, **drawn)
    only = make_clusters(240, SPEAKERS)
    sums = only.cell_sums(parts(values) * inside[:, None])
    expected = cluster_interval(sums, mean, only, resamples=200, seed=0)
    np.testing.assert_allclose([low, high], expected)


@pytest.mark.slow
@pytest.mark.parametrize("effect", [0.0, 1.0])
def test_the_interval_covers_the_mean_of_other_sentences(effect):
    covered, plain = [], []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        values = 0.3 * rng.normal(size=12)[SPEAKERS] + effect * rng.normal(size=10)[SENTENCES]
        values = parts(values + rng.normal(size=240))
        for found, units in ((plain, []), (covered, [SENTENCES])):
            clusters = make_clusters(240, SPEAKERS, units)
            sums = clusters.cell_sums(values)
            low, high = cluster_interval(sums, mean, clusters, resamples=300, seed=seed)
            found.append(low[0] <= 0 <= high[0])
    assert 0.91 <= np.mean(covered) <= 0.99
    assert np.mean(plain) >= 0.88 if effect == 0 else np.mean(plain) <= 0.6
