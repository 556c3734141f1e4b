"""ONNX files: checks before a model is run, and information about the model in the file."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx.external_data_helper import uses_external_data

from voxslice.errors import InputError

RATE_KEYS = ("sampling_rate", "sample_rate")
"""Keys under which exporters store the sampling rate in the metadata of a file."""
MAX_NODES = 1_000_000
"""Most nodes of a model after each call of a function was replaced by the function's nodes."""
MAX_CALL_DEPTH = 100
"""Most levels of functions that call functions, and of graphs inside of nodes."""

SAME_VALUES = {"Identity", "Cast", "Reshape", "Squeeze", "Unsqueeze", "Flatten"}
"""Operations that change the type or the shape of their first input, but not its values."""


def read_onnx(path: str | Path, origin: str) -> onnx.ModelProto:
    """Read an ONNX file without reading other files that it names.

    Args:
        path: ONNX file.
        origin: URL or path that the model came from, for messages.

    Returns:
        The model.

    Raises:
        InputError: The file is not an ONNX file, has functions that expand without end, or keeps
            its weights in other files, which could be any file of this machine.
    """
    model = read_graph(path, origin)
    if external_tensors(model):
        raise InputError(
            f"The model from {origin} keeps its weights in other files: save it as one ONNX file"
            " (onnx.load and onnx.save do so)."
        )
    require_bounded_functions(model, origin)
    return model


def read_graph(path: str | Path, origin: str) -> onnx.ModelProto:
    """Read an ONNX file as it is, without weights in other files.

    Args:
        path: ONNX file.
        origin: URL or path that the model came from, for messages.

    Returns:
        The model, which is not checked yet.

    Raises:
        InputError: The file is not an ONNX file.
    """
    try:
        return onnx.load(str(path), format="protobuf", load_external_data=False)
    except Exception as error:  # protobuf raises its own types
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"The model from {origin} is not a readable ONNX file ({reason}): export it again."
        ) from error


def external_tensors(model: onnx.ModelProto) -> list[onnx.TensorProto]:
    """List the tensors of a model whose values are in other files.

    Args:
        model: Model that `read_graph` returned.

    Returns:
        The tensors.
    """
    return [tensor for tensor in _tensors(model) if uses_external_data(tensor)]


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """All tensors that a file stores, also those in nested graphs and in functions."""
    graphs = [model.graph]
    for training in model.training_info:
        graphs += [training.initialization, training.algorithm]
    attributes: list[onnx.AttributeProto] = []
    for function in model.functions:
        attributes += function.attribute_proto
        attributes += [attribute for node in function.node for attribute in node.attribute]
    while graphs or attributes:
        for graph in graphs:
            yield from graph.initializer
            for sparse in graph.sparse_initializer:
                yield from (sparse.values, sparse.indices)
            attributes += [attribute for node in graph.node for attribute in node.attribute]
        graphs = []
        for attribute in attributes:
            graphs += _graphs(attribute)
            yield from [*([attribute.t] if attribute.HasField("t") else []), *attribute.tensors]
            only = [attribute.sparse_tensor] if attribute.HasField("sparse_tensor") else []
            for sparse in [*only, *attribute.sparse_tensors]:
                yield from (sparse.values, sparse.indices)
        attributes = []


def _graphs(attribute: onnx.AttributeProto) -> list[onnx.GraphProto]:
    return [*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs]


def require_bounded_functions(model: onnx.ModelProto, origin: str) -> None:
    """Refuse functions that call functions so often that onnxruntime would never load the model.

    onnxruntime replaces each call of a function by the nodes of the function. Functions that call
    other functions twice make a file of a kilobyte grow without end.

    Args:
        model: Model that `read_graph` returned.
        origin: URL or path that the model came from, for messages.

    Raises:
        InputError: The functions expand to too many nodes, or are nested too deeply.
    """
    functions = {(function.domain, function.name): function for function in model.functions}
    sizes: dict[tuple[str, str], int] = {}

    def size(nodes: Iterable[onnx.NodeProto], depth: int) -> int:
        """Number of nodes after all calls were replaced."""
        if depth > MAX_CALL_DEPTH:
            raise InputError(
                f"The model from {origin} has functions that call each other more than"
                f" {MAX_CALL_DEPTH} levels deep: export it without functions."
            )
        total = 0
        for node in nodes:
            key = (node.domain, node.op_type)
            if key in functions and key not in sizes:
                sizes[key] = size(functions[key].node, depth + 1)
            inner = [graph for attribute in node.attribute for graph in _graphs(attribute)]
            total += sizes.get(key, 1) + sum(size(graph.node, depth + 1) for graph in inner)
            if total > MAX_NODES:
                raise InputError(
                    f"The model from {origin} has functions that expand to more than"
                    f" {MAX_NODES:,} nodes: export it without functions."
                )
        return total

    size(model.graph.node, 0)


def count_parameters(model: onnx.ModelProto) -> int:
    """Number of elements in the tensors of floats and of 8 bits that a model stores.

    Integers of more bits are shapes and indices, not parameters.

    Args:
        model: Model that `read_onnx` returned.

    Returns:
        The number of parameters.
    """
    kinds = {
        onnx.TensorProto.FLOAT,
        onnx.TensorProto.FLOAT16,
        onnx.TensorProto.DOUBLE,
        onnx.TensorProto.INT8,
        onnx.TensorProto.UINT8,
    }
    return sum(int(np.prod(t.dims)) for t in model.graph.initializer if t.data_type in kinds)


def declared_rate(model: onnx.ModelProto) -> str | None:
    """The sampling rate in Hz in the metadata of a file, as it is written there, or None.

    Args:
        model: Model that `read_onnx` returned.

    Returns:
        The sampling rate as text, or None.
    """
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    return next((metadata[key] for key in RATE_KEYS if key in metadata), None)


def activations(model: onnx.ModelProto) -> dict[str, str]:
    """Outputs that a softmax or sigmoid computes.

    Operations that change only the type or the shape may follow it.

    Args:
        model: model that `read_onnx` returned

    Returns:
        `softmax` or `sigmoid` by name of the output; other outputs are left out
    """
    producers = {name: node for node in model.graph.node for name in node.output}
    opset = next((entry.version for entry in model.opset_import if not entry.domain), 0)
    found = {}
    for output in model.graph.output:
        node = producers.get(output.name)
        for _ in model.graph.node:  # a broken graph may contain a cycle
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
    """Set a batch of any size to one, because audonnx runs a model on one signal at a time.

    Args:
        model: Model that is changed in place if its only input has a shape such as (batch, time).

    Returns:
        Whether the model was changed.
    """
    stored = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in stored]
    dimensions = inputs[0].type.tensor_type.shape.dim if len(inputs) == 1 else []
    if len(dimensions) < 2 or dimensions[0].HasField("dim_value"):
        return False
    dimensions[0].dim_value = 1  # this also removes the name of the dimension
    return True
