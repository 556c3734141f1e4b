"""Checks of a model when it is fetched."""

import shutil

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from small_inputs import noise, write_model
from voxslice.errors import InputError
from voxslice.models.install import install
from voxslice.models.sessions import load


def check(folder, tmp_path):
    install(folder, tmp_path / "target", origin="here", checksum=None)


def change(folder, edit):
    path = folder / "model.onnx"
    proto = onnx.load(str(path))
    edit(proto.graph)
    onnx.save(proto, str(path))
    return folder


def add_before_signal(graph, nodes):
    """Let new nodes, which read the signal, produce what the model reads."""
    for node in graph.node:
        for position, name in enumerate(node.input):
            if name == "signal":
                node.input[position] = "changed"
    own = [*nodes, *graph.node]
    del graph.node[:]
    graph.node.extend(own)


def add_noise(graph):
    nodes = [
        helper.make_node("RandomNormalLike", ["signal"], ["random"]),
        helper.make_node("Add", ["signal", "random"], ["changed"]),
    ]
    add_before_signal(graph, nodes)


def freeze_length(graph):
    """Make the model fail on signals of more than 5 s, although it declares any length."""
    shape = helper.make_tensor("limits", TensorProto.INT64, [2], [1, 80000])
    graph.initializer.append(shape)
    nodes = [
        helper.make_node("Shape", ["signal"], ["shape"]),
        helper.make_node("Sub", ["limits", "shape"], ["left"]),
        helper.make_node("ConstantOfShape", ["left"], ["nothing"]),
        helper.make_node("ReduceSum", ["nothing"], ["zero"], keepdims=0),
        helper.make_node("Add", ["signal", "zero"], ["changed"]),
    ]
    add_before_signal(graph, nodes)


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (add_noise, "when it is run again on the same signal: export it without dropout"),
        (freeze_length, "runs on some durations but fails on 10 s"),
    ],
)
def test_a_model_that_misbehaves_is_refused(tmp_path, edit, sentence):
    folder = change(write_model(tmp_path / "source"), edit)
    with pytest.raises(InputError, match=sentence) as error:
        check(folder, tmp_path)
    assert "\n" not in str(error.value)


def test_an_output_that_never_changes_is_printed(tmp_path, capsys):
    def forget(graph):
        nodes = [helper.make_node("Sub", ["signal", "signal"], ["changed"])]
        add_before_signal(graph, nodes)

    check(change(write_model(tmp_path / "source"), forget), tmp_path)
    assert "logits_gender is the same for different signals" in capsys.readouterr().out


def write_reference(folder, **changes):
    model = load(folder, threads=1)
    arrays = {}
    for number, seconds in enumerate((0.2, 1.1)):
        signal = noise(seconds, seed=number)
        arrays[f"signal_{number}"] = signal
        for name, value in model(signal, 16000).items():
            arrays[f"{name}_{number}"] = value
    np.savez(folder / "reference.npz", **arrays | changes)
    return arrays


def test_reference_outputs_agree(tmp_path, capsys):
    folder = write_model(tmp_path / "source")
    write_reference(folder)
    check(folder, tmp_path)
    assert "agree with reference.npz for 2 signals" in capsys.readouterr().out


def test_each_difference_from_a_reference_is_one_sentence(tmp_path):
    folder = write_model(tmp_path / "source")
    arrays = write_reference(folder)
    wrong = arrays["logits_gender_1"] + np.float32(0.01)
    write_reference(folder, logits_gender_1=wrong)
    with pytest.raises(InputError, match=r"logits_gender .* differs by 0\.01 from .* signal_1"):
        check(folder, tmp_path)
    write_reference(folder, logits_gender_1=np.zeros(2))
    with pytest.raises(InputError, match="has 3 numbers for signal_1, but the reference 2"):
        check(folder, tmp_path)
    write_reference(folder, logits_gender_1=np.full(3, np.nan))
    with pytest.raises(InputError, match="differs by nan"):
        check(folder, tmp_path)


def test_a_reference_that_cannot_be_read_is_named(tmp_path):
    folder = write_model(tmp_path / "source")
    np.savez(folder / "reference.npz", other=np.zeros(1))
    with pytest.raises(InputError, match="has no array signal_0"):
        check(folder, tmp_path)
    np.savez(folder / "reference.npz", signal_0=np.array([{}], dtype=object))
    with pytest.raises(InputError, match=r"reference\.npz of the model from here cannot be read"):
        check(folder, tmp_path)
    shutil.copyfile(folder / "model.yaml", folder / "reference.npz")
    with pytest.raises(InputError, match=r"reference\.npz of the model from here cannot be read"):
        check(folder, tmp_path)
