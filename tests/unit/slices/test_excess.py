"""The excess within speakers is a weighted mean of speakers' differences, with a fair interval."""

import numpy as np
import pytest
from voxslice.slices.excess import within_speakers


def test_speakers_are_compared_with_themselves():
    # a: 2 inside and 2 outside, b: 1 inside and 3 outside, c has none inside
    speakers = np.array(["a"] * 4 + ["b"] * 4 + ["c"] * 5)
    inside = np.array([1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], dtype=bool)
    values = np.array([1, 1, 0, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1], dtype=float)
    found = within_speakers(values, inside, speakers)
    # differences 0.5 and 1 with the weights 1 and 0.75
    assert found.value == pytest.approx((0.5 + 0.75) / 1.75)
    assert found.speakers == 2
    assert found.inside - found.outside == pytest.approx(found.value)
    assert found.low < found.value < found.high


def test_it_is_the_coefficient_of_a_regression_with_one_intercept_per_speaker():
    rng = np.random.default_rng(0)
    who = rng.integers(0, 6, 200)
    inside = rng.random(200) < 0.3
    values = rng.normal(size=200) + who + inside
    design = np.column_stack([inside, np.eye(6)[who]])
    coefficient = np.linalg.lstsq(design, values, rcond=None)[0][0]
    assert within_speakers(values, inside, who.astype(str)).value == pytest.approx(coefficient)


def test_unknown_speakers_are_left_out():
    speakers = np.array(["a", "a", "", "", ""])
    inside = np.array([True, False, True, False, False])
    found = within_speakers(np.array([1.0, 0, 0, 1, 1]), inside, speakers)
    assert found.value == 1 and found.speakers == 1


def test_there_is_no_difference_where_no_speaker_is_on_both_sides():
    found = within_speakers(np.array([1.0, 0]), np.array([True, False]), np.array(["a", "b"]))
    assert np.isnan(found.value) and np.isnan(found.low) and found.speakers == 0


def test_without_speakers_utterances_are_independent():
    rng = np.random.default_rng(1)
    values, inside = rng.normal(size=400), np.arange(400) < 100
    values[inside] += 1
    found = within_speakers(values, inside, None)
    error = np.sqrt(values[inside].var(ddof=1) / 100 + values[~inside].var(ddof=1) / 300)
    assert found.speakers is None
    assert found.high - found.low == pytest.approx(2 * 1.966 * error, rel=0.01)


def test_there_is_no_interval_where_nothing_varies():
    inside = np.array([True, False] * 4)
    found = within_speakers(inside.astype(float), inside, np.repeat(["a", "b"], 4))
    assert found.value == 1 and np.isnan(found.low)


@pytest.mark.slow
@pytest.mark.parametrize(("speakers", "each"), [(20, 20), (20, 100), (80, 25)])
@pytest.mark.parametrize("spread", [0.0, 0.1])
def test_intervals_cover_the_truth(speakers, each, spread):
    """95 % intervals of a slice named beforehand, whose excess may vary by speaker."""
    rng = np.random.default_rng([speakers, each, round(10 * spread)])

    def rates(count):
        base = rng.beta(1.5, 8.5, count)
        return base, np.clip(base + 0.2 + spread * rng.standard_normal(count), 0, 1)

    base, worse = rates(400_000)
    truth, covered = float((worse - base).mean()), 0
    who = np.repeat(np.arange(speakers), each)
    for _ in range(500):
        base, worse = rates(speakers)
        inside = rng.random(len(who)) < np.clip(rng.beta(1.2, 2.8, speakers), 0.02, 0.98)[who]
        loss = (rng.random(len(who)) < np.where(inside, worse[who], base[who])).astype(float)
        found = within_speakers(loss, inside, who.astype(str))
        covered += found.low <= truth <= found.high
    assert 0.925 <= covered / 500 <= 0.975
