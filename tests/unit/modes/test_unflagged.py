"""Confirmed modes are tested again without the utterances that the audit flags."""

import numpy as np
import pytest
from voxslice.modes.unflagged import without_flagged

N, SPEAKERS = 1200, 30


@pytest.fixture
def speakers():
    return np.array([f"s{i % SPEAKERS:02}" for i in range(N)])


def errors(rate, seed=1):
    return (np.random.default_rng(seed).random(N) < rate).astype(float)


@pytest.mark.parametrize("known", [True, False])
def test_a_mode_of_flagged_utterances_is_no_longer_confirmed(speakers, known):
    rng = np.random.default_rng(0)
    angry, joyful = rng.random(N) < 0.2, rng.random(N) < 0.2
    flagged = angry & (rng.random(N) < 0.4)
    loss = errors(0.05 + 0.6 * flagged + 0.3 * joyful)
    found = without_flagged(
        {"1": angry, "2": joyful}, loss, flagged, speakers if known else None, seed=0
    )
    assert found["1"].confirmed is False and found["1"].p > 0.2
    assert found["2"].confirmed is True and found["2"].p < 0.01


def test_a_mode_that_this_test_does_not_confirm_at_all(speakers):
    group = np.arange(N) % 7 == 0
    found = without_flagged({"1": group}, errors(0.05), np.arange(N) < 9, speakers, seed=0)
    assert found["1"].confirmed is None and found["1"].p > 0.05


def test_a_mode_whose_utterances_are_all_flagged(speakers):
    group = np.arange(N) < 100
    found = without_flagged({"1": group}, errors(0.05 + 0.5 * group), group, speakers, seed=0)
    assert found["1"] == (1.0, False)


def test_unscored_utterances_are_left_out(speakers):
    group = np.arange(N) % 5 == 0
    loss = errors(0.05 + 0.5 * group)
    loss[::11] = np.nan
    found = without_flagged({"1": group}, loss, np.arange(N) < 50, speakers, seed=0)
    assert found["1"].confirmed is True
    assert without_flagged({}, loss, np.arange(N) < 50, speakers, seed=0) == {}


def test_a_random_tenth_of_flagged_utterances_changes_no_clear_mode(speakers):
    group = np.arange(N) % 5 == 0
    for seed in range(10):
        flagged = np.random.default_rng(seed).random(N) < 0.1
        loss = errors(0.05 + 0.25 * group, seed)
        assert without_flagged({"1": group}, loss, flagged, speakers, seed=0)["1"].confirmed
