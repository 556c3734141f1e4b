"""ONNX files are checked before they are run, and described."""

import onnx
import pytest
from onnx import TensorProto, helper
from refusals import refusal, require_cheap
from small_inputs import write_model
from voxslice.errors import InputError
from voxslice.models.onnx_files import (
    activations,
    count_parameters,
    declared_rate,
    read_onnx,
    take_one_at_a_time,
)


@pytest.fixture
def proto(model_folder):
    return onnx.load(str(model_folder / "model.onnx"))


def outside(name="secret"):
    """A tensor whose values are in another file."""
    tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[1])
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../etc/passwd")
    return tensor


def in_initializer(proto):
    proto.graph.initializer.append(outside())


def in_constant(proto):
    proto.graph.node.append(helper.make_node("Constant", [], ["x"], value=outside()))


def branch(tensor):
    node = helper.make_node("Constant", [], ["y"], value=tensor)
    value = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])
    return helper.make_graph([node], "branch", [], [value])


def in_inner_graph(proto):
    inner = branch(outside())
    inner.node.append(helper.make_node("If", ["c"], ["z"], then_branch=branch(outside())))
    proto.graph.node.append(helper.make_node("If", ["c"], ["x"], then_branch=inner))


def in_function(proto):
    node = helper.make_node("Constant", [], ["x"], value=outside())
    opsets = [helper.make_opsetid("", 18)]
    proto.functions.append(helper.make_function("own", "f", [], ["x"], [node], opsets))


def in_sparse(proto):
    sparse = onnx.SparseTensorProto(values=outside(), dims=[3])
    proto.graph.sparse_initializer.append(sparse)


@pytest.mark.parametrize(
    "place", [in_initializer, in_constant, in_inner_graph, in_function, in_sparse]
)
def test_weights_in_other_files_are_found_everywhere(tmp_path, proto, place):
    read_onnx(_saved(proto, tmp_path), "here")
    place(proto)
    with pytest.raises(InputError, match="from here keeps its weights in other files"):
        read_onnx(_saved(proto, tmp_path), "here")


def _saved(proto, folder):
    path = folder / "model.onnx"
    path.write_bytes(proto.SerializeToString())
    return path


def test_a_file_that_is_not_onnx_is_refused(tmp_path):
    (tmp_path / "model.json").write_text("{}")
    for path in (tmp_path / "model.json", tmp_path / "none.onnx", tmp_path):
        with pytest.raises(InputError, match="model from here is not a readable ONNX") as error:
            read_onnx(path, "here")
        assert "\n" not in str(error.value)


def test_parameters_are_floats(proto):
    assert any(t.data_type == TensorProto.INT64 for t in proto.graph.initializer)
    assert count_parameters(proto) == 24


@pytest.mark.parametrize("key", ["sampling_rate", "sample_rate"])
def test_rate_in_the_metadata(proto, key):
    assert declared_rate(proto) is None
    onnx.helper.set_model_props(proto, {"author": "me", key: "8000"})
    assert declared_rate(proto) == "8000"


def test_a_batch_of_any_size_becomes_one(tmp_path):
    proto = onnx.load(str(write_model(tmp_path) / "model.onnx"))
    dimensions = proto.graph.input[0].type.tensor_type.shape.dim
    assert not take_one_at_a_time(proto)  # it is one
    dimensions[0].dim_param = "batch"
    assert take_one_at_a_time(proto)
    assert (dimensions[0].dim_value, dimensions[1].dim_param) == (1, "time")
    proto.graph.input.append(proto.graph.input[0])
    dimensions[0].dim_param = "batch"
    assert not take_one_at_a_time(proto)  # whose batch it would be is not known


def _ending(*nodes, shape=(1, 3), opset=18, domain=""):
    """A model in which nodes compute the output `y` from the signal `x`."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node(kind, [before], [after], **more) for kind, before, after, more in nodes],
        "g",
        [value("x", TensorProto.FLOAT, shape)],
        [value("y", TensorProto.FLOAT, shape)],
    )
    for node in graph.node:
        node.domain = domain
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


@pytest.mark.parametrize(
    ("nodes", "settings", "expected"),
    [
        ([("Softmax", "x", "y", {})], {}, "softmax"),
        ([("Softmax", "x", "y", {"axis": 1})], {}, "softmax"),
        ([("Softmax", "x", "y", {})], {"opset": 11}, "softmax"),
        ([("Sigmoid", "x", "y", {})], {}, "sigmoid"),
        ([("Softmax", "x", "s", {}), ("Cast", "s", "y", {"to": 1})], {}, "softmax"),
        ([("Sigmoid", "x", "s", {}), ("Identity", "s", "y", {})], {}, "sigmoid"),
        (
            [("Softmax", "x", "s", {}), ("Squeeze", "s", "t", {}), ("Reshape", "t", "y", {})],
            {},
            "softmax",
        ),
        ([("Softmax", "x", "y", {"axis": 0})], {}, None),
        ([("Softmax", "x", "y", {})], {"opset": 11, "shape": (1, 2, 3)}, None),
        ([("LogSoftmax", "x", "y", {})], {}, None),
        ([("Softmax", "x", "s", {}), ("Log", "s", "y", {})], {}, None),
        ([("Softmax", "x", "y", {})], {"domain": "mine"}, None),
        ([("Identity", "x", "y", {})], {}, None),
    ],
)
def test_activations(nodes, settings, expected):
    assert activations(_ending(*nodes, **settings)) == ({"y": expected} if expected else {})


def test_a_graph_that_runs_in_a_circle_has_no_activation():
    nodes = [("Identity", "a", "b", {}), ("Identity", "b", "a", {}), ("Identity", "a", "y", {})]
    assert activations(_ending(*nodes)) == {}


def in_training(proto):
    proto.training_info.add().initialization.initializer.append(outside())


def in_default_of_a_function(proto):
    in_function(proto)
    del proto.functions[0].node[:]
    proto.functions[0].attribute_proto.append(helper.make_attribute("value", outside()))


@pytest.mark.parametrize("place", [in_training, in_default_of_a_function])
def test_weights_in_other_files_are_found_in_rare_places(tmp_path, proto, place):
    place(proto)
    with pytest.raises(InputError, match="from here keeps its weights in other files"):
        read_onnx(_saved(proto, tmp_path), "here")


OPSETS = [helper.make_opsetid("", 18), helper.make_opsetid("own", 1)]


def functions(bodies):
    """Functions `f0`, `f1`, ...: each body names the functions that it calls one after another."""
    made = []
    for number, calls in enumerate(bodies):
        names = ["x", *(f"t{i}" for i in range(1, len(calls))), "y"]
        nodes = [
            helper.make_node(call, [names[i]], [names[i + 1]], domain="own" if "f" in call else "")
            for i, call in enumerate(calls)
        ]
        made.append(helper.make_function("own", f"f{number}", ["x"], ["y"], nodes, OPSETS))
    return made


def calling(proto, made, call):
    proto.functions.extend(made)
    proto.graph.node.append(helper.make_node(call, ["signal"], ["unused"], domain="own"))
    del proto.opset_import[:]
    proto.opset_import.extend(OPSETS)
    return proto


@pytest.mark.slow
@pytest.mark.parametrize(
    ("bodies", "match"),
    [
        ([["Abs"], *([f"f{i}"] * 2 for i in range(40))], "expand to more than 1,000,000 nodes"),
        ([["Abs"], *([f"f{i}"] * 30 for i in range(20))], "expand to more than 1,000,000 nodes"),
        ([["Abs"], *([f"f{i}"] for i in range(5000))], "more than 100 levels deep"),
        ([["f1"], ["f0"]], "more than 100 levels deep"),
        ([["f0", "f0"]], "more than 100 levels deep"),
    ],
)
def test_functions_that_expand_without_end_are_refused_at_once(tmp_path, proto, bodies, match):
    path = _saved(calling(proto, functions(bodies), f"f{len(bodies) - 1}"), tmp_path)
    found = refusal(
        "from voxslice.models.onnx_files import read_onnx", f"read_onnx({str(path)!r}, 'here')"
    )
    require_cheap(found)
    assert match in found.message


def test_honest_functions_are_accepted(tmp_path, proto):
    made = functions([["Abs", "Neg"], ["f0", "f0"], ["f1", "f0", "Abs"]])
    read_onnx(_saved(calling(proto, made, "f2"), tmp_path), "here")
