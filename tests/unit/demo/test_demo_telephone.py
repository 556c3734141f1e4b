"""A telephone line transmits nothing above 4 kHz."""

import numpy as np
import pytest
from known_sounds import hiss, voice
from voxslice.data.bandwidth import bandwidth, bandwidth_hz
from voxslice.data.signals import RATE
from voxslice.demo.telephone import over_telephone


@pytest.mark.parametrize("codec", ["ULAW", "ALAW", "GSM610"])
@pytest.mark.parametrize("rate", [16000, 44100])
def test_the_band_ends_at_4_khz(codec, rate):
    sent = over_telephone(0.1 * hiss(2.0), rate, codec)
    assert sent.dtype == np.float32
    assert bandwidth(sent, rate) == "telephone"
    assert bandwidth_hz(sent, rate) == pytest.approx(3950, abs=100)


@pytest.mark.parametrize("codec", ["ULAW", "ALAW"])
def test_speech_below_4_khz_is_kept(codec):
    sound = voice(150)
    sent = over_telephone(sound, RATE, codec)
    assert len(sent) == len(sound)
    assert np.std(sent - sound) < 0.02 * np.std(sound)


def test_the_same_signal_gives_the_same_samples():
    sound = voice(150)
    np.testing.assert_array_equal(over_telephone(sound, RATE), over_telephone(sound, RATE))


def test_a_signal_that_is_too_loud_is_limited():
    assert np.abs(over_telephone(30 * voice(150), RATE)).max() < 1.3
