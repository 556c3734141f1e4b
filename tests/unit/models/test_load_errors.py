"""Errors of onnxruntime become sentences that say what to change."""

import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper
from small_inputs import write_model
from voxslice.errors import InputError
from voxslice.models.install import install, install_onnx
from voxslice.models.load_errors import MAX_REASON, load_error


@pytest.fixture
def source(tmp_path):
    # a long path: it must not push the reason out of the message
    return write_model(tmp_path / ("a_folder_with_a_long_name_" * 8) / "model")


@pytest.fixture
def target(tmp_path):
    return tmp_path / "target"


def message(source, target, edit, bare):
    path = source / "model.onnx"
    proto = onnx.load(str(path))
    edit(proto)
    onnx.save(proto, str(path))
    with pytest.raises(InputError) as error:
        if bare:
            install_onnx(path, {}, target, origin="mine.onnx")
        else:
            install(source, target, origin="mine.onnx", checksum=None)
    assert not list(target.iterdir())
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("bare", [True, False])
@pytest.mark.parametrize("version", [99, 1000])
def test_an_ir_version_that_is_too_new(source, target, bare, version):
    def edit(proto):
        proto.ir_version = version

    text = message(source, target, edit, bare)
    assert text.startswith(f"The model from mine.onnx has the ONNX IR version {version}, but the")
    assert f"installed onnxruntime {onnxruntime.__version__} loads IR versions up to " in text
    known = int(text.split("versions up to ")[1].split(":")[0])
    assert 10 <= known < version and f"export it with IR version {known} or lower" in text


@pytest.mark.parametrize("bare", [True, False])
@pytest.mark.parametrize(("domain", "name"), [("", "ai.onnx"), ("ai.onnx.ml", "ai.onnx.ml")])
def test_an_opset_that_is_too_new(source, target, bare, domain, name):
    def edit(proto):
        kept = [entry for entry in proto.opset_import if entry.domain != domain]
        del proto.opset_import[:]
        proto.opset_import.extend([*kept, helper.make_opsetid(domain, 900)])

    text = message(source, target, edit, bare)
    assert text.startswith(f"The model from mine.onnx needs the opset 900 of {name}, but the insta")
    known = int(text.split("opsets up to ")[1].split(":")[0])
    assert known < 900 and f"export it with opset {known} or lower" in text


def test_the_version_that_is_named_loads(source, target):
    def edit(proto):
        proto.ir_version = 99

    text = message(source, target, edit, True)
    proto = onnx.load(str(source / "model.onnx"))
    proto.ir_version = int(text.split("versions up to ")[1].split(":")[0])
    onnx.save(proto, str(source / "model.onnx"))
    install_onnx(source / "model.onnx", {}, target, origin="mine.onnx")
    assert (target / "model.json").exists()


def test_an_operator_that_onnxruntime_does_not_know(source, target):
    def edit(proto):
        proto.graph.node[0].op_type = "Multiplication"

    text = message(source, target, edit, True)
    assert "Multiplication" in text and text.endswith("export it again.")


def test_types_that_do_not_fit(source, target):
    def edit(proto):
        proto.graph.node[0].CopyFrom(
            helper.make_node("Cast", ["signal"], ["square"], to=TensorProto.INT64)
        )

    text = message(source, target, edit, False)
    assert text.startswith("audonnx cannot load the model from mine.onnx (")
    assert "/onnxruntime_src/" not in text


def test_the_end_of_a_long_reason_is_kept():
    text = load_error(RuntimeError(f"{'somewhere ' * 90}the cause"), "mine.onnx")
    assert "the cause): export it again." in text and len(text) < MAX_REASON + 100
    assert load_error(MemoryError(), "m") == (
        "audonnx cannot load the model from m (MemoryError): export it again."
    )
