"""Outputs with a time axis, one probability, or the number of a class become vectors."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper
from small_inputs import noise
from voxslice.errors import InputError
from voxslice.models.vector_outputs import adapt_outputs

WEIGHTS = np.array([[1.0, -2.0, 0.5]], np.float32)
FRAME = 400


def frames_model(opset=18, *, last=None, order=(0, 1, 2)):
    """A model whose output has one vector of three numbers per frame of 400 samples."""
    nodes = [
        helper.make_node("Reshape", ["signal", "shape"], ["cut"]),
        helper.make_node("ReduceMax", ["cut"], ["loudest"], axes=[2], keepdims=1)
        if opset < 18
        else helper.make_node("ReduceMax", ["cut", "axes"], ["loudest"], keepdims=1),
        helper.make_node("MatMul", ["loudest", "weights"], ["frames"]),
        helper.make_node("Transpose", ["frames"], ["logits"], perm=order),
    ]
    stored = {
        "shape": np.array([1, -1, FRAME]),
        "axes": np.array([2]),
        "weights": WEIGHTS,
    }
    return model_of(nodes, stored, opset, ("logits", TensorProto.FLOAT, [1, "a", "b"]))


def number_model(operator, *, kind=TensorProto.FLOAT, factor=3.0):
    """A model whose output is one number: a function of the mean of the signal."""
    nodes = [
        helper.make_node("ReduceMean", ["signal"], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "factor"], ["product"]),
        helper.make_node(operator, ["product"], ["p"], **({"to": kind} if kind != 1 else {})),
    ]
    return model_of(nodes, {"factor": np.float32(factor)}, 18, ("p", kind, []))


def model_of(nodes, stored, opset, output):
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("signal", TensorProto.FLOAT, [1, "time"])],
        [helper.make_tensor_value_info(*output)],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in stored.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def run(model, signal):
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"signal": signal[np.newaxis]}), strict=True))


def adapt(model, **settings):
    trials = [run(model, noise(seconds)) for seconds in (3, 4)]
    defaults = {"labels": {}, "pool": {}, "scale": {}, "activations": {}}
    return adapt_outputs(model, trials, origin="here", **defaults | settings)


@pytest.mark.parametrize("opset", [13, 17, 18])
@pytest.mark.parametrize("order", [(0, 1, 2), (0, 2, 1), (1, 0, 2)])
@pytest.mark.parametrize("how", ["mean", "max", "median"])
def test_frames_are_pooled_over_time(opset, order, how):
    model, plain = frames_model(opset, order=order), frames_model(opset)
    assert adapt(model, pool={"logits": how}) == {"logits": ""}
    for seconds in (0.025, 0.05, 3.3, 4.025):
        expected = getattr(np, how)(run(plain, noise(seconds))["logits"], axis=1)
        found = run(model, noise(seconds))["logits"]
        assert found.shape == (1, 3)
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_pooled_output_keeps_its_activation():
    assert adapt(frames_model(), pool={"logits": "mean"}, activations={"logits": "softmax"}) == {
        "logits": "softmax"
    }


@pytest.mark.parametrize(
    ("model", "pool", "sentence"),
    [
        (frames_model(), {"frames": "mean"}, "no output 'frames', which pool names; its outputs"),
        (number_model("Sigmoid"), {"p": "mean"}, "does not have one time axis"),
        (frames_model(12), {"logits": "mean"}, "has the opset 12, but a model that is adapted"),
    ],
)
def test_what_cannot_be_pooled_is_one_sentence(model, pool, sentence):
    with pytest.raises(InputError, match=sentence):
        adapt(model, pool=pool)


def test_a_model_that_cannot_be_tried_is_not_pooled():
    with pytest.raises(InputError, match="fails on noise, so that the time axis"):
        adapt_outputs(
            frames_model(), [], labels={}, pool={"logits": "mean"}, scale={}, activations={},
            origin="here",
        )  # fmt: skip


def test_a_probability_becomes_two():
    model = number_model("Sigmoid")
    edited = adapt(model, labels={"p": ["no", "yes"]}, activations={"p": "sigmoid"})
    assert edited == {"p": "sigmoid"}
    expected = run(number_model("Sigmoid"), noise(1))["p"]
    np.testing.assert_allclose(run(model, noise(1))["p"], [[1 - expected, expected]], rtol=1e-6)


def test_a_logit_becomes_two():
    model = number_model("Neg")
    assert adapt(model, labels={"p": ["no", "yes"]}, scale={"p": "logits"}) == {"p": ""}
    logits = run(model, noise(1))["p"][0]
    assert logits[0] == 0
    assert logits[1] == run(number_model("Neg"), noise(1))["p"] != 0


@pytest.mark.parametrize("kind", [TensorProto.INT64, TensorProto.INT32])
def test_the_number_of_a_class_becomes_one_value_per_class(kind):
    model = number_model("Cast", kind=kind, factor=10)
    assert adapt(model, labels={"p": ["a", "b", "c"]}) == {"p": "class index"}
    for level, expected in ((0.05, [1, 0, 0]), (0.15, [0, 1, 0]), (0.25, [0, 0, 1])):
        assert run(model, np.full(100, level, np.float32))["p"].tolist() == [expected]
    for level in (0.35, -0.15):  # there is no such class: the utterance becomes a failure
        assert np.isnan(run(model, np.full(100, level, np.float32))["p"]).all()


def test_one_number_of_unknown_meaning_is_refused():
    with pytest.raises(InputError, match="set scale of this output to probabilities or logits"):
        adapt(number_model("Neg"), labels={"p": ["no", "yes"]})
    with pytest.raises(InputError, match="is one number, but has 3 labels"):
        adapt(number_model("Neg"), labels={"p": ["a", "b", "c"]})


def test_other_outputs_are_left_alone():
    model = number_model("Neg")
    before = model.SerializeToString()
    assert adapt(model, labels={"p": ["age"]}) == {}
    assert model.SerializeToString() == before
