"""The pitch of known sounds is right."""

import numpy as np
import pytest
from known_sounds import hiss, spoken, voice
from voxslice.data.pitch import pitch
from voxslice.data.signals import RATE
from voxslice.errors import InputError


@pytest.mark.parametrize("frequency", [70, 110, 210, 330, 550])
def test_pitch_of_a_voice(frequency):
    assert pitch(voice(frequency)) == pytest.approx(frequency, rel=0.01)


def test_pitch_needs_no_fundamental():
    signal = voice(120) - voice(120, harmonics=1)
    assert pitch(signal) == pytest.approx(120, rel=0.01)


def test_pitch_does_not_depend_on_level_or_pauses():
    assert pitch(0.01 * spoken(200)) == pytest.approx(200, rel=0.01)


def test_pitch_is_that_of_the_voice_and_not_of_the_hiss_around_it():
    unvoiced = 0.02 * hiss(2.0)
    assert pitch(np.concatenate([unvoiced, voice(180, 0.5), unvoiced])) == pytest.approx(
        180, rel=0.01
    )


def test_pitch_that_changes_is_its_median():
    assert pitch(voice(np.linspace(100, 300, RATE))) == pytest.approx(200, rel=0.05)


@pytest.mark.parametrize("seed", range(2))
def test_signals_without_a_voice_have_no_pitch(seed):
    with pytest.raises(InputError, match="voiced"):
        pitch(hiss(1.0, seed))


@pytest.mark.parametrize("offset", [0.01, 0.1, -0.8])
def test_an_offset_is_no_voice(offset):
    for noisy in (0.001 * hiss(1.0), 0.01 * hiss(1.0, seed=1)):
        with pytest.raises(InputError, match="voiced"):
            pitch(noisy + offset)
    assert pitch(voice(150) + offset) == pytest.approx(150, rel=0.01)


def test_a_long_utterance_is_analysed_in_blocks(monkeypatch):
    signal = voice(np.linspace(100, 300, 2 * RATE), 2.0)
    whole = pitch(signal)
    monkeypatch.setattr("voxslice.data.pitch.BLOCK", 7)
    assert pitch(signal) == whole


def test_a_signal_that_is_too_short_has_no_pitch():
    with pytest.raises(InputError, match=r"0\.064 s"):
        pitch(voice(100, 0.06))
