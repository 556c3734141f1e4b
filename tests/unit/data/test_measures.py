"""Measures of speech, on sounds whose pitch, level and noise are known."""

import numpy as np
import pandas as pd
import pytest
from small_inputs import write_audio
from voxslice.data.measures import MEASURES, RATE, level, measure_speech, pitch, snr
from voxslice.errors import InputError
from voxslice.utterance_keys import KEY


def times(seconds):
    return np.arange(round(seconds * RATE)) / RATE


def voice(frequency, seconds=1.0, harmonics=8):
    """A sound with the harmonics of a voice; the frequency may change."""
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(frequency, round(seconds * RATE))) / RATE
    parts = [np.sin(n * phase) / n for n in range(1, harmonics + 1)]
    return (0.1 * sum(parts)).astype(np.float32)


def hiss(seconds, seed=0):
    return np.random.default_rng(seed).normal(size=round(seconds * RATE)).astype(np.float32)


def spoken(frequency=150, seconds=2.0):
    """Voice and pauses: half of each half second."""
    return voice(frequency, seconds) * (times(seconds) % 0.5 < 0.25)


@pytest.mark.parametrize("frequency", [70, 110, 210, 330, 550])
def test_pitch_of_a_voice(frequency):
    assert pitch(voice(frequency)) == pytest.approx(frequency, rel=0.01)


def test_pitch_is_heard_without_its_fundamental():
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


@pytest.mark.parametrize("signal", [hiss(1.0), np.zeros(RATE, np.float32)], ids=["hiss", "silence"])
def test_what_has_no_voice_has_no_pitch(signal):
    with pytest.raises(InputError, match="voiced"):
        pitch(signal)


def test_level_is_that_of_the_standard():
    """ITU-R BS.1770-4: a sine of 997 Hz at full scale in one channel has -3.01 LUFS."""
    sine = np.sin(2 * np.pi * 997 * times(2))
    assert level(sine) == pytest.approx(-3.01, abs=0.1)
    assert level(0.1 * sine) == pytest.approx(-23.01, abs=0.1)


def test_pauses_do_not_lower_the_level():
    sine = 0.1 * np.sin(2 * np.pi * 997 * times(3))
    with_pause = np.concatenate([sine, np.zeros(6 * RATE), sine])
    assert level(with_pause) == pytest.approx(level(sine), abs=0.5)


@pytest.mark.parametrize(
    ("signal", "reason"), [(np.zeros(RATE), "silent"), (np.ones(RATE // 5), "0.4 s")]
)
def test_no_level(signal, reason):
    with pytest.raises(InputError, match=reason):
        level(signal)


@pytest.mark.parametrize("ratio", [0, 5, 10, 20, 30, 40])
def test_noise_is_measured(ratio):
    speech, noise = spoken(), hiss(2.0)
    noise *= speech.std() / noise.std() * 10 ** (-ratio / 20)
    assert snr(speech + noise) == pytest.approx(ratio, abs=1)


def test_noise_is_measured_under_an_offset_and_between_digital_silence():
    speech, noise = spoken(), hiss(2.0)
    noise *= speech.std() / noise.std() * 0.1
    silence = np.zeros(3 * RATE, np.float32)
    noisy = np.concatenate([silence, speech + noise, silence])
    assert snr(noisy) == pytest.approx(20, abs=1)
    assert snr(speech + noise + 0.5) == pytest.approx(20, abs=1)


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        (np.zeros(RATE), "silent"),
        (np.full(RATE, 0.5), "noise"),
        (hiss(0.1), "0.2 s"),
        (hiss(0.01), "0.2 s"),
    ],
)
def test_no_ratio(signal, reason):
    with pytest.raises(InputError, match=reason):
        snr(signal)


@pytest.mark.parametrize("measure", MEASURES)
def test_a_file_that_cannot_be_measured_leaves_the_others(tmp_path, measure, capsys):
    noisy = spoken() + 0.001 * hiss(2.0)
    write_audio(tmp_path / "good.wav", noisy, subtype="FLOAT")
    write_audio(tmp_path / "twice.flac", np.stack([noisy, noisy], 1))
    write_audio(tmp_path / "silent.wav", np.zeros(RATE, np.float32))
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    utterances = pd.DataFrame(
        {
            "file": ["good.wav", "silent.wav", "broken.wav", "absent.wav", "twice.flac"],
            "start": 0.0,
            "end": [2.0, 1.0, 1.0, 1.0, 2.0],
            "duration": 1.0,
        }
    )
    made = [
        measure_speech(utterances, audio=tmp_path, measure=measure, threads=threads)
        for threads in (1, 2)
    ]
    pd.testing.assert_frame_equal(*made)
    assert list(made[0]) == [*KEY, measure]
    values = made[0][measure]
    assert values.notna().tolist() == [True, False, False, False, True]
    assert values[4] == pytest.approx(values[0], abs=0.2)
    told = capsys.readouterr().err
    assert f"absent.wav from 0 to 1 s has no {measure}: the file does not exist" in told
    assert f"silent.wav from 0 to 1 s has no {measure}: " in told
    assert "good.wav from" not in told


def test_a_part_of_a_file_is_measured(tmp_path):
    write_audio(tmp_path / "a.wav", np.concatenate([voice(100), voice(250)]))
    utterances = pd.DataFrame({"file": "a.wav", "start": [0.0, 1.0], "end": [1.0, 2.0]})
    measured = measure_speech(utterances, audio=tmp_path, measure="pitch", threads=2)
    assert measured["pitch"].tolist() == pytest.approx([100, 250], rel=0.01)


def test_what_lasts_too_long_is_not_read(tmp_path, capsys):
    write_audio(tmp_path / "a.wav", voice(100, seconds=3))
    utterances = pd.DataFrame({"file": "a.wav", "start": [0.0, 1.0], "end": [3.0, 2.0]})
    measured = measure_speech(utterances, audio=tmp_path, measure="pitch", threads=1, longest=2)
    assert measured["pitch"].isna().tolist() == [True, False]
    assert "a.wav from 0 to 3 s has no pitch: it lasts 3 s, more than longest_seconds (2 s)" in (
        capsys.readouterr().err
    )
