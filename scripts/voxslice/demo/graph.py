"""ONNX graphs of the practice models, from the signal by log-mel statistics to small networks.

The front end is part of the graph. A model therefore needs only samples, and training uses exactly
the features of inference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import librosa
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from voxslice.demo.speech import SAMPLING_RATE

WINDOW = 512  # samples, 32 ms
HOP = 160  # samples, 10 ms
FLOOR = 1e-6  # mel power that counts as silence; full scale is 1
INPUT = "signal"

_STATISTICS = 3  # features per mel band

# Fixed versions: older runtimes can read the files, and the bytes stay the same with a newer onnx.
_OPSET = 17
_IR_VERSION = 8


@dataclass(frozen=True)
class Layer:
    """Affine layer `x @ weights + bias` with weights of shape (inputs, outputs)."""

    weights: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Network:
    """Multilayer perceptron with rectified hidden layers and an affine last one.

    Attributes:
        mean: Mean of the features in training, shape (features,).
        scale: Standard deviation of the features in training, shape (features,).
        layers: At least one hidden layer and the last one.
        unit: Whether the outputs are cut to 0..1.
    """

    mean: np.ndarray
    scale: np.ndarray
    layers: Sequence[Layer]
    unit: bool = False


class _Graph:
    """Collect nodes and constants under unique names."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, values: np.ndarray | Sequence[int]) -> str:
        array = np.asarray(values)
        array = array.astype(np.int64 if array.dtype.kind == "i" else np.float32)
        name = f"constant_{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(array, name))
        return name

    def add(self, operator: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        name = name or f"{operator.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, list(inputs), [name], name, **attributes))
        return name

    def model(self, outputs: dict[str, int]) -> onnx.ModelProto:
        values = {name: [1, size] for name, size in outputs.items()}
        graph = helper.make_graph(
            self.nodes,
            "practice",
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, [1, "time"])],
            [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in values.items()],
            self.constants,
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
            producer_name="voxslice",
        )
        onnx.checker.check_model(model, full_check=True)
        return model


def front_end(mels: int) -> onnx.ModelProto:
    """Build the front end alone.

    Args:
        mels: Number of mel bands.

    Returns:
        Model from `signal` (1, time) to `features` (1, 3 * mels): for each band the mean, the
        standard deviation and the mean absolute change from frame to frame of the log mel power.
        Frames are centred, so that any signal has at least one.
    """
    graph = _Graph()
    _add_front_end(graph, mels, "features")
    return graph.model({"features": _STATISTICS * mels})


def assemble(networks: dict[str, Network]) -> onnx.ModelProto:
    """Build a whole model.

    Args:
        networks: Name of the output of each network; all take the same features.

    Returns:
        Model from `signal` (1, time) to `hidden_states` (the last hidden layers of the networks,
        one after the other) and the outputs of the networks.
    """
    graph = _Graph()
    mels = next(iter(networks.values())).mean.size // _STATISTICS
    features = _add_front_end(graph, mels, "features")
    hidden, sizes = [], {"hidden_states": 0}
    for output, network in networks.items():
        values = graph.add("Sub", features, graph.constant(network.mean))
        values = graph.add("Div", values, graph.constant(network.scale))
        *inner, last = network.layers
        for layer in inner:
            values = graph.add("Relu", _add_layer(graph, values, layer))
        hidden.append(values)
        sizes["hidden_states"] += inner[-1].bias.size
        if network.unit:
            bounds = graph.constant(np.array(0.0)), graph.constant(np.array(1.0))
            graph.add("Clip", _add_layer(graph, values, last), *bounds, name=output)
        else:
            _add_layer(graph, values, last, output)
        sizes[output] = last.bias.size
    graph.add("Concat", *hidden, name="hidden_states", axis=1)
    return graph.model(sizes)


def compute(model: onnx.ModelProto, signals: Iterable[np.ndarray]) -> np.ndarray:
    """Run a model with one output on signals.

    Args:
        model: For example `front_end(40)`.
        signals: Mono signals of shape (samples,).

    Returns:
        float32 array of shape (signals, outputs).
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # sums in a fixed order
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return np.concatenate([session.run(None, {INPUT: x[np.newaxis]})[0] for x in signals])


def _add_layer(graph: _Graph, values: str, layer: Layer, name: str = "") -> str:
    return graph.add(
        "Gemm", values, graph.constant(layer.weights), graph.constant(layer.bias), name=name
    )


def _add_front_end(graph: _Graph, mels: int, name: str) -> str:
    half = WINDOW // 2
    signal = graph.add("Unsqueeze", INPUT, graph.constant([1]))
    signal = graph.add("Pad", signal, graph.constant([0, 0, half, 0, 0, half]))
    spectrum = graph.add("Conv", signal, graph.constant(_dft()), strides=[HOP])
    power = graph.add("Mul", spectrum, spectrum)
    # Real and imaginary parts have the same mel weights, so one product sums both in each band.
    filters = librosa.filters.mel(sr=SAMPLING_RATE, n_fft=WINDOW, n_mels=mels)
    mel = graph.add("MatMul", graph.constant(np.hstack([filters, filters])), power)
    log = graph.add("Log", graph.add("Add", mel, graph.constant(np.array(FLOOR))))

    mean = graph.add("ReduceMean", log, axes=[2], keepdims=1)
    deviation = graph.add("Sub", log, mean)
    variance = graph.add("Mul", deviation, deviation)
    spread = graph.add("Sqrt", graph.add("ReduceMean", variance, axes=[2], keepdims=1))
    # The first frame is repeated, so that a single frame has a change of zero.
    start, end, axis = (graph.constant([number]) for number in (0, -1, 2))
    first = graph.add("Slice", log, start, graph.constant([1]), axis)
    before = graph.add("Concat", first, graph.add("Slice", log, start, end, axis), axis=2)
    change = graph.add("Abs", graph.add("Sub", log, before))
    change = graph.add("ReduceMean", change, axes=[2], keepdims=1)

    features = graph.add("Concat", mean, spread, change, axis=1)
    return graph.add("Squeeze", features, graph.constant([2]), name=name)


def _dft() -> np.ndarray:
    """Compute the windowed Fourier basis, shape (2 * (WINDOW / 2 + 1), 1, WINDOW).

    The basis is divided by the sum of the window: a sine of amplitude 1 has power 1/4 in its bin.
    """
    window = np.hanning(WINDOW + 1)[:-1]
    window /= window.sum()
    angle = 2 * np.pi * np.outer(np.arange(WINDOW // 2 + 1), np.arange(WINDOW)) / WINDOW
    return (np.vstack([np.cos(angle), -np.sin(angle)]) * window)[:, np.newaxis]
