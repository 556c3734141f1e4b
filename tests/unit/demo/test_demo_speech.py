"""Synthetic speech is reproducible and differs by emotion, gender and age."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from voxslice.demo.speech import SAMPLING_RATE, Utterance, synthesise
from voxslice.demo.voices import (
    EVALUATION_VOICES,
    GENDERS,
    STYLES,
    Voice,
    rate,
    training_voices,
    variant,
)

TEXT = "The red bus leaves the station at seven."
PACKAGES = Path(__file__).parents[3] / "scripts"

PROGRAM = f"""
import hashlib
from voxslice.demo.speech import Utterance, synthesise
from voxslice.demo.voices import EVALUATION_VOICES, STYLES
utterances = [Utterance({TEXT!r}, voice, STYLES[style])
              for voice in EVALUATION_VOICES[:2] for style in ("neutral", "anger")]
print(hashlib.sha256(b"".join(x.tobytes() for x in synthesise(utterances, 3))).hexdigest())
"""


def say(voices, styles, seed=3):
    utterances = [Utterance(TEXT, voice, STYLES[style]) for voice in voices for style in styles]
    return list(synthesise(utterances, seed))


def pitch(signal):
    """Median over the voiced frames of the lag of the highest autocorrelation, 50 to 500 Hz."""
    frames = np.lib.stride_tricks.sliding_window_view(signal, 1024)[::256]
    frames = frames[np.sqrt((frames**2).mean(1)) > 0.3 * np.sqrt((signal**2).mean())]
    spectra = np.abs(np.fft.rfft(frames * np.hanning(1024), 2048)) ** 2
    lags = np.fft.irfft(spectra)[:, SAMPLING_RATE // 500 : SAMPLING_RATE // 50]
    return SAMPLING_RATE / (np.median(lags.argmax(1)) + SAMPLING_RATE // 500)


def loudness(signal):
    return float(np.sqrt((signal**2).mean()))


@pytest.fixture(scope="module")
def spoken():
    signals = iter(say(EVALUATION_VOICES[:4], STYLES))
    return {(v.name, style): next(signals) for v in EVALUATION_VOICES[:4] for style in STYLES}


@pytest.mark.slow
def test_samples_are_the_same_in_this_process_and_in_two_others():
    here = say(EVALUATION_VOICES[:2], ("neutral", "anger"))
    digests = {hashlib.sha256(b"".join(x.tobytes() for x in here)).hexdigest()}
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=PACKAGES,
            capture_output=True,
            text=True,
            check=True,
        )
        digests.add(done.stdout.strip())
    assert len(digests) == 1


def test_the_seed_changes_the_noise():
    (one,), (other,) = (say(EVALUATION_VOICES[:1], ("neutral",), seed) for seed in (1, 2))
    assert not np.array_equal(one, other)


def test_signals_are_speech_of_about_two_seconds(spoken):
    for signal in spoken.values():
        assert signal.dtype == np.float32
        assert signal.ndim == 1
        assert 1 < signal.size / SAMPLING_RATE < 3.5
        assert 0.05 < np.abs(signal).max() < 1  # never clipped


@pytest.mark.parametrize("voice", ["1", "2", "3", "4"])
def test_emotions_differ_in_loudness_pitch_and_rate_as_stated(spoken, voice):
    loud = {style: loudness(spoken[voice, style]) for style in STYLES}
    assert loud["anger"] > loud["happiness"] > loud["neutral"] > loud["boredom"] > loud["sadness"]
    high = {style: pitch(spoken[voice, style]) for style in STYLES}
    assert min(high["anger"], high["fear"], high["happiness"]) > 1.15 * high["neutral"]
    assert high["neutral"] > max(high["boredom"], high["sadness"])
    size = {style: spoken[voice, style].size for style in STYLES}
    assert size["fear"] < size["anger"] < size["neutral"] < size["boredom"] < size["sadness"]


def test_women_speak_higher_than_men(spoken):
    assert pitch(spoken["1", "neutral"]) > 1.4 * pitch(spoken["2", "neutral"])


def test_age_is_audible():
    young = Voice("young", "male", 22, pitch=100, tract=98)
    old = Voice("old", "male", 68, pitch=100, tract=98)
    one, other = say([young, old], ["neutral"])
    assert other.size > 1.15 * one.size
    assert rate(old, STYLES["neutral"]) < rate(young, STYLES["neutral"])
    assert "roughness 1" in variant(young, STYLES["neutral"])
    assert "roughness 5" in variant(old, STYLES["neutral"])


def test_training_voices_are_seeded_spread_and_none_of_the_evaluation():
    voices = training_voices(8, seed=1)
    assert voices == training_voices(8, seed=1) != training_voices(8, seed=2)
    assert [sum(v.gender == gender for v in voices) for gender in GENDERS] == [8, 8, 8]
    assert not {v.name for v in voices} & {v.name for v in EVALUATION_VOICES}
    assert not {variant(v, STYLES["neutral"]).split("\n", 2)[2] for v in voices} & {
        variant(v, STYLES["neutral"]).split("\n", 2)[2] for v in EVALUATION_VOICES
    }
    ages = np.array([v.age for v in voices])
    children = np.array([v.gender == "child" for v in voices])
    assert ages[children].max() <= 12 < 20 <= ages[~children].min()
    assert np.ptp(ages[~children]) > 35


def test_evaluation_voices_are_ten_women_and_ten_men():
    assert [sum(v.gender == gender for v in EVALUATION_VOICES) for gender in GENDERS] == [10, 10, 0]
    assert len({v.name for v in EVALUATION_VOICES}) == 20
