"""Small real inputs for tests of any kind: a model that audonnx loads, and audio."""

from pathlib import Path

import audonnx
import numpy as np
import onnx
import soundfile
from onnx import TensorProto, helper, numpy_helper
from voxslice.fetching import fetch_audb

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


def fetch(folder: Path, repository: dict[str, str], **changes: object) -> None:
    """Fetch the database `voices` of a repository into a folder."""
    settings = {
        "name": "voices",
        "version": "1.0.0",
        "repositories": [repository],
        "sampling_rate": 16000,
        "format": "wav",
        "cache": folder.parent / "partial",
        "num_workers": 2,
    }
    fetch_audb(folder, **(settings | changes))
