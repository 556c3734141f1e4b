"""All utterances are measured, or have a reason why not."""

import numpy as np
import pandas as pd
import pytest
from known_sounds import hiss, spoken, voice
from small_inputs import write_audio
from voxslice.data.audio import Audio
from voxslice.data.measure_reasons import joined, reasons_of
from voxslice.data.measures import MEASURES, measure_speech
from voxslice.data.signals import RATE
from voxslice.errors import InputError
from voxslice.utterance_keys import KEY

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
        MEASURES[measure].of(Audio(SILENCE[name], RATE), SILENCE[name])


def test_a_file_that_cannot_be_measured_leaves_the_others(tmp_path, capsys):
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
    made = [measure_speech(utterances, audio=tmp_path, threads=threads) for threads in (1, 2)]
    pd.testing.assert_frame_equal(*made)
    assert list(made[0]) == [*KEY, *MEASURES, "reason"]
    assert made[0]["reason"][1] == "it is silent (no signal)"
    assert made[0]["reason"][3] == "the file does not exist"
    for name in MEASURES:
        assert made[0][name].notna().tolist() == [True, False, False, False, True]
    numbers = made[0].select_dtypes("number").drop(columns=KEY[1:])
    assert numbers.loc[4].tolist() == pytest.approx(numbers.loc[0].tolist(), abs=0.2)
    printed = capsys.readouterr().err
    assert "absent.wav from 0 to 1 s has no measures: the file does not exist" in printed
    assert "silent.wav from 0 to 1 s has no measures: it is silent" in printed
    assert "good.wav from" not in printed


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
    made = measure_speech(utterances, audio=tmp_path, threads=2)
    for name in MEASURES:
        assert made[name].isna().tolist() == [True, True, False]
    reason = "it is silent (channels out of phase)"
    assert made["reason"].fillna("").tolist() == [reason, reason, ""]


def test_a_part_of_a_file_is_measured(tmp_path):
    write_audio(tmp_path / "a.wav", np.concatenate([voice(100), voice(250)]))
    utterances = pd.DataFrame({"file": "a.wav", "start": [0.0, 1.0], "end": [1.0, 2.0]})
    measured = measure_speech(utterances, audio=tmp_path, threads=2)
    assert measured["pitch"].tolist() == pytest.approx([100, 250], rel=0.01)


def test_audio_that_is_too_long_is_not_read(tmp_path, capsys):
    write_audio(tmp_path / "a.wav", voice(100, seconds=3))
    utterances = pd.DataFrame({"file": "a.wav", "start": [0.0, 1.0], "end": [3.0, 2.0]})
    measured = measure_speech(utterances, audio=tmp_path, threads=1, longest=2)
    assert measured["pitch"].isna().tolist() == [True, False]
    assert "a.wav from 0 to 3 s has no measures: it lasts 3 s, more than longest_seconds (2 s)" in (
        capsys.readouterr().err
    )


def test_a_measure_that_fails_leaves_the_others(tmp_path, capsys):
    write_audio(tmp_path / "noise.wav", 0.1 * hiss(1.0))
    utterances = pd.DataFrame({"file": ["noise.wav"], "start": 0.0, "end": 1.0})
    measured = measure_speech(utterances, audio=tmp_path, threads=1)
    assert measured["pitch"].isna().all() and measured["level"].notna().all()
    assert measured["reason"].tolist() == ["pitch: no part of it is voiced"]
    assert "noise.wav from 0 to 1 s has no pitch: no part of it" in capsys.readouterr().err


def test_bandwidth_and_clipping_are_those_of_the_file(tmp_path):
    """Resampling to the rate of the analysis would lose what is above 8 kHz, and the clipping."""
    write_audio(tmp_path / "a.wav", (0.2 * hiss(2.0)).clip(-0.3, 0.3), rate=44100)
    utterances = pd.DataFrame({"file": ["a.wav"], "start": 0.0, "end": 0.7})
    (measured,) = measure_speech(utterances, audio=tmp_path, threads=1).to_dict("records")
    assert measured["bandwidth"] == "full"
    assert measured["bandwidth_hz"] > 20000
    assert measured["clipping"] > 0


def test_the_reason_of_a_measure_is_found_in_the_table():
    table = pd.DataFrame(
        {
            "pitch": [np.nan, np.nan, 100.0, np.nan],
            "snr": [np.nan, 3.0, np.nan, np.nan],
            "reason": [
                joined({"pitch": "no part", "snr": "too short: 0.1 s"}),
                joined({"pitch": "no part"}),
                joined({"snr": "noise"}),
                "ffmpeg: it failed",
            ],
        }
    )
    assert joined({}) is None
    pitch, snr = (reasons_of(table, name).fillna("").tolist() for name in ("pitch", "snr"))
    assert pitch == ["no part", "no part", "", "ffmpeg: it failed"]
    assert snr == ["too short: 0.1 s", "", "noise", "ffmpeg: it failed"]


def test_no_utterances_have_no_measures(tmp_path):
    none = pd.DataFrame({"file": [], "start": [], "end": []})
    measured = measure_speech(none, audio=tmp_path, threads=1)
    assert list(measured) == [*KEY, *MEASURES, "reason"] and len(measured) == 0
