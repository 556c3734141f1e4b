"""Attacks by a model.yaml, and the values that are read from a harmless one."""

import os

import pytest
import yaml
from refusals import refusal, require_cheap
from small_inputs import write_model
from voxslice.errors import InputError
from voxslice.models.definition import Definition, read_definition, write_definition
from voxslice.models.install import install

NAME = "$audonnx.core.model.Model"
INNER = {NAME: {"path": "/elsewhere/other.onnx"}}


@pytest.fixture
def source(tmp_path):
    return write_model(tmp_path / "source")


def define(source, **arguments):
    """Write a model.yaml whose model has these arguments."""
    text = yaml.safe_dump({NAME: {"path": "model.onnx", **arguments}})
    (source / "model.yaml").write_text(text)


def refused(source, match):
    """Check that reading the model.yaml fails with one sentence."""
    with pytest.raises(InputError, match=match) as error:
        read_definition(source)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "arguments",
    [
        {"labels": INNER},
        {"labels": {"logits_age": INNER}},
        {"labels": {"logits_age": [INNER]}},
        {"labels": {"logits_age": [{"deep": [INNER]}]}},
        {"transform": INNER},
        {"transform": {"signal": INNER}},
        {"device": INNER},
        {"num_workers": INNER},
        {"session_options": INNER},
        {"unknown": INNER},
        {"unknown": {"deep": [[INNER]]}},
        {"path": INNER},
        {"labels": {"$audonnx.Model": {"path": "/elsewhere/other.onnx"}}},
        {"labels": {"$other:audonnx.core.model.Model==1.0": {"path": "x.onnx"}}},
    ],
)
def test_a_model_inside_the_model_is_not_loaded(source, arguments, tmp_path, monkeypatch):
    loaded = []
    monkeypatch.setattr("audonnx.load", lambda *_, **__: loaded.append(1))
    define(source, **arguments)
    with pytest.raises(InputError) as error:
        install(source, tmp_path / "target", origin="here", checksum=None)
    assert "\n" not in str(error.value)
    assert not loaded


@pytest.mark.parametrize("argument", ["unknown", "lables", "1", "override_args", "self"])
def test_arguments_that_audonnx_does_not_have_are_refused(source, argument):
    define(source, **{argument: "value"})
    refused(source, f"has the argument '{argument}', which an audonnx model does not have")


@pytest.mark.parametrize(
    "transform", ["text", "lambda x, sr: x", 1, [1], {"signal": "text"}, [{"a": None}], True]
)
def test_a_transform_of_any_form_is_refused(source, transform):
    define(source, transform=transform)
    refused(source, "has a transform, which is not run")


@pytest.mark.parametrize("transform", [None, {}, {"signal": None}])
def test_no_transform_is_accepted(source, transform):
    define(source, transform=transform)
    assert read_definition(source).onnx.name == "model.onnx"


@pytest.mark.parametrize("labels", ["text", 1, {"a": "text"}, {"a": {"b": "c"}}, [["a"]]])
def test_labels_of_another_form_are_refused(source, labels):
    define(source, labels=labels)
    refused(source, "labels that are not a list of names|instead of a name")


@pytest.mark.parametrize("path", [None, 1, ["model.onnx"], {"a": "model.onnx"}])
def test_a_path_that_is_not_text_is_refused(source, path):
    define(source, path=path)
    refused(source, "names no ONNX file")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pipe", "device", "link to a pipe", "folder"])
def test_pipes_devices_and_folders_are_refused_at_once(source, kind):
    path = source / "other.onnx"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "link to a pipe":
        os.mkfifo(source / "pipe")
        path.symlink_to(source / "pipe")
    else:
        path.mkdir()
    define(source, path="other.onnx")
    found = refusal(
        "from voxslice.models.definition import read_definition",
        f"read_definition(Path({str(source)!r}))",
    )
    require_cheap(found)
    assert "outside of its folder" in found.message or "is not there" in found.message


@pytest.mark.parametrize("name", ["model.yaml", "model.onnx"])
def test_links_out_of_the_folder_are_refused(source, name):
    (source / name).rename(source.parent / "elsewhere")
    (source / name).symlink_to(source.parent / "elsewhere")
    refused(source, "names a file outside of its folder: elsewhere")


def test_a_folder_that_is_a_link_out_is_refused(source, tmp_path):
    other = write_model(tmp_path / "other")
    (source / "inside").symlink_to(other)
    define(source, path="inside/model.onnx")
    refused(source, "names a file outside of its folder: model.onnx")


def test_links_in_a_circle_and_null_bytes_are_refused(source):
    (source / "a").symlink_to(source / "b")
    (source / "b").symlink_to(source / "a")
    define(source, path="a")
    refused(source, "a file that cannot exist|is not there")
    (source / "model.yaml").write_text(f'{NAME}: {{path: "a\\0b"}}')
    refused(source, "a file that cannot exist")


def test_links_inside_of_the_folder_are_followed(source):
    (source / "model.onnx").rename(source / "weights")
    (source / "model.onnx").symlink_to("weights")
    assert read_definition(source).onnx == (source / "weights").resolve()


EXPENSIVE = {
    "aliases": "\n".join(
        ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
        + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    ),
    "merge keys": "\n".join(
        ["m0: &m0 {k: 1}"]
        + [f"m{i}: &m{i} {{<<: [{', '.join([f'*m{i - 1}'] * 10)}], k{i}: 1}}" for i in range(1, 12)]
    ),
    "depth": "labels: " + "[" * 100_000,
    "nodes": "labels: [" + "1," * 3_000_000 + "1]",
    "size": "labels: [" + "x" * 30_000_000 + "]",
    "digits": "labels: [" + "1" * 3_000_000 + "]",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", EXPENSIVE)
def test_yaml_that_grows_without_end_is_refused_at_once(source, name):
    lines = [f"  {line}" for line in EXPENSIVE[name].splitlines()]
    (source / "model.yaml").write_text("\n".join([f"{NAME}:", "  path: model.onnx", *lines]))
    found = refusal(
        "from voxslice.models.definition import read_definition",
        f"read_definition(Path({str(source)!r}))",
    )
    require_cheap(found)


def test_a_harmless_definition_is_read_and_written(source, tmp_path):
    define(
        source, labels={"logits_age": [1], "logits_gender": ["no", False, None]}, sampling_rate=8000
    )
    found = read_definition(source)
    assert found == Definition(
        (source / "model.onnx").resolve(),
        {"logits_age": ["1"], "logits_gender": ["no", "False", "None"]},
        "8000",
    )
    write_definition(found, tmp_path)
    assert yaml.safe_load((tmp_path / "model.yaml").read_text()) == {
        NAME: {"path": "model.onnx", "labels": found.labels}
    }


def test_labels_of_the_only_output_need_no_name(source):
    define(source, labels=["a", "b"], device="cuda", num_workers=3)
    assert read_definition(source).labels == ["a", "b"]
