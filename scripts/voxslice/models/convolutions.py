"""Convolutions over time written as matrix products, which onnxruntime quantises well.

The quantised convolutions of onnxruntime are slower than convolutions of floats, but its quantised
matrix products are three times as fast as products of floats. The windows of a convolution become
the rows of one matrix (im2col).
"""

import numpy as np
import onnx
from onnx import helper, numpy_helper

MIN_CHANNELS, MIN_WEIGHTS, MAX_OVERLAP = 64, 2**16, 4
"""Which convolutions are converted: a product is fast only with long rows, small convolutions take
little time, and each sample is copied into every window that contains it."""


def to_products(model: onnx.ModelProto) -> int:
    """Write large convolutions over time as matrix products. The model computes the same values.

    Convolutions with groups, dilation, padding or weights that are not stored do not change.

    Args:
        model: Model that is changed in place.

    Returns:
        The number of convolutions that were converted.
    """
    graph = model.graph
    stored = {tensor.name: tensor for tensor in graph.initializer}
    nodes: list[onnx.NodeProto] = []
    count = 0
    for node in graph.node:
        weights = stored.get(node.input[1]) if node.op_type == "Conv" else None
        if weights is None or not _is_worth_it(node, weights):
            nodes.append(node)
            continue
        nodes += _product(graph, node, weights, f"_convolution_{count}")
        count += 1
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    for tensor in [tensor for tensor in graph.initializer if tensor.name not in used]:
        graph.initializer.remove(tensor)
    return count


def _settings(node: onnx.NodeProto) -> dict:
    return {item.name: helper.get_attribute_value(item) for item in node.attribute}


def _is_worth_it(node: onnx.NodeProto, weights: onnx.TensorProto) -> bool:
    """Whether a node is a large convolution over time without groups, dilation and padding."""
    if weights.data_type != onnx.TensorProto.FLOAT or len(weights.dims) != 3:
        return False
    settings, (_, channels, width) = _settings(node), weights.dims
    plain = (
        settings.get("group", 1) == 1
        and settings.get("dilations", [1]) == [1]
        and not any(settings.get("pads", []))
        and settings.get("auto_pad", b"NOTSET") in (b"NOTSET", b"VALID")
    )
    large = channels >= MIN_CHANNELS and np.prod(weights.dims) >= MIN_WEIGHTS
    return plain and large and width <= MAX_OVERLAP * settings.get("strides", [1])[0]


def _product(
    graph: onnx.GraphProto, node: onnx.NodeProto, weights: onnx.TensorProto, name: str
) -> list[onnx.NodeProto]:
    """The nodes that replace a convolution. Their constants are added to the graph."""
    outputs, channels, width = weights.dims
    stride = _settings(node).get("strides", [1])[0]

    def constant(label: str, values: np.ndarray) -> str:
        graph.initializer.append(numpy_helper.from_array(values, f"{name}_{label}"))
        return f"{name}_{label}"

    def limit(label: str, value: int) -> str:
        return constant(label, np.array([value], np.int64))

    # (outputs, channels, width) -> (width * channels, outputs)
    matrix = numpy_helper.to_array(weights).transpose(2, 1, 0).reshape(width * channels, outputs)
    transposed = f"{name}_turned"  # (batch, time, channels)
    nodes = [helper.make_node("Transpose", [node.input[0]], [transposed], perm=[0, 2, 1])]
    axis, step, parts = limit("axis", 1), limit("step", stride), []
    for offset in range(width):  # takes the sample at this offset of each window
        left = width - 1 - offset
        first = limit(f"first_{offset}", offset)
        stop = limit(f"stop_{offset}", -left if left else np.iinfo(np.int64).max)
        parts.append(f"{name}_part_{offset}")
        nodes.append(helper.make_node("Slice", [transposed, first, stop, axis, step], parts[-1:]))
    windows, product = f"{name}_windows", f"{name}_product"
    nodes.append(helper.make_node("Concat", parts, [windows], axis=2))
    factor = constant("weights", np.ascontiguousarray(matrix))
    nodes.append(helper.make_node("MatMul", [windows, factor], [product], name=name))
    if len(node.input) > 2:
        summed = f"{name}_sum"
        nodes.append(helper.make_node("Add", [product, node.input[2]], [summed]))
        product = summed
    return [*nodes, helper.make_node("Transpose", [product], list(node.output), perm=[0, 2, 1])]
