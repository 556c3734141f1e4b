"""Intervals of the jackknife equal those of a plain loop, and cover the truth."""

import audmetric
import numpy as np
import pytest
from scipy import stats
from voxslice.scores import bootstrap
from voxslice.scores.clusters import make_clusters
from voxslice.scores.jackknife import CORRELATION, POSITIVE, SHARE, jackknife_interval
from voxslice.scores.metrics import (
    classification_metrics,
    confusion_counts,
    regression_metrics,
    regression_moments,
)

LABELS = ["a", "b", "c"]
SCALES = [POSITIVE, CORRELATION, CORRELATION]


def values(rng, speakers, each=20):
    """Speakers, labels and predictions of a regression."""
    who = np.repeat(np.arange(speakers), each)
    label = (2 * rng.normal(size=speakers))[who] + rng.normal(size=len(who))
    error = (0.5 * rng.normal(size=speakers))[who] + rng.normal(size=len(who))
    return who, label, label + error


def interval(who, label, prediction):
    """The interval of the metrics of a regression."""
    clusters = make_clusters(len(who), who.astype(str))
    sums = clusters.cell_sums(regression_moments(label, prediction))
    return jackknife_interval(sums, regression_metrics, SCALES, clusters)


def plain_interval(metric, who, label, prediction, forward, back):
    """The interval of a metric from a loop over the speakers."""
    everyone = np.unique(who)
    without = np.array(
        [forward(metric(label[who != one], prediction[who != one])) for one in everyone]
    )
    error = np.sqrt((len(everyone) - 1) * without.var())
    half = stats.t.ppf(0.975, len(everyone) - 1) * error
    middle = forward(metric(label, prediction))
    return back(middle - half), back(middle + half)


def test_intervals_of_a_regression_equal_those_of_a_loop():
    drawn = values(np.random.default_rng(0), 7)
    low, high = interval(*drawn)
    functions = (
        (audmetric.mean_absolute_error, np.log, np.exp),
        (audmetric.concordance_cc, np.arctanh, np.tanh),
        (audmetric.pearson_cc, np.arctanh, np.tanh),
    )
    for k, (metric, forward, back) in enumerate(functions):
        expected = plain_interval(metric, *drawn, forward, back)
        assert (low[k], high[k]) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("numbers_per_block", [10, 20_000_000])
def test_intervals_of_a_classification_equal_those_of_a_loop(numbers_per_block, monkeypatch):
    monkeypatch.setattr(bootstrap, "MAX_NUMBERS_PER_BLOCK", numbers_per_block)
    rng = np.random.default_rng(0)
    who = rng.integers(0, 9, 300)
    label = rng.choice(LABELS, 300)
    prediction = np.where(rng.random(300) < 0.8, label, rng.choice(LABELS, 300))
    clusters = make_clusters(300, who.astype(str))
    sums = clusters.cell_sums(confusion_counts(label, prediction, LABELS, LABELS))
    low, high = jackknife_interval(sums, classification_metrics, [SHARE] * 3, clusters)

    def forward(value):
        return np.arcsin(np.sqrt(value))

    def back(value):
        return np.sin(value) ** 2

    for k, metric in enumerate([audmetric.accuracy, audmetric.unweighted_average_recall]):
        expected = plain_interval(metric, who, label, prediction, forward, back)
        assert (low[k], high[k]) == pytest.approx(expected, abs=1e-9)


def test_a_share_stays_between_0_and_1():
    who = np.repeat(np.arange(5), 4)
    prediction = np.where(np.arange(20) == 0, "b", "a")
    clusters = make_clusters(20, who.astype(str))
    sums = clusters.cell_sums(confusion_counts(["a"] * 20, prediction, LABELS, LABELS))
    low, high = jackknife_interval(sums, classification_metrics, [SHARE] * 3, clusters)
    assert 0 <= low[0] < 0.95 < high[0] <= 1


def test_a_metric_that_does_not_vary_is_its_own_interval():
    who = np.repeat(np.arange(5), 4)
    clusters = make_clusters(20, who.astype(str))
    sums = clusters.cell_sums(confusion_counts(["a"] * 20, ["a"] * 20, LABELS, LABELS))
    low, high = jackknife_interval(sums, classification_metrics, [SHARE] * 3, clusters)
    assert low.tolist() == high.tolist() == [1, 1, 1]


def test_a_metric_that_needs_one_of_the_speakers_has_no_interval():
    """Labels vary because of one speaker, so that there is no correlation without it."""
    who = np.repeat(np.arange(3), 4)
    label = np.where(who == 0, 1.0, 2.0)
    low, high = interval(who, label, label + np.tile([0, 0.5, 0, 0.5], 3))
    assert np.isfinite([low[0], high[0]]).all()
    assert np.isnan([low[1:], high[1:]]).all()


def test_one_speaker_has_no_interval():
    low, high = interval(*values(np.random.default_rng(0), 1))
    assert np.isnan([low, high]).all()


def test_without_speakers_utterances_are_left_out():
    rng = np.random.default_rng(0)
    _, label, prediction = values(rng, 6)
    clusters = make_clusters(len(label), None)
    sums = clusters.cell_sums(regression_moments(label, prediction))
    found = jackknife_interval(sums, regression_metrics, SCALES, clusters)
    expected = interval(np.arange(len(label)), label, prediction)
    np.testing.assert_allclose(found, expected)


@pytest.mark.slow
def test_intervals_cover_the_truth_with_ten_speakers():
    """The bootstrap of speakers covers the concordance in 78 % of these cases."""
    label, prediction = values(np.random.default_rng(0), 20_000)[1:]
    truth = regression_metrics(regression_moments(label, prediction).sum(0))
    covered = []
    for seed in range(400):
        low, high = interval(*values(np.random.default_rng([1, seed]), 10))
        covered.append((low <= truth) & (truth <= high))
    assert (np.mean(covered, axis=0) > [0.91, 0.87, 0.87]).all(), np.mean(covered, axis=0)
