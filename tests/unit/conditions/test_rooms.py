"""Rooms have the reverberation time that is asked for."""

import numpy as np
import pytest
from voxslice.conditions.rooms import RATE, reverberation_time, simulated_rooms


def decay_time(response):
    """T20 of the power in steps of 5 ms, as an independent measure of the reverberation time."""
    step = RATE // 200
    power = np.square(response[: len(response) // step * step]).reshape(-1, step).sum(axis=1)
    left = 10 * np.log10(power[::-1].cumsum()[::-1] / power.sum())
    inside = (left < -5) & (left > -25)
    return -60 / np.polyfit(np.flatnonzero(inside) / 200, left[inside], 1)[0]


def test_an_exponential_decay_is_measured():
    times = np.arange(RATE) / RATE
    noise = np.random.default_rng(0).standard_normal(RATE)
    assert reverberation_time(noise * 10 ** (-3 * times / 0.4), RATE) == pytest.approx(
        0.4, rel=0.02
    )


@pytest.mark.parametrize(
    "seconds", [0.2, *(pytest.param(long, marks=pytest.mark.slow) for long in (0.4, 0.6, 1.0))]
)
def test_reverberation_times_are_right_to_a_tenth(seconds):
    rooms = simulated_rooms(seconds, seed=0, count=2)
    assert len(rooms) == 2
    for response in rooms:
        assert np.abs(response).max() == 1
        assert decay_time(response) == pytest.approx(seconds, rel=0.1)


def test_rooms_are_different_and_repeatable():
    one, other = simulated_rooms(0.1, seed=1, count=2)
    assert len(one) != len(other) or not np.allclose(one, other)
    again = simulated_rooms(0.1, seed=1, count=2)
    assert [part.tobytes() for part in again] == [one.tobytes(), other.tobytes()]
    assert simulated_rooms(0.1, seed=2, count=1)[0].tobytes() != one.tobytes()
