"""Variants of models that compute in 8 or 16 bits."""

import json
import re
import shutil

import audonnx
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from small_inputs import LABELS, noise
from voxslice.errors import InputError
from voxslice.models.install import install
from voxslice.models.variants import derive, to_int8


@pytest.fixture(scope="module")
def source(tmp_path_factory, model_folder):
    """An installed model with weights that are large enough to be quantised."""
    folder = tmp_path_factory.mktemp("wide")
    proto = onnx.load(str(model_folder / "model.onnx"))
    width = 512
    generator = np.random.default_rng(0)
    sizes = {
        "w_hidden": (2, width),
        "w_logits_age": (width, 1),
        "w_logits_gender": (width, 3),
    }
    for tensor in proto.graph.initializer:
        if tensor.name in sizes:
            values = generator.normal(size=sizes[tensor.name]).astype(np.float32)
            tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    proto.graph.output[0].type.tensor_type.shape.dim[1].dim_value = width
    onnx.save(proto, str(folder / "model.onnx"))
    model = audonnx.Model(str(folder / "model.onnx"), labels=LABELS)
    model.to_yaml(str(folder / "model.yaml"))
    target = tmp_path_factory.mktemp("source")
    install(folder, target, origin="here", checksum=None)
    return target


def operators(folder):
    return {node.op_type for node in onnx.load(str(folder / "model.onnx")).graph.node}


def card(folder):
    return json.loads((folder / "model.json").read_text())


@pytest.mark.parametrize(("quantize", "tolerance"), [("int8", 0.05), ("fp16", 0.005)])
def test_a_variant_is_smaller_and_predicts_nearly_the_same(source, tmp_path, quantize, tolerance):
    derive(source, tmp_path, quantize=quantize, origin="source, smaller")
    original, variant = audonnx.load(str(source)), audonnx.load(str(tmp_path))
    assert repr(variant) == repr(original)  # inputs, outputs, types, labels
    for seed in range(3):
        signal = noise(0.5, seed=seed) + seed
        expected, found = original(signal, 16000), variant(signal, 16000)
        for name in expected:
            assert found[name].dtype == np.float32
            largest = np.abs(expected[name]).max()
            assert 0 < np.abs(found[name] - expected[name]).max() < tolerance * largest, name
    assert card(tmp_path)["size_mb"] < 0.7 * card(source)["size_mb"]
    same = ("outputs", "parameters", "sampling_rate")
    assert [card(tmp_path)[key] for key in same] == [card(source)[key] for key in same]
    assert card(tmp_path)["origin"] == "source, smaller"
    assert card(tmp_path)["sha256"] != card(source)["sha256"]


def test_a_variant_uses_the_same_part_of_utterances(tmp_path, source):
    shutil.copytree(source, tmp_path / "source")
    of_source = card(source) | {"first_seconds": 30.0}
    (tmp_path / "source" / "model.json").write_text(json.dumps(of_source))
    derive(tmp_path / "source", tmp_path / "variant", quantize="int8", origin="source, smaller")
    assert card(tmp_path / "variant")["first_seconds"] == 30.0


@pytest.mark.parametrize("quantize", ["int8", "fp16"])
def test_the_same_source_gives_the_same_bytes(source, tmp_path, quantize):
    for name in ("a", "b"):
        derive(source, tmp_path / name, quantize=quantize, origin="source")
    for file in ("model.onnx", "model.yaml", "model.json"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_weights_have_eight_bits_and_only_matrix_products_are_quantised(source, tmp_path):
    derive(source, tmp_path, quantize="int8", origin="source")
    stored = onnx.load(str(tmp_path / "model.onnx")).graph.initializer
    weights = [t for t in stored if t.data_type == TensorProto.INT8 and len(t.dims) == 2]
    assert sorted(tuple(t.dims) for t in weights) == [(2, 512), (512, 1), (512, 3)]
    assert operators(tmp_path) >= {"MatMulInteger", "ReduceMean", "Concat"}
    scales = [t for t in stored if re.fullmatch("w_logits_gender.*_scale", t.name)]
    assert [tuple(t.dims) for t in scales] == [(3,)]  # one per column


def test_sixteen_bits_inside_and_floats_outside(source, tmp_path):
    derive(source, tmp_path, quantize="fp16", origin="source")
    graph = onnx.load(str(tmp_path / "model.onnx")).graph
    assert all(t.data_type != TensorProto.FLOAT for t in graph.initializer)
    ends = [*graph.input, *graph.output]
    assert {value.type.tensor_type.elem_type for value in ends} == {TensorProto.FLOAT}


def test_a_model_without_matrix_products_is_refused(tmp_path):
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("Abs", ["signal"], ["y"])],
        "no products",
        [value("signal", TensorProto.FLOAT, [1, "time"])],
        [value("y", TensorProto.FLOAT, [1, "time"])],
    )
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), tmp_path / "a.onnx")
    with pytest.raises(InputError, match="no MatMul or Gemm with stored weights, which int8 quan"):
        to_int8(tmp_path / "a.onnx", tmp_path / "b.onnx")
