"""Voice activity is found where speech is, also in noise."""

import numpy as np
import pytest
from known_sounds import hiss, spoken, times
from voxslice.data.signals import RATE
from voxslice.data.voice_activity import speech_frames, speech_share
from voxslice.errors import InputError


@pytest.mark.parametrize("ratio", [40, 20, 10, 5])
def test_the_share_of_speech_is_measured_in_noise(ratio):
    speech = spoken(seconds=4.0)
    noise = hiss(4.0)
    noise *= speech.std() / noise.std() * 10 ** (-ratio / 20)
    assert speech_share(speech + noise) == pytest.approx(0.5, abs=0.1)


def test_frames_of_speech_are_found():
    found = speech_frames(spoken() + 0.0001 * hiss(2.0))
    middles = 0.01 * np.arange(len(found)) + 0.0125
    expected = middles % 0.5 < 0.25
    assert (found == expected).mean() > 0.9


def test_digital_silence_is_no_speech():
    speech = (spoken() + 0.0001 * hiss(2.0)).astype(np.float32)
    padded = np.concatenate([speech, np.zeros(2 * RATE, np.float32)])
    assert speech_share(padded) == pytest.approx(speech_share(speech) / 2, abs=0.02)


@pytest.mark.parametrize("seconds", [0.3, 1.0, 10.0])
@pytest.mark.parametrize("color", ["white", "pink"])
def test_noise_alone_is_no_speech(seconds, color):
    noise = hiss(seconds)
    if color == "pink":
        spectrum = np.fft.rfft(noise)
        spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 8))
        noise = np.fft.irfft(spectrum, len(noise)).astype(np.float32)
    assert speech_share(0.1 * noise) < 0.05


def test_the_level_does_not_matter():
    speech = spoken() + 0.001 * hiss(2.0)
    assert speech_share(0.01 * speech) == speech_share(speech)


@pytest.mark.parametrize("seconds", [0.01, 0.2])
def test_too_little_sound_has_no_share(seconds):
    with pytest.raises(InputError, match=r"0\.2 s"):
        speech_share(np.sin(2 * np.pi * 200 * times(seconds)).astype(np.float32))
