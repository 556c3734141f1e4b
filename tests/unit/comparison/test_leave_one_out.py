"""The difference of two models without one speaker, and what a speaker contributes to it."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score
from voxslice.comparison import leave_one_out
from voxslice.comparison.leave_one_out import (
    contributions,
    difference_of,
    exchange_without_each,
    without_each,
)
from voxslice.comparison.overall_metric import metric_sums, metric_value
from voxslice.comparison.paired_tests import exchange_speakers
from voxslice.scores.bootstrap import bootstrap_interval

LABELS = ["a", "b"]
COUNT, SPEAKERS = 120, 6


def classified(seed, errors):
    """Scores of a model that gets some labels wrong, and sometimes predicts a third class."""
    generator = np.random.default_rng(0)
    label = np.where(generator.random(COUNT) < 0.3, "a", "b").astype(object)
    generator = np.random.default_rng(seed)
    prediction = np.where(generator.random(COUNT) < errors, "c", label)
    swapped = np.where(label == "a", "b", "a")
    prediction = np.where(generator.random(COUNT) < errors, swapped, prediction)
    loss = (prediction != label).astype(float)
    prediction = pd.Categorical(prediction, ["b", "c", "a"])
    return pd.DataFrame({"label": label, "prediction": prediction, "loss": loss})


def valued(seed, size):
    label = np.random.default_rng(0).uniform(20, 60, COUNT)
    noise = np.random.default_rng(seed).normal(0, size, COUNT)
    return pd.DataFrame({"label": label, "prediction": label + noise, "loss": np.abs(noise)})


def numbers():
    return np.arange(COUNT) % SPEAKERS


def both(metric):
    if metric in ("mae", "ccc"):
        return valued(1, 8), valued(2, 3)
    return classified(1, 0.3), classified(2, 0.1)


def by_hand(a, b, metric):
    """The difference of two models by other means."""
    if metric == "accuracy":
        return (b["label"] == b["prediction"]).mean() - (a["label"] == a["prediction"]).mean()
    if metric == "mae":
        errors = [(t["label"] - t["prediction"]).abs().mean() for t in (a, b)]
    elif metric == "uar":
        errors = [balanced_accuracy_score(t["label"], t["prediction"].astype(str)) for t in (a, b)]
    elif metric == "f1":
        errors = [
            f1_score(t["label"], t["prediction"].astype(str), labels=LABELS, average="macro")
            for t in (a, b)
        ]
    else:
        errors = [
            2 * np.cov(t["label"], t["prediction"], ddof=0)[0, 1]
            / (t["label"].var(ddof=0) + t["prediction"].var(ddof=0)
               + (t["label"].mean() - t["prediction"].mean()) ** 2)
            for t in (a, b)
        ]  # fmt: skip
    return errors[1] - errors[0]


def pair_sums(a, b, numbers, metric):
    return np.stack([metric_sums(table, numbers, metric) for table in (a, b)])


METRICS = ["accuracy", "uar", "f1", "mae", "ccc"]


@pytest.mark.filterwarnings("ignore:y_pred contains classes")
@pytest.mark.parametrize("metric", METRICS)
def test_the_difference_without_a_speaker_is_that_of_the_other_utterances(metric):
    a, b = both(metric)
    sums = pair_sums(a, b, numbers(), metric)
    assert difference_of(sums.sum(1), metric) == pytest.approx(by_hand(a, b, metric))
    without, low, high = without_each(sums, metric, resamples=200, seed=0)
    for speaker in range(SPEAKERS):
        rest = numbers() != speaker
        assert without[speaker] == pytest.approx(by_hand(a[rest], b[rest], metric))
    assert (low < without).all() and (without < high).all()


@pytest.mark.parametrize("metric", METRICS)
def test_a_contribution_is_what_the_other_predictions_of_one_speaker_change(metric):
    a, b = both(metric)
    sums = pair_sums(a, b, numbers(), metric)
    found = contributions(sums, sums.sum(1), metric)
    for speaker in range(SPEAKERS):
        own = numbers() == speaker
        forwards, backwards = a.copy(), b.copy()
        forwards[own], backwards[own] = b[own], a[own]
        changes = [
            difference_of(pair_sums(one, other, np.zeros(COUNT, int), metric).sum(1), metric)
            for one, other in [(a, forwards), (backwards, b)]
        ]
        assert found[speaker] == pytest.approx(np.mean(changes))


@pytest.mark.parametrize("metric", ["accuracy", "uar", "mae"])
def test_contributions_sum_to_the_difference(metric):
    a, b = both(metric)
    sums = pair_sums(a, b, numbers(), metric)
    total = sums.sum(1)
    by_speaker = contributions(sums, total, metric)
    assert by_speaker.sum() == pytest.approx(difference_of(total, metric))
    each = contributions(pair_sums(a, b, None, metric), total, metric)
    np.testing.assert_allclose(np.bincount(numbers(), each), by_speaker, atol=1e-12)


@pytest.mark.parametrize("metric", ["uar", "mae"])
def test_intervals_are_those_of_resampling_the_other_speakers(metric):
    a, b = both(metric)
    sums = pair_sums(a, b, np.arange(COUNT) % 12, metric)
    _, low, high = without_each(sums, metric, resamples=20_000, seed=0)
    for speaker in (0, 7):
        rest = np.delete(sums, speaker, axis=1)
        expected = bootstrap_interval(
            np.moveaxis(rest, 0, 1),
            lambda some: difference_of(np.moveaxis(some, 1, 0), metric)[:, None],
            resamples=20_000,
            seed=1,
        )
        width = expected[1][0] - expected[0][0]
        np.testing.assert_allclose(
            [low[speaker], high[speaker]], np.ravel(expected), atol=0.05 * width
        )


def test_two_speakers_leave_no_interval():
    a, b = both("uar")
    sums = pair_sums(a, b, np.arange(COUNT) % 2, "uar")
    without, low, high = without_each(sums, "uar", resamples=100, seed=0)
    assert np.isfinite(without).all() and np.isnan(low).all() and np.isnan(high).all()


def test_many_speakers_get_fewer_resamples(monkeypatch):
    monkeypatch.setattr(leave_one_out, "MAX_FLAGS", 6 * 40)
    a, b = both("uar")
    sums = pair_sums(a, b, numbers(), "uar")
    few = without_each(sums, "uar", resamples=100_000, seed=0)
    assert np.isfinite(few[1]).all()


def exchanged(sums, speaker, metric, **settings):
    """p of the test without a speaker, from the test itself."""
    rest = np.delete(sums, speaker, axis=1)
    return exchange_speakers(*rest, lambda total: metric_value(total, metric), **settings)


@pytest.mark.parametrize("metric", METRICS)
def test_exchanges_without_a_speaker_are_those_of_the_others(metric):
    a, b = both(metric)
    sums = pair_sums(a, b, np.arange(COUNT) % 12, metric)
    sums[1, 5] = sums[0, 5]  # the models do not differ for this speaker
    found = exchange_without_each(sums, metric, resamples=100, seed=0)
    settings = {"resamples": 100, "seed": 1}
    assert found == pytest.approx(
        [exchanged(sums, speaker, metric, **settings) for speaker in range(12)]
    )
    assert len(set(found)) > 1


def test_many_speakers_are_exchanged_at_random():
    a, b = both("uar")
    sums = pair_sums(a, b, np.arange(COUNT) % 20, "uar")
    found = exchange_without_each(sums, "uar", resamples=4000, seed=0)
    for speaker in (0, 11):
        expected = exchanged(sums, speaker, "uar", resamples=4000, seed=1)
        assert found[speaker] == pytest.approx(expected, abs=0.02)


def test_equal_models_have_a_p_of_one_without_each_speaker():
    a, _ = both("mae")
    sums = pair_sums(a, a, numbers(), "mae")
    assert exchange_without_each(sums, "mae", resamples=100, seed=0).tolist() == [1.0] * SPEAKERS


def test_nobody_is_left_without_the_only_speaker():
    a, b = both("mae")
    sums = pair_sums(a, b, np.zeros(COUNT, int), "mae")
    assert exchange_without_each(sums, "mae", resamples=100, seed=0).tolist() == [1.0]
