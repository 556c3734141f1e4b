"""Channels of recordings become mono files."""

import numpy as np
import pandas as pd
import pytest
import soundfile
from small_inputs import noise, write_audio
from voxslice.data import audio
from voxslice.recordings.channels import separate_channels

CHANNELS = {"0": "agent", "1": "customer"}


def separated(folder, files, channels=CHANNELS):
    """Separate the channels of files in a folder."""
    table = pd.DataFrame({"file": files, "start": 0.0, "end": 2.5, "duration": 2.5})
    return separate_channels(
        table, audio=folder / "calls", channels=channels, folder=folder / "out", threads=2
    )


def test_channels_are_copied_exactly(tmp_path, monkeypatch):
    monkeypatch.setattr(audio, "STREAMED", 1.0)
    signal = noise(2.5, rate=8000, channels=2)
    write_audio(tmp_path / "calls/in/a.wav", signal, rate=8000)
    table = separated(tmp_path, ["in/a.wav"])
    assert list(table["file"]) == ["in/a.wav.agent.flac", "in/a.wav.customer.flac"]
    assert list(table["channel"]) == ["agent", "customer"]
    stored, _ = soundfile.read(tmp_path / "calls/in/a.wav", dtype="float32")
    for number, file in enumerate(table["file"]):
        found, rate = soundfile.read(tmp_path / "out" / file, dtype="float32")
        assert rate == 8000
        np.testing.assert_array_equal(found, stored[:, number])


def test_a_channel_may_be_left_out(tmp_path):
    write_audio(tmp_path / "calls/a.wav", noise(2.5, channels=2))
    table = separated(tmp_path, ["a.wav"], {"1": "customer"})
    assert list(table["file"]) == ["a.wav.customer.flac"]


@pytest.mark.parametrize(
    ("signal", "notes"),
    [
        (noise(2.5), ["it has 1 channel, and no channel 1"] * 2),
        (noise(2.5, channels=2) * [1, 0], ["", "channel 1 is silent"]),
        (noise(2.5)[:, None] * [1, 1], ["", "channel 1 is a copy of channel 0"]),
    ],
    ids=["mono", "silent", "copy"],
)
def test_faults_are_noted(tmp_path, signal, notes):
    write_audio(tmp_path / "calls/a.wav", signal)
    write_audio(tmp_path / "calls/b.wav", noise(2.5, seed=1, channels=2))
    table = separated(tmp_path, ["a.wav", "b.wav"])
    assert list(table["note"]) == [*notes, "", ""]


def test_a_broken_recording_has_no_files(tmp_path):
    (tmp_path / "calls").mkdir()
    (tmp_path / "calls/a.wav").write_bytes(b"no audio")
    table = separated(tmp_path, ["a.wav"])
    assert table["note"].str.startswith("the audio cannot be read").all()
    assert not list(tmp_path.glob("out/*"))
