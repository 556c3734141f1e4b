"""Speech is found in recordings that are read block by block."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from calls import call
from known_sounds import hiss, voice
from project import ROOT
from small_inputs import write_audio
from voxslice.data import audio
from voxslice.errors import InputError
from voxslice.recordings import silero_vad
from voxslice.recordings.segments import FRAME_SECONDS, Lengths, speech_parts, speech_segments
from voxslice.recordings.silero_vad import FRAME, RATE, SpeechDetector, load_silero
from voxslice.recordings.speech import detect_speech

LENGTHS = Lengths(min=3, max=10, join=0.5)


@pytest.fixture(scope="module")
def one_call():
    return call([0.7, 1.5, 1.2, 2.0, 1.1, 1.4])


def detected(folder, signals, *, rate=RATE, threads=1):
    """Write signals as files and detect their speech."""
    for name, signal in signals.items():
        write_audio(folder / f"{name}.wav", signal, rate=rate)
    recordings = pd.DataFrame(
        {
            "file": [f"{name}.wav" for name in signals],
            "start": 0.0,
            "end": [len(signal) / rate for signal in signals.values()],
        }
    )
    return detect_speech(recordings, folder, threads=threads)


def test_each_utterance_of_a_call_is_one_segment(tmp_path, one_call):
    signal, times = one_call
    (row,) = detected(tmp_path, {"call": signal}).itertuples()
    found = speech_segments(row.probabilities, row.levels, LENGTHS)
    assert np.array(found) == pytest.approx(times, abs=0.35)
    assert (row.reason, row.note) == ("", "")


@pytest.mark.slow
def test_neither_noise_nor_tones_nor_silence_is_speech(tmp_path):
    seconds = 20
    chords = sum(voice(frequency, seconds) for frequency in (220, 277, 330))
    sounds = {"noise": 0.1 * hiss(seconds), "chords": chords, "silence": np.zeros(seconds * RATE)}
    for row in detected(tmp_path, sounds).itertuples():
        assert speech_parts(row.probabilities) == [], row.file


def test_blocks_of_any_length_give_the_same_probabilities(one_call):
    signal = one_call[0]
    frames = signal[: len(signal) // FRAME * FRAME].reshape(-1, FRAME)
    whole = SpeechDetector(load_silero())(frames)
    detector = SpeechDetector(load_silero())
    pieces = np.concatenate([detector(part) for part in np.array_split(frames, [1, 7, 200])])
    assert pieces == pytest.approx(whole, abs=1e-6)


@pytest.mark.parametrize("rate", [8000, 44100])
def test_other_sampling_rates_are_resampled_in_blocks(tmp_path, monkeypatch, one_call, rate):
    import audresample

    monkeypatch.setattr(audio, "STREAMED", 1.0)
    signal = audresample.resample(one_call[0], RATE, rate)[0]
    (row,) = detected(tmp_path, {"call": signal}, rate=rate).itertuples()
    found = speech_segments(row.probabilities, row.levels, LENGTHS)
    assert np.array(found) == pytest.approx(one_call[1], abs=0.4)
    assert len(row.probabilities) * FRAME_SECONDS == pytest.approx(len(signal) / rate, abs=0.1)


@pytest.mark.slow
def test_threads_change_nothing_and_a_broken_file_stops_no_other(tmp_path, one_call):
    signals = {"a": one_call[0], "b": one_call[0][RATE:]}
    first, second = (detected(tmp_path, signals, threads=threads) for threads in (1, 2))
    pd.testing.assert_frame_equal(first, second)
    (tmp_path / "a.wav").write_bytes(b"no audio")
    broken = detect_speech(first[["file", "start", "end"]], tmp_path, threads=2)
    assert broken["reason"][0].startswith("the audio cannot be read")
    assert broken["probabilities"][1] == pytest.approx(first["probabilities"][1])


def test_a_part_of_a_file_is_read(tmp_path, one_call):
    signal, times = one_call
    write_audio(tmp_path / "call.wav", signal)
    start, end = times[1, 0] - 0.5, times[2, 1] + 0.5
    part = pd.DataFrame({"file": ["call.wav"], "start": [start], "end": [end]})
    (row,) = detect_speech(part, tmp_path, threads=1).itertuples()
    found = speech_segments(row.probabilities, row.levels, LENGTHS)
    assert np.array(found) + start == pytest.approx(times[1:3], abs=0.35)


@pytest.mark.slow
def test_a_silent_channel_and_a_copy_are_noted(tmp_path, one_call):
    signal = one_call[0]
    sounds = {
        "silent": np.stack([signal, 0 * signal], axis=1),
        "copied": np.stack([signal, signal], axis=1),
        "two": np.stack([signal, signal[::-1]], axis=1),
    }
    notes = list(detected(tmp_path, sounds)["note"])
    assert notes == ["channel 1 is silent", "channel 1 is a copy of channel 0", ""]


def test_another_file_than_the_model_is_refused(tmp_path, monkeypatch):
    (tmp_path / "model.onnx").write_bytes(b"another")
    monkeypatch.setattr(silero_vad, "MODEL", tmp_path / "model.onnx")
    with pytest.raises(InputError, match=r"model\.onnx is damaged"):
        load_silero()


@pytest.mark.slow
def test_torch_is_not_imported():
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'scripts')!r})\n"
        "from voxslice.recordings.silero_vad import load_silero\n"
        "import voxslice.recordings.speech, voxslice.recordings.table\n"
        "load_silero(); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
    locked = (ROOT / "envs/requirements.lock").read_text(encoding="utf-8")
    assert not any(line.startswith("torch==") for line in locked.splitlines())
