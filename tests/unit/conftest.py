"""Small real inputs: a model that audonnx loads, audio, a database that audb publishes."""

from pathlib import Path

import audb
import audbackend
import audformat
import audonnx
import numpy as np
import onnx
import pandas as pd
import pytest
import soundfile
from onnx import TensorProto, helper, numpy_helper

RATE = 16000


def write_model(folder: Path, *, labels: dict[str, list[str]] | None = None) -> Path:
    """Write a model that averages the signal and its square; it answers to what it hears."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    stored = {
        "w_hidden": generator.normal(size=(2, 4)).astype(np.float32),
        "w_age": generator.normal(size=(4, 1)).astype(np.float32),
        "w_gender": 50 * generator.normal(size=(4, 3)).astype(np.float32),
        "axes": np.array([1], dtype=np.int64),
    }
    nodes = [
        helper.make_node("Mul", ["signal", "signal"], ["square"]),
        helper.make_node("ReduceMean", ["signal", "axes"], ["mean"], keepdims=1),
        helper.make_node("ReduceMean", ["square", "axes"], ["power"], keepdims=1),
        helper.make_node("Concat", ["mean", "power"], ["pooled"], axis=1),
        helper.make_node("MatMul", ["pooled", "w_hidden"], ["hidden_states"]),
        helper.make_node("MatMul", ["hidden_states", "w_age"], ["logits_age"]),
        helper.make_node("MatMul", ["hidden_states", "w_gender"], ["logits_gender"]),
    ]
    widths = {"hidden_states": 4, "logits_age": 1, "logits_gender": 3}
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("signal", TensorProto.FLOAT, [1, "time"])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, width])
            for name, width in widths.items()
        ],
        [numpy_helper.from_array(value, name) for name, value in stored.items()],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(proto, str(folder / "model.onnx"))
    labels = labels or {"logits_age": ["age"], "logits_gender": ["female", "male", "child"]}
    audonnx.Model(str(folder / "model.onnx"), labels=labels).to_yaml(str(folder / "model.yaml"))
    return folder


def noise(seconds: float, *, rate: int = RATE, seed: int = 0, channels: int = 1) -> np.ndarray:
    """Noise of shape (samples,) or (samples, channels)."""
    shape = (round(seconds * rate), channels)
    signal = np.random.default_rng(seed).uniform(-0.5, 0.5, shape).astype(np.float32)
    return signal[:, 0] if channels == 1 else signal


def write_audio(path: Path, signal: np.ndarray, *, rate: int = RATE, **settings: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(str(path), signal, rate, **settings)
    return path


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A repository that holds the database `voices` in version 1.0.0, stereo at 22050 Hz."""
    host = tmp_path_factory.mktemp("host")
    build = tmp_path_factory.mktemp("build")
    files = [f"audio/{name}.wav" for name in "dacb"]
    lengths = [1.0, 2.0, 1.5, 0.5]
    for number, (file, seconds) in enumerate(zip(files, lengths, strict=True)):
        write_audio(build / file, noise(seconds, rate=22050, seed=number, channels=2), rate=22050)
    db = audformat.Database("voices", license="CC0-1.0")
    speakers = pd.Index(["s1", "s2", "s3"], name="speaker", dtype="string")
    db["speaker"] = audformat.MiscTable(speakers)
    db.schemes["age"] = audformat.Scheme("int")
    db.schemes["gender"] = audformat.Scheme(labels=["male", "female"])
    db["speaker"]["age"] = audformat.Column(scheme_id="age")
    db["speaker"]["age"].set([31, 52, None])
    db["speaker"]["gender"] = audformat.Column(scheme_id="gender")
    db["speaker"]["gender"].set(["male", "female", None])
    db.schemes["speaker"] = audformat.Scheme(labels="speaker", dtype="str")
    db.schemes["emotion"] = audformat.Scheme(labels=["neutral", "anger", "fear"])
    db["files"] = audformat.Table(audformat.filewise_index(files))
    db["files"]["speaker"] = audformat.Column(scheme_id="speaker")
    db["files"]["speaker"].set(["s1", "s2", "s3", None])
    db["partial"] = audformat.Table(audformat.filewise_index(files[:3]))
    db["partial"]["emotion"] = audformat.Column(scheme_id="emotion")
    db["partial"]["emotion"].set(["fear", "neutral", None])
    db.schemes["clean"] = audformat.Scheme("bool")
    db["partial"]["clean"] = audformat.Column(scheme_id="clean")
    db["partial"]["clean"].set([True, False, None])
    db.schemes["score"] = audformat.Scheme("float")
    parts = audformat.segmented_index(
        [files[1], files[0], files[1]], ["0.5s", "0s", "0s"], ["1.25s", "0.4s", None]
    )
    db["parts"] = audformat.Table(parts)
    db["parts"]["score"] = audformat.Column(scheme_id="score")
    db["parts"]["score"].set([0.5, None, 1.5])
    db["empty"] = audformat.Table(audformat.filewise_index())
    db.save(str(build))
    place = audb.Repository("local", str(host), "file-system")
    audbackend.backend.FileSystem.create(str(host), "local")
    audb.config.REPOSITORIES = [place]  # else publishing asks the public ones for older versions
    audb.publish(str(build), "1.0.0", place, num_workers=1, verbose=False)
    return {"name": "local", "host": str(host), "backend": "file-system"}
