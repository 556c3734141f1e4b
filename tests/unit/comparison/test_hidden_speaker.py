"""Equivalence allows for one more speaker, who is not in the study."""

import numpy as np
import pandas as pd
import pytest
from voxslice.comparison.compare import compare
from voxslice.comparison.groups import Group
from voxslice.comparison.hidden_speaker import guarded_interval, hidden_difference
from voxslice.comparison.leave_one_out import without_each
from voxslice.scores.bootstrap import bootstrap_interval, expanded_tail
from voxslice.task import Task

DRAWN = {"resamples": 2000, "seed": 0}


def mean(sums):
    return sums[..., 1] / sums[..., 0]


def sums_of(speakers, seed=0, groups=1):
    """Numbers of utterances and sums of differences, shape (speakers, groups, 2)."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(5, 40, (speakers, groups))
    return np.stack([counts, counts * rng.normal(0, 0.01, (speakers, groups))], axis=-1)


def test_the_interval_is_that_of_a_study_with_one_more_speaker():
    sums = sums_of(12)
    weights = np.random.default_rng(0).multinomial(13, np.full(13, 1 / 13), size=2000)
    drawn = mean(np.tensordot(weights[:, :12], sums, 1))[:, 0]
    moved = 0.2 * weights[:, 12] / 13
    tail = expanded_tail(13)
    low, high = guarded_interval(sums, mean, hidden=0.2, **DRAWN)
    assert low[0] == pytest.approx(np.quantile(drawn - moved, tail))
    assert high[0] == pytest.approx(np.quantile(drawn + moved, 1 - tail))


def test_the_interval_is_wider_than_the_plain_one():
    sums = sums_of(30, groups=3)
    sums[:20, 1] = 0  # ten speakers are in this group
    units = np.array([30, 10, 30])
    plain = bootstrap_interval(sums, mean, speakers=units, **DRAWN)
    low, high = guarded_interval(sums, mean, hidden=0.2, speakers=units, **DRAWN)
    assert (low < plain[0]).all() and (high > plain[1]).all()
    assert high[1] - low[1] > 2 * max(high[0] - low[0], high[2] - low[2])  # fewer speakers


def test_the_hidden_speaker_differs_by_ten_margins_where_that_is_possible():
    assert hidden_difference(0.02, "accuracy") == pytest.approx(0.2)
    assert hidden_difference(0.2, "uar") == 1 and hidden_difference(0.3, "ccc") == 2
    assert hidden_difference(3.0, "mae") == 30


def equal_models(speakers, per_speaker=20):
    loss = pd.DataFrame({"loss": np.tile([0.0] * 4 + [1.0], speakers * per_speaker // 5)})
    names = np.repeat(np.arange(speakers), per_speaker).astype(str)
    group = {"s": Group("slice", "a rule", np.arange(len(loss)) % 2 == 0)}
    task = Task("classification", margin=0.02)
    return compare({"a": loss, "b": loss}, group, names, task=task, **DRAWN)


@pytest.mark.parametrize(("speakers", "verdict"), [(20, "undecided"), (60, "equivalent")])
def test_equivalence_needs_about_thirty_speakers(speakers, verdict):
    table = equal_models(speakers)
    assert (table["verdict"] == verdict).all()
    assert (table["regression"] == ("excluded" if speakers == 60 else "not excluded")).all()
    assert table["low"].isna().all()  # the shown interval has no hidden speaker


def test_without_a_speaker_one_more_is_hidden_too():
    sums = np.stack([np.stack([np.full(40, 20.0), np.full(40, 4.0)], axis=-1)] * 2)
    value, low, high = without_each(sums, "accuracy", **DRAWN)
    assert (low == 0).all() and (high == 0).all()
    guarded, low, high = without_each(sums, "accuracy", margin=0.02, **DRAWN)
    np.testing.assert_array_equal(guarded, value)
    single = 0.2 / 40
    for end in (-low, high):
        copies = end / single
        assert (np.abs(copies - 3) < 1e-6).mean() > 0.8 and (end > 2.5 * single).all()
