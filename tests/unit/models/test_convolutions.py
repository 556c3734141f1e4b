"""Convolutions are replaced by matrix products with the same result."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from voxslice.models.convolutions import to_products
from voxslice.models.variants import to_int8

CHANNELS = 64


def convolution(width=3, stride=2, outputs=512, channels=CHANNELS, bias=True, **settings):
    """A model with one convolution over time; extra settings are its attributes."""
    rng = np.random.default_rng(0)
    groups = settings.get("group", 1)
    stored = {
        "w": rng.normal(size=(outputs, channels // groups, width)),
        "b": rng.normal(size=outputs),
    }
    inputs = ["x", "w", "b"] if bias else ["x", "w"]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Conv", inputs, ["y"], strides=[stride], **settings)],
        "one convolution",
        [value("x", TensorProto.FLOAT, [1, channels, "time"])],
        [value("y", TensorProto.FLOAT, [1, outputs, "frames"])],
        [numpy_helper.from_array(stored[name].astype("f4"), name) for name in inputs[1:]],
    )
    opset = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opset, ir_version=10)


def answer(model, time):
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    rng = np.random.default_rng(1)
    return session.run(None, {"x": rng.normal(size=(1, CHANNELS, time)).astype("f4")})[0]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(("width", "stride"), [(3, 2), (2, 2), (4, 1), (2, 3), (5, 4)])
def test_a_product_computes_the_same(width, stride, bias):
    model, original = (convolution(width, stride, bias=bias) for _ in range(2))
    assert to_products(model) == 1
    assert "Conv" not in {node.op_type for node in model.graph.node}
    assert "w" not in {tensor.name for tensor in model.graph.initializer}
    onnx.checker.check_model(model)
    for time in (width, width + 1, *range(40, 40 + stride)):
        expected = answer(original, time)
        np.testing.assert_allclose(answer(model, time), expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    "settings",
    [
        {"group": 2},
        {"dilations": [2]},
        {"pads": [1, 1]},
        {"auto_pad": "SAME_UPPER"},
        {"width": 1, "stride": 1, "outputs": 512},  # 32,768 weights take no time
        {"channels": 1, "width": 400, "stride": 160, "outputs": 402},  # a Fourier transform
        {"width": 9},  # most samples would be copied into five windows
    ],
)
def test_other_convolutions_do_not_change(settings):
    model = convolution(**settings)
    before = model.SerializeToString()
    assert to_products(model) == 0
    assert model.SerializeToString() == before


def test_two_convolutions_may_share_weights():
    model = convolution(outputs=CHANNELS, width=16, stride=4)
    first = model.graph.node[0]
    second = helper.make_node("Conv", ["y", "w", "b"], ["z"], strides=[4])
    model.graph.node.append(second)
    model.graph.output[0].name = "z"
    original = onnx.ModelProto()
    original.CopyFrom(model)
    assert first.output == ["y"]
    assert to_products(model) == 2
    np.testing.assert_allclose(answer(model, 300), answer(original, 300), rtol=1e-4, atol=1e-2)


def test_int8_quantises_convolutions_as_products(tmp_path):
    model = convolution()
    onnx.save(model, tmp_path / "source.onnx")
    to_int8(tmp_path / "source.onnx", tmp_path / "int8.onnx")
    smaller = onnx.load(tmp_path / "int8.onnx")
    operators = {node.op_type for node in smaller.graph.node}
    assert "MatMulInteger" in operators and not operators & {"Conv", "ConvInteger"}
    expected, found = answer(model, 200), answer(smaller, 200)
    assert 0 < np.abs(found - expected).max() < 0.05 * np.abs(expected).max()
