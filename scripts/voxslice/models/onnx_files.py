"""ONNX files: what is asked of one before it is run, and what it says of itself."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx.external_data_helper import uses_external_data

from voxslice.errors import InputError

RATE_KEYS = ("sampling_rate", "sample_rate")
"""Keys under which exporters leave the sampling rate in the metadata of a file."""


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
