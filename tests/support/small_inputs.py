"""Small real inputs for all kinds of tests: a model that audonnx loads, and audio."""

from pathlib import Path

import audb
import audbackend
import audformat
import audonnx
import numpy as np
import onnx
import soundfile
from onnx import TensorProto, helper, numpy_helper
from voxslice.data.audb_download import fetch_audb

RATE = 16000


LABELS = {"logits_age": ["age"], "logits_gender": ["female", "male", "child"]}
"""Labels of the outputs of a model that tests write."""


def write_model(
    folder: Path,
    *,
    labels: dict[str, list[str]] = LABELS,
    activations: dict[str, str] | None = None,
) -> Path:
    """Write a model that averages the signal and its square; its outputs depend on the signal.

    Args:
        folder: receives model.onnx and model.yaml
        labels: of the outputs beside `hidden_states`, by name
        activations: last operation of an output (`Softmax`, `Sigmoid`), by name
    """
    folder.mkdir(parents=True, exist_ok=True)
    generator = np.random.default_rng(0)
    hidden = generator.normal(size=(2, 4)).astype(np.float32)
    stored = {"axes": np.array([1], dtype=np.int64), "w_hidden": hidden}
    nodes = [
        helper.make_node("Mul", ["signal", "signal"], ["square"]),
        helper.make_node("ReduceMean", ["signal", "axes"], ["mean"], keepdims=1),
        helper.make_node("ReduceMean", ["square", "axes"], ["power"], keepdims=1),
        helper.make_node("Concat", ["mean", "power"], ["pooled"], axis=1),
        helper.make_node("MatMul", ["pooled", "w_hidden"], ["hidden_states"]),
    ]
    for output, names in labels.items():
        weights = generator.normal(size=(4, len(names))).astype(np.float32)
        stored[f"w_{output}"] = weights if len(names) == 1 else 50 * weights
        last = (activations or {}).get(output)
        product = f"{output}_product" if last else output
        nodes.append(helper.make_node("MatMul", ["hidden_states", f"w_{output}"], [product]))
        if last:
            nodes.append(helper.make_node(last, [product], [output]))
    widths = {"hidden_states": 4} | {output: len(names) for output, names in labels.items()}
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
    audonnx.Model(str(folder / "model.onnx"), labels=labels).to_yaml(str(folder / "model.yaml"))
    return folder


def add_frames(path: Path, name: str = "last_hidden_state") -> None:
    """Add an output to an ONNX file: one value per sample, as the hidden states of all frames."""
    proto = onnx.load(str(path))
    proto.graph.node.append(helper.make_node("Identity", ["signal"], [name]))
    value = helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "frames"])
    proto.graph.output.append(value)
    onnx.save(proto, str(path))


def add_text(path: Path, name: str = "label") -> None:
    """Add an output of text to an ONNX file: the name of the largest class of `logits_gender`."""
    proto = onnx.load(str(path))
    names = np.array(LABELS["logits_gender"], dtype=object)
    proto.graph.initializer.append(numpy_helper.from_array(names, "names"))
    proto.graph.node.extend(
        [
            helper.make_node("ArgMax", ["logits_gender"], ["best"], axis=1, keepdims=0),
            helper.make_node("Gather", ["names", "best"], [name]),
        ]
    )
    proto.graph.output.append(helper.make_tensor_value_info(name, TensorProto.STRING, [1]))
    onnx.save(proto, str(path))


def noise(seconds: float, *, rate: int = RATE, seed: int = 0, channels: int = 1) -> np.ndarray:
    """Noise of shape (samples,) or (samples, channels)."""
    shape = (round(seconds * rate), channels)
    signal = np.random.default_rng(seed).uniform(-0.5, 0.5, shape).astype(np.float32)
    return signal[:, 0] if channels == 1 else signal


def write_audio(path: Path, signal: np.ndarray, *, rate: int = RATE, **settings: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(str(path), signal, rate, **settings)
    return path


def publish(db: audformat.Database, build: Path, host: Path, name: str = "local") -> dict[str, str]:
    """Publish a database, whose audio is in a folder, in a new repository, as version 1.0.0."""
    db.save(str(build))
    host.mkdir(exist_ok=True)
    audbackend.backend.FileSystem.create(str(host), name)
    place = audb.Repository(name, str(host), "file-system")
    before = audb.config.REPOSITORIES
    audb.config.REPOSITORIES = [place]  # else the public ones are asked for older versions
    try:
        audb.publish(str(build), "1.0.0", place, num_workers=1, verbose=False)
    finally:
        audb.config.REPOSITORIES = before
    return {"name": name, "host": str(host), "backend": "file-system"}


def fetch(folder: Path, repository: dict[str, str], **changes: object) -> None:
    """Fetch the database `voices` of a repository into a folder."""
    settings = {
        "name": "voices",
        "version": "1.0.0",
        "repositories": [repository],
        "sampling_rate": 16000,
        "format": "wav",
        "table": "files",
        "filters": {},
        "cache": folder.parent / "partial",
        "num_workers": 2,
    }
    fetch_audb(folder, **(settings | changes))
