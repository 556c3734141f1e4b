"""A fetched model is checked and written with its card."""

import hashlib
import json

import audonnx
import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper
from small_inputs import add_frames, add_text, noise, write_model
from voxslice.errors import InputError, MachineError
from voxslice.models.install import find_root, install, install_onnx, require_rate

NAME = "$audonnx.core.model.Model"


@pytest.fixture
def source(tmp_path):
    return write_model(tmp_path / "source")


@pytest.fixture
def target(tmp_path):
    return tmp_path / "target"


def define(source, text):
    (source / "model.yaml").write_text(text)


def refused(source, target, match):
    with pytest.raises(InputError, match=match) as error:
        install(source, target, origin="here", checksum=None)
    assert "\n" not in str(error.value)
    assert not list(target.glob("*")) and not list(target.glob(".*"))


def test_install_writes_the_checked_files(source, target):
    (source / "notes.txt").write_text("not part of the model")
    install(source, target, origin="https://example.org/model.zip", checksum="ab" * 32)
    assert sorted(p.name for p in target.iterdir()) == ["model.json", "model.onnx", "model.yaml"]
    content = (source / "model.onnx").read_bytes()
    assert (target / "model.onnx").read_bytes() == content
    assert json.loads((target / "model.json").read_text()) == {
        "origin": "https://example.org/model.zip",
        "sha256": "ab" * 32,
        "size_mb": round(len(content) / 1e6, 3),
        "outputs": {
            "hidden_states": [f"hidden_states-{i}" for i in range(4)],
            "logits_age": ["age"],
            "logits_gender": ["female", "male", "child"],
        },
        "refused": {},
        "activations": {},
        "parameters": 2 * 4 + 4 * 1 + 4 * 3,
        "sampling_rate": None,
    }
    assert list(audonnx.load(str(target)).outputs) == [
        "hidden_states",
        "logits_age",
        "logits_gender",
    ]


def test_the_checksum_of_a_local_folder_is_that_of_its_onnx_file(source, target):
    install(source, target, origin=str(source), checksum=None)
    found = json.loads((target / "model.json").read_text())["sha256"]
    assert found == hashlib.sha256((source / "model.onnx").read_bytes()).hexdigest()


def test_install_replaces_an_older_model(source, target, tmp_path):
    install(source, target, origin="old", checksum=None)
    labels = {"logits_gender": ["w", "m", "c"]}
    install(write_model(tmp_path / "new", labels=labels), target, origin="new", checksum=None)
    assert json.loads((target / "model.json").read_text())["outputs"]["logits_gender"] == [*"wmc"]
    assert audonnx.load(str(target)).outputs["logits_gender"].labels == [*"wmc"]


def test_the_onnx_file_may_have_another_name(source, target):
    (source / "model.onnx").rename(source / "other name.onnx")
    define(source, f"{NAME}:\n  path: other name.onnx\n")
    install(source, target, origin="here", checksum=None)
    assert audonnx.load(str(target)).path == str(target / "model.onnx")


def test_labels_are_text(source, target):
    labels = "{logits_age: [2020-01-01], logits_gender: [no, 1, 0.5]}"
    define(source, f"{NAME}:\n  path: model.onnx\n  labels: {labels}\n")
    install(source, target, origin="here", checksum=None)
    outputs = json.loads((target / "model.json").read_text())["outputs"]
    assert outputs["logits_gender"] == ["False", "1", "0.5"]
    assert outputs["logits_age"] == ["2020-01-01"]


RUN = "{$subprocess.Popen: {args: [touch, MARKER]}}"


def place(text, marker):
    return text.replace("RUN", RUN).replace("NAME", NAME).replace("MARKER", str(marker))


@pytest.mark.parametrize(
    "text",
    [
        "RUN",
        "$os.system: {command: touch MARKER}",
        "NAME: {path: model.onnx, transform: RUN}",
        "NAME: {path: model.onnx, transform: {signal: RUN}}",
        "NAME: {path: model.onnx, labels: {logits_age: [RUN]}}",
        "NAME: {path: model.onnx, labels: {a: {b: [[RUN]]}}}",
        "NAME: {path: model.onnx, ignored: &a RUN, transform: *a}",
        '"$audonnx:subprocess.Popen": {args: [touch, MARKER]}',
        '"$subprocess.Popen==1.0.0": {args: [touch, MARKER]}',
        '"NAME:subprocess.Popen": {args: [touch, MARKER]}',
        '"$subprocess.Popen==audonnx.core.model.Model": {args: [touch, MARKER]}',
        "auglib.core.transform.Function: {args: [touch, MARKER]}",
        "NAME: {path: model.onnx, transform: {auglib.core.transform.Function: {}}}",
        "$audonnx.core.function.Function: {func: import os; os.system('touch MARKER')}",
        "NAME: {path: model.onnx, transform: {$audonnx.core.function.Function:"
        " {func: import os; os.system('touch MARKER')}}}",
        "# here audonnx falls back on transform.yaml\nNAME: {path: model.onnx, transform: RUN}",
    ],
)
def test_classes_are_refused_and_nothing_runs(source, target, tmp_path, text):
    marker = tmp_path / "marker"
    define(source, place(text, marker))
    refused(source, target, "which is not run|does not describe")
    assert not marker.exists()


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['touch MARKER']\n",
        f"{NAME}:\n  path: !!python/object/apply:os.system ['touch MARKER']\n",
        f"{NAME}:\n  path: model.onnx\n  labels: !!python/tuple [a]\n",
        f"{NAME}:\n  path: model.onnx\n  when: 2020-13-45\n",
        "a: [\n",
        "\x00",
        "&a [*a]: 1\n",
        "[" * 5000,
        f"{NAME}: {{path: model.onnx, labels: !!omap [a: {RUN}]}}",
        f"{NAME}: {{path: model.onnx, labels: !!pairs [a: {RUN}]}}",
        f"{NAME}: {{path: model.onnx, transform: {{<<: {RUN}}}}}",
    ],
)
def test_yaml_that_is_not_plain_is_refused(source, target, tmp_path, text):
    marker = tmp_path / "marker"
    define(source, text.replace("MARKER", str(marker)))
    refused(
        source, target, "which is not accepted from a|is not valid YAML|are not a list of names"
    )
    assert not marker.exists()


def test_bytes_that_are_no_text_are_refused(source, target):
    (source / "model.yaml").write_bytes(b"\xff\xfe\xfa$audonnx")
    refused(source, target, "is not a text file in UTF-8")


def test_yaml_that_contains_itself_is_refused(source, target):
    define(source, f"{NAME}: &a\n  path: model.onnx\n  labels: *a\n")
    refused(source, target, "the alias .a of no earlier part")


@pytest.mark.parametrize("before", ["# a comment\n", "---\n", "\n"])
def test_files_beside_the_model_are_not_read(source, target, tmp_path, before):
    marker = tmp_path / "marker"
    define(source, f"{before}{NAME}:\n  path: model.onnx\n")
    (source / "transform.yaml").write_text(place("RUN", marker))
    (source / "labels.yaml").write_text("logits_gender: [x, y, z]")
    install(source, target, origin="here", checksum=None)
    assert audonnx.load(str(target)).outputs["logits_gender"].labels == [
        f"logits_gender-{i}" for i in range(3)
    ]
    assert not marker.exists()
    assert not (target / "transform.yaml").exists()


def test_a_transform_that_runs_leaves_the_marker(source, tmp_path):
    marker = tmp_path / "marker"
    define(source, f"# legacy\n{NAME}:\n  path: model.onnx\n")
    (source / "transform.yaml").write_text(place("RUN", marker))
    audonnx.load(str(source)).inputs["signal"].transform.wait()
    assert marker.exists()


@pytest.mark.parametrize("text", ["", "text", "[a]", "{}", "a: {}", f"{NAME}: []", f"{NAME}:"])
def test_yaml_without_a_model_is_refused(source, target, text):
    define(source, text)
    refused(source, target, "does not describe")


def test_two_models_in_one_yaml_are_refused(source, target):
    define(source, f"{NAME}:\n  path: model.onnx\n$audonnx.Model:\n  path: model.onnx\n")
    refused(source, target, "does not describe one audonnx model")


@pytest.mark.parametrize("path", ["../other.onnx", "a/../../other.onnx", "ABSOLUTE", "link.onnx"])
def test_files_outside_of_the_folder_are_refused(source, target, path):
    other = source.parent / "other.onnx"
    other.write_bytes((source / "model.onnx").read_bytes())
    (source / "link.onnx").symlink_to(other)
    define(source, yaml.safe_dump({NAME: {"path": path.replace("ABSOLUTE", str(other))}}))
    refused(source, target, "names a file outside of its folder: other.onnx")


@pytest.mark.parametrize("path", ["", ".", "..", "/"])
def test_a_path_of_a_folder_is_refused(source, target, path):
    define(source, yaml.safe_dump({NAME: {"path": path}}))
    refused(source, target, "outside of its folder|is not there")


def test_missing_files(source, target):
    (source / "model.onnx").unlink()
    refused(source, target, "names model.onnx, but the file is not there")
    (source / "model.yaml").unlink()
    refused(source, target, "has no model.yaml")
    (source / "model.yaml").mkdir()
    refused(source, target, "has no model.yaml")


@pytest.mark.parametrize("content", [b"", b"text", None])
def test_corrupt_onnx_is_refused(source, target, content):
    path = source / "model.onnx"
    path.write_bytes(path.read_bytes()[:-200] if content is None else content)
    refused(source, target, "model from here .*: export it again")


def test_labels_that_do_not_fit_are_refused(source, target):
    define(source, f"{NAME}:\n  path: model.onnx\n  labels: {{logits_gender: [a, b]}}\n")
    refused(source, target, "audonnx cannot load the model from here .*2 labels")


def test_find_root(source, tmp_path):
    assert find_root(tmp_path) == source
    assert find_root(source) == source
    write_model(tmp_path / "second")
    with pytest.raises(InputError, match="but 2 files called"):
        find_root(tmp_path)
    with pytest.raises(InputError, match="but 0 files"):
        find_root(tmp_path / "missing")


def test_labels_of_an_unknown_output_are_refused(source, target):
    define(source, f"{NAME}:\n  path: model.onnx\n  labels: {{logits_sex: [a, b]}}\n")
    refused(
        source,
        target,
        "no output 'logits_sex', .* its outputs are hidden_states, logits_age, logits_gen",
    )


def test_a_declared_sampling_rate_is_kept(source, target):
    define(source, f"{NAME}:\n  path: model.onnx\n  sampling_rate: 8000\n")
    install(source, target, origin="here", checksum=None)
    assert json.loads((target / "model.json").read_text())["sampling_rate"] == "8000"
    assert "sampling_rate" not in (target / "model.yaml").read_text()


@pytest.mark.parametrize("declared", [None, "16000", "16000.0", "as trained"])
def test_a_model_with_the_same_or_no_sampling_rate_is_accepted(declared):
    require_rate(declared, 16000, "mine")


def test_a_model_with_another_sampling_rate_is_refused():
    with pytest.raises(
        InputError, match=r"mine expects 8000 Hz .* 16000 Hz: set models\.mine\.samp"
    ):
        require_rate("8000", 16000, "mine")


def change(path, edit):
    proto = onnx.load(str(path))
    edit(proto)
    onnx.save(proto, str(path))


def test_weights_in_other_files_are_refused_before_they_are_read(source, target):
    path = source / "model.onnx"
    onnx.save(
        onnx.load(str(path)),
        str(path),
        save_as_external_data=True,
        location="weights.bin",
        size_threshold=0,
    )
    assert (source / "weights.bin").exists()
    refused(source, target, "model from here keeps its weights in other files: save it as one")


def add_input(proto):
    proto.graph.input.append(helper.make_tensor_value_info("rate", TensorProto.FLOAT, [1]))


def shape_input(*shape, kind=TensorProto.FLOAT):
    def edit(proto):
        proto.graph.input[0].CopyFrom(helper.make_tensor_value_info("signal", kind, shape))

    return edit


@pytest.mark.parametrize(
    ("edit", "match"),
    [
        (add_input, "model from here has the inputs signal, rate: export one"),
        (shape_input(1, 16000), "takes 16000 samples at a time: set window.seconds to 1"),
        (shape_input(2, "time"), r"shape \(2, any\): "),
        (shape_input("batch", "time"), r"shape \(any, any\): "),
    ],
)
def test_a_model_that_does_not_take_one_signal_is_refused(source, target, edit, match):
    change(source / "model.onnx", edit)
    refused(source, target, match)


def test_an_input_of_another_type_is_refused(source, target):
    def half(proto):
        cast = helper.make_node("Cast", ["half"], ["signal"], to=TensorProto.FLOAT)
        value = helper.make_tensor_value_info("half", TensorProto.FLOAT16, [1, "time"])
        proto.graph.input[0].CopyFrom(value)
        proto.graph.node.insert(0, cast)

    change(source / "model.onnx", half)
    refused(source, target, r"input half of the model from here is a tensor\(float16\): ")


LABELS = {"logits_age": ["age"], "logits_gender": ["female", "male", "child"]}


def test_a_bare_onnx_file_becomes_the_same_model(source, target, tmp_path):
    install_onnx(source / "model.onnx", LABELS, target, origin="https://example.org/a.onnx")
    install(source, tmp_path / "other", origin="https://example.org/a.onnx", checksum=None)
    for name in ("model.onnx", "model.json"):
        assert (target / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
    assert sorted(p.name for p in target.iterdir()) == ["model.json", "model.onnx", "model.yaml"]
    model = audonnx.load(str(target))
    assert model.path == str(target / "model.onnx")
    signal = noise(0.5)[None]
    expected = audonnx.load(str(source))(signal, 16000)
    for name, value in model(signal, 16000).items():
        assert (value == expected[name]).all()


def test_a_bare_onnx_file_may_take_batches(source, target):
    def batches(proto):
        shape_input("batch", "time")(proto)
        for output in proto.graph.output:
            output.type.tensor_type.shape.dim[0].dim_param = "batch"

    expected = audonnx.load(str(source))(noise(0.5), 16000)
    change(source / "model.onnx", batches)
    install_onnx(source / "model.onnx", LABELS, target, origin="here")
    found = audonnx.load(str(target))(noise(0.5), 16000)
    assert {name: value.tolist() for name, value in found.items()} == {
        name: value.tolist() for name, value in expected.items()
    }
    digest = hashlib.sha256((source / "model.onnx").read_bytes()).hexdigest()
    assert json.loads((target / "model.json").read_text())["sha256"] == digest


@pytest.mark.parametrize(
    ("labels", "match"),
    [
        ({"logits_sex": ["a"]}, "no output 'logits_sex'"),
        ({"logits_gender": ["a", "b"]}, "Cannot assign 2 labels to output node 'logits_gender'"),
    ],
)
def test_labels_of_a_bare_onnx_file_must_fit(source, target, labels, match):
    with pytest.raises(InputError, match=match):
        install_onnx(source / "model.onnx", labels, target, origin="here")
    assert not list(target.iterdir())


def test_outputs_that_are_no_vector_are_described(source, target, capsys):
    add_frames(source / "model.onnx")
    add_text(source / "model.onnx")
    install(source, target, origin="here", checksum=None)
    card = json.loads((target / "model.json").read_text())
    assert list(card["outputs"]) == ["hidden_states", "logits_age", "logits_gender"]
    assert list(card["refused"]) == ["last_hidden_state", "label"]
    assert "has the shape (1, 48000), but" in card["refused"]["last_hidden_state"]
    assert "holds text" in card["refused"]["label"]
    assert "The output label holds text or other values that are not numbers: it cannot be" in (
        capsys.readouterr().out
    )


def test_files_of_a_killed_process_are_removed(source, target):
    left = target / ".checked-abc"
    left.mkdir(parents=True)
    (left / "model.onnx").write_bytes(b"half")
    install(source, target, origin="here", checksum=None)
    assert sorted(p.name for p in target.iterdir()) == ["model.json", "model.onnx", "model.yaml"]


def test_a_model_that_needs_more_memory_than_there_is_does_not_blame_the_file(source, target):
    def huge(proto):
        size = numpy_helper.from_array(np.array([2**40, 1]), "size")
        proto.graph.initializer.append(size)
        proto.graph.node.append(helper.make_node("ConstantOfShape", ["size"], ["huge"]))
        node = helper.make_node("ReduceMean", ["huge"], ["mean_of_huge"], keepdims=0)
        proto.graph.node.append(node)
        value = helper.make_tensor_value_info("mean_of_huge", TensorProto.FLOAT, [])
        proto.graph.output.append(value)

    change(source / "model.onnx", huge)
    with pytest.raises(MachineError, match=r"^3 s of noise by .*because of the machine") as error:
        install(source, target, origin="here", checksum=None)
    assert "\n" not in str(error.value)
    assert not list(target.iterdir())


@pytest.mark.parametrize("add", [add_frames, add_text])
def test_labels_of_an_output_that_is_no_vector_are_refused(source, target, add):
    add(source / "model.onnx", "extra")
    with pytest.raises(InputError, match="Labels are given for the output extra of the model from"):
        install_onnx(source / "model.onnx", {"extra": ["one"]}, target, origin="here")
    assert not list(target.iterdir())


def test_activations_are_described(tmp_path, target):
    last = {"logits_gender": "Softmax", "logits_age": "Sigmoid"}
    install(write_model(tmp_path / "m", activations=last), target, origin="here", checksum=None)
    card = json.loads((target / "model.json").read_text())
    assert card["activations"] == {"logits_gender": "softmax", "logits_age": "sigmoid"}
