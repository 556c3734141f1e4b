"""Reverberation is measured as known responses of rooms add it."""

import numpy as np
import pytest
from known_sounds import hiss, reverberated, times, voice
from voxslice.data import bands
from voxslice.data.reverberation import reverberation
from voxslice.data.signals import RATE
from voxslice.errors import InputError


def syllables(seconds=3.0):
    """Return a voice whose level rises and decays by 600 dB per second, three times per second."""
    level = np.maximum(-200 * np.abs((times(seconds) * 3) % 1 - 0.5), -60)
    return (voice(130, seconds, harmonics=28) * 10 ** (level / 20)).astype(np.float32)


def test_sound_that_rises_as_fast_as_it_decays_has_none():
    assert reverberation(syllables()) == pytest.approx(0, abs=0.7)


def test_more_reverberation_has_a_larger_value():
    values = [reverberation(reverberated(syllables(), seconds)) for seconds in (0.15, 0.3, 0.6)]
    assert reverberation(syllables()) + 1 < values[0] < values[1] < values[2]


@pytest.mark.parametrize("ratio", [20, 10])
def test_noise_is_no_reverberation(ratio):
    dry, wet = syllables(), reverberated(syllables(), 0.6)
    noise = dry.std() * 10 ** (-ratio / 20) * hiss(3.0)
    assert reverberation(dry + noise) == pytest.approx(0, abs=0.7)
    assert reverberation(wet + noise) > 1.5
    assert reverberation(0.1 * hiss(3.0)) == pytest.approx(0, abs=0.7)


def test_level_and_silence_do_not_matter():
    wet = reverberated(syllables(), 0.3)
    value = reverberation(wet)
    assert reverberation(0.01 * wet) == pytest.approx(value, abs=0.01)
    silence = np.zeros(RATE, np.float32)
    assert reverberation(np.concatenate([silence, wet, silence])) == pytest.approx(value, abs=0.7)


def test_a_long_utterance_is_analysed_in_blocks(monkeypatch):
    wet = reverberated(syllables(), 0.3)
    whole = reverberation(wet)
    monkeypatch.setattr(bands, "BLOCK", 7)
    assert reverberation(wet) == pytest.approx(whole, abs=1e-4)


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        (np.zeros(RATE), "^it is silent$"),
        (voice(100, 0.1), r"shorter than 0\.12 s"),
        (voice(100, 0.13), "hardly rises or decays"),
    ],
)
def test_without_changes_of_the_level_there_is_no_value(signal, reason):
    with pytest.raises(InputError, match=reason):
        reverberation(signal)
