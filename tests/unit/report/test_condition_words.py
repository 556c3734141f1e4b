"""Conditions in words."""

import pytest
from voxslice.config.condition_checks import STANDARD
from voxslice.report.condition_words import in_words


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"codec": "g711"}, "the codec G.711 of the telephone"),
        ({"codec": "opus", "kbps": 8}, "the codec Opus at 8 kbit/s"),
        ({"noise": "white", "snr": 10}, "white noise, 10 dB below the speech"),
        ({"noise": "babble", "snr": -5}, "other speakers in the background, 5 dB above the speech"),
        ({"noise": "folder", "snr": 0}, "recorded noise, as loud as the speech"),
        ({"room": 0.6}, "a room with a reverberation time of 0.6 s"),
        ({"room": "folder"}, "a room of which an impulse response was recorded"),
        ({"gain": -30}, "the level is changed by \N{MINUS SIGN}30 dB"),
        ({"clip": 0.2}, "20 % of the samples are clipped"),
        ({"band": [300, 3400]}, "only frequencies from 300 to 3,400 Hz"),
        ({"crop": 1.0}, "only the middle 1 s"),
    ],
)
def test_each_kind_of_condition_is_described(settings, words):
    assert in_words(settings) == words


def test_each_condition_of_the_standard_set_is_described():
    assert len(set(map(in_words, STANDARD.values()))) == len(STANDARD)
