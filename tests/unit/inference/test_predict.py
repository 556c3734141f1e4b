"""Predictions equal those of audonnx, and each failure has a reason."""

import errno
import threading
import time

import audiofile
import audonnx
import numpy as np
import onnx
import pandas as pd
import pyarrow.parquet as pq
import pytest
import soundfile
from onnx import TensorProto, helper, numpy_helper
from small_inputs import RATE, add_frames, add_text, noise, write_audio, write_model
from voxslice.errors import MachineError
from voxslice.files import read_embeddings, read_predictions
from voxslice.inference.failures import gather_failures
from voxslice.inference.predict import predict
from voxslice.models.sessions import run as run_model
from voxslice.utterance_keys import KEY
from voxslice.workload import room_mb, utterance_mb

CLASSES = ["female", "male", "child"]


def utterances(folder, files, start=0.0, end=None):
    """One row per file. An unreadable file has the duration 0, as in a list of utterances."""
    rows = []
    for file in files:
        try:
            length = audiofile.duration(str(folder / file))
        except Exception:
            length = 0.0
        rows.append({"file": file, "start": start, "end": length if end is None else end})
    return pd.DataFrame(rows)


def run(folder, model, rows, out, threads=1, **changes):
    settings = {
        "embedding_output": "hidden_states",
        "sampling_rate": RATE,
        "device": "cpu",
    } | changes
    predict(
        rows,
        audio=folder,
        model=model,
        threads=threads,
        predictions=out / "0.parquet",
        failures=out / "0.csv",
        silence=out / "silence.csv",
        **settings,
    )
    paths = [str(out / "0.parquet")]
    return read_predictions(paths), pd.read_csv(out / "0.csv", dtype={"file": str})


@pytest.fixture
def audio(tmp_path):
    folder = tmp_path / "audio"
    for number in range(7):
        write_audio(folder / f"{number}.wav", noise(0.1 + 0.05 * number, seed=number))
    return folder


def test_an_utterance_that_is_too_long_is_listed_and_not_read(model_folder, audio, tmp_path):
    rows = utterances(audio, ["0.wav", "1.wav", "0.wav"])
    rows.loc[2, "file"], rows.loc[2, "end"] = "missing.wav", 3600.0
    rows.loc[1, "start"] = rows.loc[1, "end"] - 0.1
    scored, failed = run(audio, model_folder, rows, tmp_path, longest=0.1)
    assert scored["file"].to_list() == ["0.wav", "1.wav"]  # not longer, and a short part of it
    assert failed[["file", "end", "reason"]].to_numpy().tolist() == [
        [
            "missing.wav",
            3600,
            "it lasts 3600 s, more than longest_seconds (0.1 s): give the start and end of its"
            " utterances",
        ]
    ]


def plain(model, path, start=None, stop=None):
    """Predictions of audonnx for samples of a mono file at the sampling rate of the model."""
    signal, rate = soundfile.read(str(path), dtype="float32", start=start or 0, stop=stop)
    assert rate == RATE
    return audonnx.load(str(model))(signal.reshape(1, -1), RATE)


def test_predictions_equal_those_of_audonnx(audio, model_folder, tmp_path):
    files = [f"{number}.wav" for number in range(7)]
    found, failures = run(audio, model_folder, utterances(audio, files), tmp_path)
    assert len(failures) == 0
    keys, embeddings = read_embeddings([str(tmp_path / "0.parquet")])
    assert list(found) == [*KEY, "age", *CLASSES]
    assert found["file"].to_list() == files == keys["file"].to_list()
    expected = [plain(model_folder, audio / file) for file in files]
    gender = np.concatenate([row["logits_gender"] for row in expected])
    np.testing.assert_allclose(found[CLASSES], gender, rtol=0, atol=1e-6)
    np.testing.assert_allclose(found["age"], [row["logits_age"][0, 0] for row in expected], 0, 1e-6)
    hidden = np.concatenate([row["hidden_states"] for row in expected])
    np.testing.assert_allclose(embeddings, hidden, rtol=0, atol=1e-6)
    assert len(np.unique(gender[:, 0])) == 7


@pytest.mark.parametrize("batch", [1, 3, 7, 1024])
def test_threads_and_batches_do_not_change_the_values(
    audio, model_folder, tmp_path, monkeypatch, batch
):
    (audio / "3.wav").write_bytes(b"broken")
    rows = utterances(audio, [f"{number}.wav" for number in range(7)])
    run(audio, model_folder, rows, tmp_path / "one")
    run(audio, model_folder, rows, tmp_path / "four", threads=4)
    one, four = (tmp_path / name / "0.parquet" for name in ("one", "four"))
    assert one.read_bytes() == four.read_bytes()
    assert (tmp_path / "one/0.csv").read_bytes() == (tmp_path / "four/0.csv").read_bytes()
    monkeypatch.setattr("voxslice.inference.predict.BATCH", batch)
    run(audio, model_folder, rows, tmp_path / "batches", threads=2)
    assert pq.read_table(tmp_path / "batches/0.parquet").equals(pq.read_table(one))
    assert (tmp_path / "batches/0.csv").read_bytes() == (tmp_path / "one/0.csv").read_bytes()


def test_a_batch_without_a_good_file(audio, model_folder, tmp_path, monkeypatch):
    monkeypatch.setattr("voxslice.inference.predict.BATCH", 2)
    for number in (2, 3):
        (audio / f"{number}.wav").write_bytes(b"")
    rows = utterances(audio, [f"{number}.wav" for number in range(7)])
    found, failures = run(audio, model_folder, rows, tmp_path)
    assert found["file"].to_list() == ["0.wav", "1.wav", "4.wav", "5.wav", "6.wav"]
    assert failures["file"].to_list() == ["2.wav", "3.wav"]


def test_nothing_to_score(audio, model_folder, tmp_path):
    rows = utterances(audio, ["0.wav"])
    found, failures = run(audio, model_folder, rows.iloc[:0], tmp_path / "none")
    assert len(found) == len(failures) == 0
    assert list(found) == [*KEY, "age", *CLASSES]
    assert list(failures) == [*KEY, "reason"]
    (audio / "0.wav").unlink()
    found, failures = run(audio, model_folder, rows, tmp_path / "bad")
    assert len(found) == 0
    assert failures["reason"].to_list() == ["the file does not exist"]


def test_a_model_without_an_embedding(audio, model_folder, tmp_path):
    rows = utterances(audio, ["0.wav"])
    found, _ = run(audio, model_folder, rows, tmp_path, embedding_output="other")
    assert "embedding" not in pq.read_schema(tmp_path / "0.parquet").names
    hidden = plain(model_folder, audio / "0.wav")["hidden_states"][0]
    names = [f"hidden_states-{i}" for i in range(4)]
    np.testing.assert_allclose(found[names].to_numpy()[0], hidden, atol=1e-6)


def with_extra_outputs(folder):
    """A model that also outputs hidden states of all frames and its prediction as text."""
    write_model(folder)
    add_frames(folder / "model.onnx")
    add_text(folder / "model.onnx")
    return folder


@pytest.mark.parametrize(
    ("outputs", "embedding", "columns"),
    [
        (["logits_gender"], None, CLASSES),
        (["logits_age"], "hidden_states", ["age"]),
        (["logits_gender", "logits_age"], None, [*CLASSES, "age"]),
        ([], "hidden_states", []),
        (["hidden_states"], "hidden_states", [f"hidden_states-{i}" for i in range(4)]),
    ],
)
def test_only_the_outputs_that_are_read_are_computed(
    audio, model_folder, tmp_path, outputs, embedding, columns
):
    rows = utterances(audio, ["0.wav", "1.wav"])
    every, _ = run(audio, model_folder, rows, tmp_path / "all", embedding_output=None)
    model = with_extra_outputs(tmp_path / "model")
    settings = {"outputs": outputs, "embedding_output": embedding}
    found, failures = run(audio, model, rows, tmp_path / "some", **settings)
    assert list(found) == [*KEY, *columns] and len(failures) == 0
    pd.testing.assert_frame_equal(found[columns], every[columns], check_exact=True)
    names = pq.read_schema(tmp_path / "some/0.parquet").names
    assert ("embedding" in names) == (embedding is not None)


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("last_hidden_state", "the output last_hidden_state is not one vector per utterance"),
        ("label", "the output label holds text or other values that are not numbers"),
    ],
)
def test_an_output_that_is_no_vector_fails_each_utterance_that_reads_it(
    audio, tmp_path, output, reason
):
    model, rows = with_extra_outputs(tmp_path / "model"), utterances(audio, ["0.wav", "1.wav"])
    found, failures = run(audio, model, rows, tmp_path / "out", outputs=[output])
    assert len(found) == 0
    assert failures["reason"].str.startswith(reason).all() and len(failures) == 2


def test_segments_are_cut(audio, model_folder, tmp_path):
    signal = np.concatenate([np.full(8000, value) for value in (0.1, 0.2, 0.3)])
    write_audio(audio / "steps.wav", signal.astype(np.float32), subtype="FLOAT")
    starts, ends = [0.0, 0.5, 1.0, 0.25], [0.5, 1.0, 1.5, 1.2]
    rows = pd.DataFrame({"file": "steps.wav", "start": starts, "end": ends})
    found, _ = run(audio, model_folder, rows, tmp_path)
    for row in found.to_dict(orient="records"):
        samples = [round(row[name] * RATE) for name in ("start", "end")]
        expected = plain(model_folder, audio / "steps.wav", *samples)["logits_gender"][0]
        np.testing.assert_allclose([row[name] for name in CLASSES], expected, atol=1e-6)
    assert found["female"].nunique() == 4


def test_a_segment_beyond_the_file_fails(audio, model_folder, tmp_path):
    rows = pd.DataFrame({"file": "0.wav", "start": [5.0, 0.0], "end": [6.0, 0.1]})
    found, failures = run(audio, model_folder, rows, tmp_path)
    assert found["start"].to_list() == [0.0]
    assert failures["start"].to_list() == [5.0]


READABLE = {
    "stereo.wav": {"rate": RATE, "channels": 2},
    "8khz.wav": {"rate": 8000},
    "96khz.wav": {"rate": 96000},
    "24bit.wav": {"subtype": "PCM_24"},
    "float.wav": {"subtype": "FLOAT"},
    "flac.flac": {},
    "mp3.mp3": {},
    "ogg.ogg": {},
    "deep/er/name with spaces.wav": {},
    "single'quote.wav": {},
    'double"quote.wav': {},
    "comma, semicolon; $HOME `x`.wav": {},
    "Ümläut ß 声.wav": {},
    "new\nline.wav": {},
    "-leading.wav": {},
    "5ms.wav": {"seconds": 0.005},
}


@pytest.mark.parametrize("name", READABLE)
def test_readable_audio_is_scored(tmp_path, model_folder, name):
    settings = dict(READABLE[name])
    rate, seconds = settings.pop("rate", RATE), settings.pop("seconds", 0.5)
    # a tone: another rate changes the samples, but not the tone after resampling
    wave = 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * rate)) / rate)
    channels = settings.pop("channels", 1)
    signal = np.stack([wave] * channels, axis=1)
    write_audio(tmp_path / "audio" / name, signal, rate=rate, **settings)
    write_audio(tmp_path / "audio" / "plain.wav", wave_at_model_rate(seconds), subtype="FLOAT")
    rows = utterances(tmp_path / "audio", [name, "plain.wav"], end=seconds)
    found, failures = run(tmp_path / "audio", model_folder, rows, tmp_path)
    assert len(failures) == 0
    assert found["file"].to_list() == [name, "plain.wav"]
    np.testing.assert_allclose(found[CLASSES].iloc[0], found[CLASSES].iloc[1], atol=0.5)


def wave_at_model_rate(seconds):
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE)) / RATE)


def test_channels_are_averaged(tmp_path, model_folder):
    signal = noise(0.3, channels=2)
    signal[:, 1] *= -0.5
    write_audio(tmp_path / "audio/stereo.wav", signal, subtype="FLOAT")
    write_audio(tmp_path / "audio/mono.wav", signal.mean(axis=1), subtype="FLOAT")
    rows = utterances(tmp_path / "audio", ["stereo.wav", "mono.wav"])
    found, _ = run(tmp_path / "audio", model_folder, rows, tmp_path)
    np.testing.assert_allclose(found[CLASSES].iloc[0], found[CLASSES].iloc[1], atol=1e-5)


def test_broken_audio_is_listed_and_the_other_files_are_scored(audio, model_folder, tmp_path):
    good = (audio / "0.wav").read_bytes()
    broken = {
        "empty.wav": b"",
        "header.wav": good[:44],
        "half a header.wav": good[:20],
        "text.wav": b"this is no audio\n" * 20,
        "empty.mp3": b"",
        "text.mp3": b"this is no audio\n" * 20,
        "text.flac": b"this is no audio\n" * 20,
        "new\nline, 'quote' \"ümlaut\".wav": b"",
        "NA": b"",
        "123": b"",
    }
    for name, content in broken.items():
        (audio / name).write_bytes(content)
    (audio / "folder.wav").mkdir()
    signal = noise(0.2)
    signal[100] = np.nan
    write_audio(audio / "nan.wav", signal, subtype="FLOAT")
    signal[100] = np.inf
    write_audio(audio / "inf.wav", signal, subtype="FLOAT")
    bad = [*broken, "folder.wav", "nan.wav", "inf.wav", "missing.wav"]
    files = [f for number, name in enumerate(bad) for f in (name, f"{number % 7}.wav")]
    rows = utterances(audio, files)
    found, _ = run(audio, model_folder, rows, tmp_path, threads=3)
    assert found["file"].to_list() == [file for file in files if file not in bad]
    gathered = gather_failures([str(tmp_path / "0.csv")], total=len(rows), tolerated=1, model="m")
    assert gathered["file"].to_list() == bad  # odd names survive the CSV
    assert gathered["reason"].notna().all()
    assert not gathered["reason"].str.contains("\n").any()
    reasons = dict(zip(gathered["file"], gathered["reason"], strict=True))
    assert reasons["nan.wav"] == reasons["inf.wav"] == "the audio has samples that are not finite"
    assert reasons["missing.wav"] == "the file does not exist"


def test_a_truncated_file_is_scored_or_listed(audio, model_folder, tmp_path):
    for name, content in {"cut.wav": (audio / "6.wav").read_bytes()[:-2001]}.items():
        (audio / name).write_bytes(content)
    write_audio(audio / "whole.flac", noise(0.5))
    (audio / "cut.flac").write_bytes((audio / "whole.flac").read_bytes()[:-2001])
    rows = utterances(audio, ["0.wav", "cut.wav", "cut.flac", "1.wav"])
    found, failures = run(audio, model_folder, rows, tmp_path)
    assert sorted([*found["file"], *failures["file"]]) == sorted(rows["file"])
    assert {"0.wav", "1.wav"} <= set(found["file"])
    assert np.isfinite(found[CLASSES]).all(axis=None)


def test_a_model_with_a_length_limit_fails_on_long_utterances_alone(audio, tmp_path):
    signal = helper.make_tensor_value_info("signal", TensorProto.FLOAT, [1, "time"])
    level = helper.make_tensor_value_info("level", TensorProto.FLOAT, [1])
    nodes = [
        helper.make_node("Shape", ["signal"], ["length"], start=1),
        helper.make_node("Sub", ["length", "one"], ["last"]),
        helper.make_node("Gather", ["positions", "last"], ["level"]),  # a second at most
    ]
    stored = [
        numpy_helper.from_array(np.ones(1, dtype=np.int64), "one"),
        numpy_helper.from_array(np.zeros(RATE, dtype=np.float32), "positions"),
    ]
    graph = helper.make_graph(nodes, "limited", [signal], [level], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    (tmp_path / "model").mkdir()
    onnx.save(model, str(tmp_path / "model/model.onnx"))
    loaded = audonnx.Model(str(tmp_path / "model/model.onnx"), labels={"level": ["level"]})
    loaded.to_yaml(str(tmp_path / "model/model.yaml"))
    write_audio(audio / "long.flac", np.zeros(RATE + 1))
    rows = utterances(audio, ["0.wav", "long.flac", "1.wav"])
    found, failures = run(audio, tmp_path / "model", rows, tmp_path)
    assert found["file"].to_list() == ["0.wav", "1.wav"]
    assert failures["file"].to_list() == ["long.flac"]
    assert failures["reason"].str.contains("Gather").all()


def test_an_output_that_is_not_finite_is_a_failure(audio, model_folder, tmp_path):
    write_audio(audio / "loud.wav", np.full(1600, 1e30, dtype=np.float32), subtype="FLOAT")
    rows = utterances(audio, ["loud.wav", "0.wav"])
    found, failures = run(audio, model_folder, rows, tmp_path)
    assert found["file"].to_list() == ["0.wav"]
    assert failures["reason"].str.contains("is not finite").all()


def test_an_interruption_leaves_no_half_written_file(audio, model_folder, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("voxslice.inference.predict._table", interrupted)
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        run(audio, model_folder, utterances(audio, ["0.wav"]), out)
    assert not list(out.iterdir())


def test_memory_that_is_short_fails_the_job_and_no_utterance(audio, tmp_path):
    """The message of onnxruntime for a tensor that is larger than the memory of any machine."""
    signal = helper.make_tensor_value_info("signal", TensorProto.FLOAT, [1, "time"])
    level = helper.make_tensor_value_info("level", TensorProto.FLOAT, [1, 1])
    nodes = [
        helper.make_node("Expand", ["signal", "shape"], ["large"]),
        helper.make_node("ReduceMean", ["large"], ["level"], keepdims=1),
    ]
    stored = [numpy_helper.from_array(np.array([2**40, 1]), "shape")]
    graph = helper.make_graph(nodes, "large", [signal], [level], stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    (tmp_path / "model").mkdir()
    onnx.save(model, str(tmp_path / "model/model.onnx"))
    loaded = audonnx.Model(str(tmp_path / "model/model.onnx"), labels={"level": ["level"]})
    loaded.to_yaml(str(tmp_path / "model/model.yaml"))
    with pytest.raises(MachineError, match=r"^An utterance of 0\.1 s .*because of the machine"):
        run(audio, tmp_path / "model", utterances(audio, ["0.wav"]), tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


def test_a_file_system_that_fails_fails_the_job(audio, model_folder, tmp_path, monkeypatch):
    def failing(*_, **__):
        raise OSError(errno.EIO, "Input/output error")

    rows = utterances(audio, ["0.wav"])
    monkeypatch.setattr(soundfile.SoundFile, "read", failing)
    with pytest.raises(MachineError, match=r"^0\.wav could not be processed.*Input/output error"):
        run(audio, model_folder, rows, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("mounted", [True, False])
def test_a_folder_without_any_audio_fails_the_job(audio, model_folder, tmp_path, mounted):
    rows = utterances(audio, ["0.wav"])
    audio.rename(tmp_path / "elsewhere")
    if mounted:
        audio.mkdir()
    with pytest.raises(MachineError, match=r"The folder of audio .* is gone or empty"):
        run(audio, model_folder, rows, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


class Watched:
    """Run a model, and record the estimated memory of the utterances that are computed together."""

    def __init__(self):
        self.lock, self.taken, self.most, self.together = threading.Lock(), 0, 0, 0

    def __call__(self, model, signal, *settings, **named):
        amount = utterance_mb(signal.shape[1] / RATE)
        with self.lock:
            self.taken += amount
            self.most = max(self.most, self.taken)
            self.together += self.taken > amount
        time.sleep(0.01)
        try:
            return run_model(model, signal, *settings, **named)
        finally:
            with self.lock:
                self.taken -= amount


@pytest.mark.slow
def test_long_utterances_take_turns(model_folder, tmp_path, monkeypatch):
    seconds = [100, 80, 100, 90, 1, 2, 3, 1, 2]
    for number, length in enumerate(seconds):
        write_audio(tmp_path / f"audio/{number}.flac", noise(length, rate=1000), rate=1000)
    rows = utterances(tmp_path / "audio", [f"{number}.flac" for number in range(len(seconds))])
    written = set()
    for threads in (1, 4):
        watched = Watched()
        monkeypatch.setattr("voxslice.inference.predict.run", watched)
        run(tmp_path / "audio", model_folder, rows, tmp_path, threads=threads, longest=120)
        assert watched.most <= room_mb(100, threads=threads)
        assert (watched.together > 0) == (threads == 4)
        written.add((tmp_path / "0.parquet").read_bytes())
    assert len(written) == 1


def test_silent_utterances_are_scored_and_listed(tmp_path, model_folder):
    left = 0.3 * noise(0.5)
    for name, signal in {
        "fine.wav": np.stack([left, left], 1),
        "swapped.wav": np.stack([left, -left], 1),
        "zeros.wav": np.zeros(RATE),
        "offset.flac": np.full(RATE, 0.25),
        "half.wav": np.concatenate([np.zeros(RATE // 2), left]),
    }.items():
        write_audio(tmp_path / "audio" / name, signal)
    (tmp_path / "audio/broken.wav").write_bytes(b"RIFF")
    rows = [("broken.wav", 0, 1), ("fine.wav", 0, 0.5), ("half.wav", 0, 0.5), ("half.wav", 0, 1)]
    rows += [("offset.flac", 0, 1), ("swapped.wav", 0, 0.5), ("zeros.wav", 0, 1)]
    table = pd.DataFrame(rows, columns=KEY).astype({"start": float, "end": float})
    for threads in (1, 3):
        found, failures = run(tmp_path / "audio", model_folder, table, tmp_path, threads=threads)
        assert len(found) == 6 and failures["file"].to_list() == ["broken.wav"]
        silent = pd.read_csv(tmp_path / "silence.csv")
        assert silent.to_numpy().tolist() == [
            ["half.wav", 0, 0.5, "no signal"],
            ["offset.flac", 0, 1, "no signal"],
            ["swapped.wav", 0, 0.5, "channels out of phase"],
            ["zeros.wav", 0, 1, "no signal"],
        ]


@pytest.mark.parametrize("seconds", [0.01, 0.05])
def test_an_utterance_that_is_too_short_for_the_model_names_its_length(tmp_path, seconds):
    """A convolution needs at least as many samples as its kernel has: 0.1 s."""
    kernel = np.ones((1, 1, 1600), np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Unsqueeze", ["signal", "axis"], ["channels"]),
            helper.make_node("Conv", ["channels", "kernel"], ["frames"]),
            helper.make_node("ReduceMean", ["frames", "last"], ["out"], keepdims=0),
        ],
        "short",
        [helper.make_tensor_value_info("signal", TensorProto.FLOAT, [1, "time"])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, [1, 1])],
        [
            numpy_helper.from_array(kernel, "kernel"),
            numpy_helper.from_array(np.array([1]), "axis"),
            numpy_helper.from_array(np.array([2]), "last"),
        ],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    folder = tmp_path / "model"
    folder.mkdir()
    onnx.save(proto, str(folder / "model.onnx"))
    audonnx.Model(str(folder / "model.onnx"), labels={"out": ["age"]}).to_yaml(
        str(folder / "model.yaml")
    )
    write_audio(tmp_path / "audio/a.wav", noise(1))
    rows = pd.DataFrame({"file": "a.wav", "start": 0.0, "end": [seconds, 0.5]})
    found, failures = run(tmp_path / "audio", folder, rows, tmp_path)
    assert found["end"].to_list() == [0.5]
    (reason,) = failures["reason"]
    assert reason.startswith(f"the model fails on this utterance of {seconds:g} s (")
