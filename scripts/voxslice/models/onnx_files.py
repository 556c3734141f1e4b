"""ONNX files: what is asked of one before it is run, and what it says of itself."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx.external_data_helper import uses_external_data

from voxslice.errors import InputError

RATE_KEYS = ("sampling_rate", "sample_rate")
"""Keys under which exporters leave the sampling rate in the metadata of a file."""

SAME_VALUES = {"Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten"}
"""Operations that change the type or the shape of their first input, but not its values."""


def read_onnx(path: str | Path, origin: str) -> onnx.ModelProto:
    """Read an ONNX file without following what it points to.

    Args:
        path: the file
        origin: URL or path that the model came from, for messages

    Raises:
        InputError: where the file is no ONNX file, or keeps its weights in other files: those could
            be any file of this machine
    """
    try:
        model = onnx.load(str(path), format="protobuf", load_external_data=False)
    except Exception as error:  # protobuf raises kinds of its own
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"The model from {origin} is not a readable ONNX file ({reason}): export it again."
        ) from error
    if any(uses_external_data(tensor) for tensor in _tensors(model)):
        raise InputError(
            f"The model from {origin} keeps its weights in other files: save it as one ONNX file"
            " (onnx.load and onnx.save do so)."
        )
    return model


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """All tensors that a file stores, in graphs within graphs and functions, too."""
    graphs = [model.graph]
    nodes = [node for function in model.functions for node in function.node]
    while graphs or nodes:
        while graphs:
            graph = graphs.pop()
            nodes += graph.node
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield from (sparse.values, sparse.indices)
        for attribute in [attribute for node in nodes for attribute in node.attribute]:
            graphs += [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]
            yield from [*([attribute.t] if attribute.HasField("t") else []), *attribute.tensors]
            sparse = [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []
            for one in [*sparse, *attribute.sparse_tensors]:
                yield from (one.values, one.indices)
        nodes = []


def count_parameters(model: onnx.ModelProto) -> int:
    """Number of elements in the float tensors that a model stores."""
    real = {onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE}
    return sum(int(np.prod(t.dims)) for t in model.graph.initializer if t.data_type in real)


def declared_rate(model: onnx.ModelProto) -> str | None:
    """Sampling rate in Hz that a file's metadata names, as it stands there; None for none."""
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    return next((metadata[key] for key in RATE_KEYS if key in metadata), None)


def activations(model: onnx.ModelProto) -> dict[str, str]:
    """Outputs that a softmax or sigmoid computes.

    Operations that change the type or the shape alone may follow it.

    Args:
        model: as `read_onnx` gives it

    Returns:
        `softmax` or `sigmoid` by name of the output, for outputs that are one of them
    """
    producers = {name: node for node in model.graph.node for name in node.output}
    opset = next((entry.version for entry in model.opset_import if not entry.domain), 0)
    found = {}
    for output in model.graph.output:
        node = producers.get(output.name)
        for _ in model.graph.node:  # a graph may be broken and run in a circle
            if node is not None and node.op_type in SAME_VALUES and node.input:
                node = producers.get(node.input[0])
        if node is None or node.domain not in ("", "ai.onnx"):
            continue
        if node.op_type == "Sigmoid":
            found[output.name] = "sigmoid"
        elif node.op_type == "Softmax":
            axes = [attribute.i for attribute in node.attribute if attribute.name == "axis"]
            axis = axes[0] if axes else (-1 if opset >= 13 else 1)
            if axis in (-1, len(output.type.tensor_type.shape.dim) - 1):
                found[output.name] = "softmax"
    return found


def take_one_at_a_time(model: onnx.ModelProto) -> bool:
    """Set a batch of any size to one, as audonnx runs a model.

    Args:
        model: changed in place where its one input has a shape such as (batch, time)

    Returns:
        whether it was changed
    """
    stored = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in stored]
    dimensions = inputs[0].type.tensor_type.shape.dim if len(inputs) == 1 else []
    if len(dimensions) < 2 or dimensions[0].HasField("dim_value"):
        return False
    dimensions[0].dim_value = 1  # the name of the dimension goes with it
    return True
