"""Speech is found in recordings that are read block by block."""

import subprocess
import sys
import tracemalloc
from functools import partial

import numpy as np
import pandas as pd
import pytest
import soundfile
from calls import call
from known_sounds import hiss, voice
from project import ROOT
from small_inputs import write_audio
from voxslice.data.audio import stream_audio
from voxslice.errors import InputError
from voxslice.recordings import frames, silero_vad
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


def pink(samples):
    """Pink noise with a standard deviation of 1."""
    spectrum = np.fft.rfft(np.random.default_rng(0).standard_normal(samples))
    noise = np.fft.irfft(spectrum / np.sqrt(np.maximum(np.arange(len(spectrum)), 1)), samples)
    return noise / noise.std()


@pytest.mark.slow
@pytest.mark.parametrize("noise", [None, 10], ids=["quiet", "noise"])
def test_utterances_are_covered_in_one_piece_and_not_mixed(tmp_path, noise):
    pauses = np.random.default_rng(0).uniform(1.2, 3, 40)
    signal, times = call(pauses)
    if noise is not None:
        spoken = np.concatenate([signal[round(a * RATE) : round(b * RATE)] for a, b in times])
        signal = signal + spoken.std() * 10 ** (-noise / 20) * pink(len(signal))
    (row,) = detected(tmp_path, {"call": (0.5 * signal).astype(np.float32)}).itertuples()
    for join in (0.3, 1.0):
        found = speech_segments(row.probabilities, row.levels, Lengths(3, 10, join))
        starts, ends = np.array(found).T
        inside = np.minimum(ends, times[:, 1:]) - np.maximum(starts, times[:, :1])
        seconds = inside.clip(0)  # of each utterance in each segment
        covered = seconds.sum(axis=1) >= 0.5 * (times[:, 1] - times[:, 0])
        whole = covered & (seconds.max(axis=1) >= 0.9 * seconds.sum(axis=1))
        assert covered.mean() >= 0.95 and whole.mean() >= 0.85
        assert ((seconds > 0.2).sum(axis=0) > 1).mean() <= 0.03


@pytest.mark.slow
def test_neither_noise_nor_music_nor_silence_is_speech(tmp_path):
    seconds = 60
    chords = sum(voice(frequency, seconds) for frequency in (220, 277, 330))
    fading = np.exp(-2 * (np.arange(seconds * RATE) % RATE) / RATE)
    sounds = {
        "white noise": 0.1 * hiss(seconds),
        "pink noise": 0.1 * pink(seconds * RATE),
        "chords": chords,
        "plucked chords": chords * fading,
        "silence": np.zeros(seconds * RATE),
    }
    for row in detected(tmp_path, sounds).itertuples():
        assert speech_parts(row.probabilities) == [], row.file


def test_blocks_of_any_length_give_the_same_probabilities(one_call):
    signal = one_call[0]
    blocks = signal[: len(signal) // FRAME * FRAME].reshape(-1, FRAME)
    whole = SpeechDetector(load_silero())(blocks)
    detector = SpeechDetector(load_silero())
    pieces = np.concatenate([detector(part) for part in np.array_split(blocks, [1, 7, 200])])
    assert pieces == pytest.approx(whole, abs=1e-6)


@pytest.mark.parametrize("rate", [8000, 44100])
def test_other_sampling_rates_are_resampled_in_blocks(tmp_path, monkeypatch, one_call, rate):
    import audresample

    monkeypatch.setattr(frames, "stream_audio", partial(stream_audio, seconds=1.0))
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
def test_a_long_recording_is_not_held_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(frames, "stream_audio", partial(stream_audio, seconds=2.0))
    seconds = 120
    with soundfile.SoundFile(tmp_path / "long.wav", "w", RATE, 1) as file:
        for _ in range(seconds // 10):
            file.write(0.1 * hiss(10))
    recordings = pd.DataFrame({"file": ["long.wav"], "start": [0.0], "end": [float(seconds)]})
    tracemalloc.start()
    (row,) = detect_speech(recordings, tmp_path, threads=1).itertuples()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(row.probabilities) == pytest.approx(seconds / FRAME_SECONDS, abs=1)
    assert peak < 0.25 * seconds * RATE * 4  # bytes of the samples


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
