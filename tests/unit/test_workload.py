"""Estimates of memory and time."""

import pytest
from voxslice.workload import memory_mb, minutes, room_mb, utterance_mb


@pytest.mark.parametrize(
    ("seconds", "measured"), [(2, 0.553), (20, 0.971), (60, 2.771), (90, 5.797), (120, 10.930)]
)
def test_estimated_memory_is_at_least_the_measured_one(seconds, measured):
    """Measured peak memory in GB of a process that computes longer and longer utterances."""
    asked = memory_mb(seconds, model_mb=363, threads=1) / 1000
    assert measured < asked < measured + 3


def test_memory_grows_with_model_utterance_and_threads():
    before = memory_mb(10, model_mb=100, threads=2)
    assert memory_mb(10, model_mb=1000, threads=2) > before + 1000
    assert memory_mb(20, model_mb=100, threads=2) > before
    assert memory_mb(10, model_mb=100, threads=4) == before + 2 * utterance_mb(10)


def test_memory_of_threads_is_their_share_or_that_of_the_longest_utterance():
    assert room_mb(120, threads=1) == room_mb(120, threads=4) == utterance_mb(120)
    assert room_mb(60, threads=4) == 8000
    assert room_mb(20, threads=4) == 4 * utterance_mb(20)
    assert room_mb(0, threads=4) == 0


def test_time_grows_with_model_and_audio_and_falls_with_threads():
    hour = {"longest": 10, "model_mb": 363, "threads": 4}
    assert minutes(0, **hour) == 30
    # four times as long as an EPYC of 2021 takes
    assert minutes(36_000, **hour) - 30 > 3 * 36_000 * 0.08 / 4 / 60
    grown = minutes(3_600_000, **hour)
    assert grown > 90 * 60
    assert minutes(3_600_000, **hour | {"model_mb": 1270}) > 3 * grown
    assert minutes(3_600_000, **hour | {"threads": 1}) > 3.9 * grown


def test_long_utterances_are_computed_one_after_another_and_take_more_time():
    settings = {"model_mb": 363, "threads": 4}
    assert minutes(36_000, longest=45, **settings) == minutes(36_000, longest=2, **settings)
    alone = minutes(36_000, longest=120, **settings)
    assert alone == minutes(36_000, longest=120, model_mb=363, threads=1)
    assert minutes(0, longest=0, **settings) == 30
