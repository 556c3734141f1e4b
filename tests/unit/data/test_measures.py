"""Measures of speech are right for sounds whose pitch, level and noise are known."""

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
    """Return a sound with the harmonics of a voice, whose frequency may change."""
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(frequency, round(seconds * RATE))) / RATE
    parts = [np.sin(n * phase) / n for n in range(1, harmonics + 1)]
    return (0.1 * sum(parts)).astype(np.float32)


def hiss(seconds, seed=0):
    return np.random.default_rng(seed).normal(size=round(seconds * RATE)).astype(np.float32)


def spoken(frequency=150, seconds=2.0):
    """Return a voice that pauses for half of each half second."""
    return voice(frequency, seconds) * (times(seconds) % 0.5 < 0.25)


@pytest.mark.slow
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


SILENCE = {
    "zeros": np.zeros(RATE, np.float32),
    "rounding errors": np.round(hiss(1.0)).clip(-1, 1) / 2**15,
    "tone of one bit": np.sign(np.sin(2 * np.pi * 200 * np.arange(RATE) / RATE)) / 2**15,
    "offset": np.full(RATE, 0.3) + hiss(1.0) / 2**16,
}
"""Signals that count as silence."""


@pytest.mark.parametrize("name", SILENCE)
@pytest.mark.parametrize("measure", MEASURES)
def test_silence_has_no_measure(measure, name):
    with pytest.raises(InputError, match=r"^it is silent$"):
        MEASURES[measure](SILENCE[name])


@pytest.mark.parametrize("offset", [0.01, 0.1, -0.8])
def test_an_offset_is_no_voice(offset):
    for noisy in (0.001 * hiss(1.0), 0.01 * hiss(1.0, seed=1)):
        with pytest.raises(InputError, match="voiced"):
            pitch(noisy + offset)
    assert pitch(voice(150) + offset) == pytest.approx(150, rel=0.01)


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
    ("signal", "reason"),
    [
        (np.zeros(RATE), "^it is silent$"),
        (np.ones(RATE // 5), "0.4 s"),
        (0.0005 * np.sin(2 * np.pi * 20 * np.arange(RATE) / RATE), "below -70 LUFS"),
    ],
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
        (np.full(RATE, 0.5), "silent"),
        (np.resize([0.5, -0.5], RATE), "noise"),
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
    assert list(made[0]) == [*KEY, measure, "reason"]
    assert made[0]["reason"].isna().tolist() == made[0][measure].notna().tolist()
    assert made[0]["reason"][1] == "it is silent (no signal)"
    assert made[0]["reason"][3] == "the file does not exist"
    values = made[0][measure]
    assert values.notna().tolist() == [True, False, False, False, True]
    assert values[4] == pytest.approx(values[0], abs=0.2)
    told = capsys.readouterr().err
    assert f"absent.wav from 0 to 1 s has no {measure}: the file does not exist" in told
    assert f"silent.wav from 0 to 1 s has no {measure}: " in told
    assert "good.wav from" not in told


def test_channels_that_cancel_each_other_have_no_measure(tmp_path):
    left = (voice(110) + 0.01 * hiss(1.0)).astype(np.float32)
    for name, channels in {
        "swapped.wav": [left, -left],
        "three.wav": [left, left, -2 * left],
        "fine.wav": [left, left],
    }.items():
        write_audio(tmp_path / name, 0.3 * np.stack(channels, axis=1))
    files = ["swapped.wav", "three.wav", "fine.wav"]
    utterances = pd.DataFrame({"file": files, "start": 0.0, "end": 1.0})
    for measure in MEASURES:
        made = measure_speech(utterances, audio=tmp_path, measure=measure, threads=2)
        assert made[measure].isna().tolist() == [True, True, False]
        reason = "it is silent (channels out of phase)"
        assert made["reason"].fillna("").tolist() == [reason, reason, ""]


def test_a_part_of_a_file_is_measured(tmp_path):
    write_audio(tmp_path / "a.wav", np.concatenate([voice(100), voice(250)]))
    utterances = pd.DataFrame({"file": "a.wav", "start": [0.0, 1.0], "end": [1.0, 2.0]})
    measured = measure_speech(utterances, audio=tmp_path, measure="pitch", threads=2)
    assert measured["pitch"].tolist() == pytest.approx([100, 250], rel=0.01)


def test_audio_that_is_too_long_is_not_read(tmp_path, capsys):
    write_audio(tmp_path / "a.wav", voice(100, seconds=3))
    utterances = pd.DataFrame({"file": "a.wav", "start": [0.0, 1.0], "end": [3.0, 2.0]})
    measured = measure_speech(utterances, audio=tmp_path, measure="pitch", threads=1, longest=2)
    assert measured["pitch"].isna().tolist() == [True, False]
    assert "a.wav from 0 to 3 s has no pitch: it lasts 3 s, more than longest_seconds (2 s)" in (
        capsys.readouterr().err
    )
