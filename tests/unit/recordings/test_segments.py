"""Parts with speech are joined to segments, and cut where they are too long."""

import numpy as np
import pytest
from voxslice.recordings.segments import (
    FRAME_SECONDS,
    PAD,
    Lengths,
    fixed_parts,
    segments_of,
    speech_parts,
    speech_segments,
)

LENGTHS = Lengths(min=3, max=10, join=1)
LEVELS = np.zeros(10_000)


def frames(*spans, value=0.9, seconds=20):
    """Probabilities that are high in spans of seconds."""
    found = np.zeros(round(seconds / FRAME_SECONDS))
    for start, end in spans:
        found[round(start / FRAME_SECONDS) : round(end / FRAME_SECONDS)] = value
    return found


def test_a_part_begins_and_ends_with_its_speech():
    (part,) = speech_parts(frames((2, 4)))
    assert part == pytest.approx((2, 4), abs=FRAME_SECONDS)


def test_a_short_pause_is_part_of_speech_and_a_click_is_none():
    assert len(speech_parts(frames((1, 2), (2.2, 3)))) == 1
    assert len(speech_parts(frames((1, 2), (2.5, 3)))) == 2
    assert speech_parts(frames((1, 1.1))) == []


def test_speech_needs_one_frame_that_is_certain():
    assert speech_parts(frames((1, 3), value=0.45)) == []
    unsure = np.maximum(frames((1, 3), value=0.45), frames((2, 2.5)))
    (part,) = speech_parts(unsure)
    assert part == pytest.approx((1, 3), abs=FRAME_SECONDS)


def test_segments_have_margins_that_stay_in_the_recording():
    levels = np.zeros(len(frames()))
    found = speech_segments(frames((0, 4), (6, 9)), levels, LENGTHS)
    assert found[0] == (0.0, pytest.approx(4 + PAD, abs=FRAME_SECONDS))
    assert found[1] == pytest.approx((6 - PAD, 9 + PAD), abs=FRAME_SECONDS)
    (whole,) = speech_segments(frames((0, 20)), levels, Lengths(3, 30, 1))
    assert whole == (0.0, pytest.approx(20))


def test_margins_belong_to_the_longest_length_and_not_to_the_pauses():
    levels = np.zeros(len(frames()))
    assert len(speech_segments(frames((1, 5), (6.1, 9)), levels, LENGTHS)) == 2
    found = speech_segments(frames((1, 19)), levels, LENGTHS)
    assert max(end - start for start, end in found) <= LENGTHS.max


def test_neighbours_are_joined_up_to_the_longest_length():
    parts = [(0, 4), (4.5, 8), (8.6, 12), (14, 18)]
    assert segments_of(parts, LEVELS, LENGTHS) == [(0, 8), (8.6, 12), (14, 18)]


def test_nothing_is_joined_over_a_long_pause():
    assert segments_of([(0, 2), (3.1, 5)], LEVELS, LENGTHS) == [(0, 2), (3.1, 5)]


def test_few_segments_are_shorter_than_wanted():
    # from the left, (0, 10) and (10.2, 11) would be joined first
    parts = [(0, 5), (5.2, 10), (10.2, 11)]
    assert segments_of(parts, LEVELS, LENGTHS) == [(0, 5), (5.2, 11)]


def test_longer_pauses_divide_rather_than_shorter_ones():
    parts = [(0, 4), (4.2, 7), (7.9, 12)]
    assert segments_of(parts, LEVELS, LENGTHS) == [(0, 7), (7.9, 12)]


def test_long_speech_is_cut_at_its_quietest_places():
    levels = np.zeros(1000)
    for second in (8, 15.5):
        levels[round(second / FRAME_SECONDS) + np.arange(-3, 4)] = -30
    found = segments_of([(1, 24)], levels, LENGTHS)
    assert found == [
        (1, pytest.approx(8, abs=0.1)),
        (pytest.approx(8, abs=0.1), pytest.approx(15.5, abs=0.1)),
        (pytest.approx(15.5, abs=0.1), 24),
    ]


@pytest.mark.parametrize("seed", range(20))
def test_no_segment_is_too_long_and_no_speech_is_lost(seed):
    rng = np.random.default_rng(seed)
    edges = np.cumsum(rng.exponential(2.0, 60))
    parts = [(float(a), float(b)) for a, b in edges.reshape(-1, 2)]
    found = np.array(segments_of(parts, rng.normal(size=5000), LENGTHS))
    lengths = found[:, 1] - found[:, 0]
    assert lengths.max() <= LENGTHS.max + 1e-6
    assert (found[1:, 0] >= found[:-1, 1]).all()
    for start, end in parts:
        covered = np.minimum(found[:, 1], end) - np.maximum(found[:, 0], start)
        assert covered.clip(0).sum() == pytest.approx(end - start)
    # a short one has no neighbour with which it would have at most the longest length
    for index in np.flatnonzero(lengths < LENGTHS.min):
        for one, other in ((index - 1, index), (index, index + 1)):
            if one >= 0 and other < len(found) and found[other, 0] - found[one, 1] <= LENGTHS.join:
                assert found[other, 1] - found[one, 0] > LENGTHS.max


def test_overlapping_parts_are_one():
    assert segments_of([(0, 5), (1, 2), (4, 6)], LEVELS, LENGTHS) == [(0, 6)]


def test_fixed_segments_have_the_longest_length():
    assert fixed_parts(25, LENGTHS) == [(0, 10), (10, 20), (20, 25)]
    assert fixed_parts(20, LENGTHS) == [(0, 10), (10, 20)]
    assert fixed_parts(4, LENGTHS) == [(0, 4)]
