"""Outputs of models are read correctly for each kind of last operation."""

import copy
import json

import audonnx
import numpy as np
import onnx
import pandas as pd
import pytest
from small_inputs import LABELS, add_frames, add_text, write_model
from small_study import study_config
from snakemake_cli import planned, snakemake, write_config
from voxslice.models.transforms import folder_checksum

pytestmark = pytest.mark.workflow

KINDS = {
    "logits": {},
    "softmax": {"logits_gender": "Softmax"},
    "sigmoid": {"logits_gender": "Sigmoid"},
}
"""Models that differ in the last operation of the output for gender."""


def spell_out_softmax(path):
    """Write the softmax of a model as several operations, as old exporters do."""
    proto = onnx.load(str(path))
    nodes = proto.graph.node
    last = next(node for node in nodes if node.op_type == "Softmax")
    nodes.remove(last)
    make = onnx.helper.make_node
    nodes.extend(
        [
            make("Exp", [last.input[0]], ["exp"]),
            make("ReduceSum", ["exp", "axes"], ["sum"], keepdims=1),
            make("Div", ["exp", "sum"], list(last.output)),
        ]
    )
    onnx.save(proto, str(path))


def replace_output(path, nodes, kind, shape):
    """Let new nodes, which read `inner`, produce the output logits_gender."""
    proto = onnx.load(str(path))
    last = next(node for node in proto.graph.node if "logits_gender" in node.output)
    last.output[0] = "inner"
    proto.graph.node.extend(nodes)
    outputs = proto.graph.output
    position = [output.name for output in outputs].index("logits_gender")
    outputs[position].CopyFrom(onnx.helper.make_tensor_value_info("logits_gender", kind, shape))
    onnx.save(proto, str(path))


def spread_over_time(path):
    """Give the logits of a model a time axis, with the same values at each time."""
    make = onnx.helper.make_node
    one = onnx.helper.make_tensor("one", onnx.TensorProto.INT64, [1], [1])
    nodes = [
        make("Constant", [], ["one"], value=one),
        make("Unsqueeze", ["inner", "one"], ["wide"]),
        make("Shape", ["signal"], ["length"], start=1),
        make("Concat", ["one", "length", "one"], ["shape"], axis=0),
        make("Expand", ["wide", "shape"], ["logits_gender"]),
    ]
    replace_output(path, nodes, onnx.TensorProto.FLOAT, [1, "frames", 3])


def give_the_index(path):
    """Let a model give the number of the class instead of its logits."""
    node = onnx.helper.make_node("ArgMax", ["inner"], ["logits_gender"], axis=1, keepdims=0)
    replace_output(path, [node], onnx.TensorProto.INT64, [1])


def turned(signal, sampling_rate):
    """The signal with the other sign, as the code of a transform."""
    return -signal


def write_trusted(folder):
    """Write a model that turns the sign back before all else, and has a transform that turns it."""
    path = write_model(folder) / "model.onnx"
    proto = onnx.load(str(path))
    for node in proto.graph.node:
        node.input[:] = ["back" if name == "signal" else name for name in node.input]
    own = [onnx.helper.make_node("Neg", ["signal"], ["back"]), *proto.graph.node]
    del proto.graph.node[:]
    proto.graph.node.extend(own)
    onnx.save(proto, str(path))
    model = audonnx.Model(str(path), labels=LABELS, transform=audonnx.Function(turned))
    model.to_yaml(str(folder / "model.yaml"))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("kinds")


@pytest.fixture(scope="module")
def config(folder):
    config = study_config(folder)
    config["models"] = {}
    for name, activations in KINDS.items():
        source = write_model(folder / name, activations=activations)
        config["models"][name] = {
            "path": str(source),
            "tasks": ["gender", "adult"],
            "license": "MIT",
        }
    spelt = write_model(folder / "spelt", activations=KINDS["softmax"])
    spell_out_softmax(spelt / "model.onnx")
    config["models"]["spelt"] = {
        "onnx": str(spelt / "model.onnx"),
        "outputs": LABELS,
        "tasks": ["gender", "adult"],
        "license": "MIT",
    }
    for name, add in (("frames", add_frames), ("text", add_text)):
        source = write_model(folder / name)
        add(source / "model.onnx")
        config["models"][name] = {
            "onnx": str(source / "model.onnx"),
            "outputs": LABELS,
            "tasks": ["gender", "adult"],
            "license": "MIT",
        }
    for name, edit in (("over_time", spread_over_time), ("index", give_the_index)):
        source = write_model(folder / name)
        edit(source / "model.onnx")
        config["models"][name] = {
            "onnx": str(source / "model.onnx"),
            "outputs": LABELS,
            "tasks": ["gender"],
            "license": "MIT",
        }
    config["models"]["over_time"]["pool"] = {"logits_gender": "mean"}
    trusted = write_trusted(folder / "trusted")
    config["models"]["trusted"] = {
        "path": str(trusted),
        "trust": "transform",
        "sha256": folder_checksum(trusted),
        "tasks": ["gender"],
        "license": "MIT",
    }
    config["models"]["softmax_fp16"] = {"derive": {"from": "softmax", "quantize": "fp16"}}
    config["tasks"] = {
        "gender": config["tasks"]["gender"] | {"labels": ["female", "male", "child"]},
        "adult": config["tasks"]["gender"]
        | {"labels": ["female", "male"], "classes": {"child": "female"}},
    }
    return config


@pytest.fixture(scope="module")
def study(folder, config):
    path = write_config(folder / "study.yaml", config)
    snakemake(folder, "metrics", "results/report/voices/gender.html", configfiles=[path])
    return folder


def scores(study, task, model):
    return pd.read_parquet(study / f"results/scores/voices/{task}/{model}.parquet")


def summary(study, task, model):
    return json.loads((study / f"results/scores/voices/{task}/{model}.json").read_text())


@pytest.mark.parametrize("task", ["gender", "adult"])
@pytest.mark.parametrize("model", ["softmax", "spelt", "softmax_fp16"])
def test_a_softmax_in_the_model_changes_no_result(study, task, model):
    expected, found = scores(study, task, "logits"), scores(study, task, model)
    tolerance = 5e-3 if model == "softmax_fp16" else 1e-5
    pd.testing.assert_frame_equal(found, expected, check_exact=False, atol=tolerance)
    assert summary(study, task, model)["scale"] == "probabilities"
    metrics = pd.read_csv(study / f"results/metrics/voices/{task}.csv").set_index("model")
    pd.testing.assert_frame_equal(
        metrics.loc[model].reset_index(drop=True), metrics.loc["logits"].reset_index(drop=True)
    )


def test_an_output_over_time_is_pooled(study):
    expected, found = scores(study, "gender", "logits"), scores(study, "gender", "over_time")
    pd.testing.assert_frame_equal(found, expected, check_exact=False, atol=1e-4)  # float32 sums


def test_a_trusted_transform_computes_the_input(study):
    pd.testing.assert_frame_equal(
        scores(study, "gender", "trusted"), scores(study, "gender", "logits")
    )
    card = json.loads((study / "resources/models/trusted/model.json").read_text())
    assert card["transform"]["classes"] == ["audonnx.core.function.Function"]
    page = (study / "results/report/voices/gender.html").read_text(encoding="utf-8")
    assert page.count("(audonnx.core.function.Function), which the config trusts.") == 1


def test_the_number_of_a_class_is_a_prediction(study):
    expected, found = scores(study, "gender", "logits"), scores(study, "gender", "index")
    assert found["prediction"].tolist() == expected["prediction"].tolist()
    assert set(found["p_female"]) <= {0.0, 1.0}
    assert "whose number the model gives" in summary(study, "gender", "index")["notes"][0]


@pytest.mark.parametrize("model", ["frames", "text"])
def test_an_output_that_nothing_reads_changes_no_result(study, model):
    pd.testing.assert_frame_equal(scores(study, "gender", model), scores(study, "gender", "logits"))
    predictions = pd.read_parquet(study / f"results/predictions/voices/{model}/0.parquet")
    assert list(predictions) == ["file", "start", "end", *LABELS["logits_gender"]]
    failures = pd.read_csv(study / f"results/failures/voices/{model}.csv")
    assert len(failures) == 0


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (
            {"models": {"frames": {"tasks": ["frames"]}}, "output": "last_hidden_state"},
            "Error: The model frames cannot be used, since the output last_hidden_state is not one"
            " vector per utterance: it has the shape (1, 48000), but",
        ),
        (
            {"models": {"text": {"tasks": ["frames"]}}, "output": "label"},
            "Error: The model text cannot be used, since the output label holds text",
        ),
        (
            {"models": {"text": {"tasks": ["frames"]}}, "output": "logits_sex"},
            "Error: The model text has no output 'logits_sex', but hidden_states, logits_age,",
        ),
    ],
)
def test_outputs_of_a_task_are_checked_before_utterances_are_scored(
    folder, config, tmp_path, edit, sentence
):
    edited = copy.deepcopy(config)
    [(name, changes)] = edit["models"].items()
    edited["models"] = {name: edited["models"][name] | changes}
    edited["tasks"] = {"frames": edited["tasks"]["gender"] | {"output": edit["output"]}}
    path = write_config(tmp_path / "study.yaml", edited)
    process = snakemake(tmp_path, "predictions", configfiles=[path], check=False)
    assert process.returncode != 0 and "Traceback" not in process.stdout
    assert sentence in process.stdout


def test_a_sigmoid_is_used_as_it_is(study):
    predictions = pd.read_parquet(study / "results/predictions/voices/sigmoid/0.parquet")
    values = predictions[["female", "male", "child"]].to_numpy(float)
    assert (abs(values.sum(axis=1) - 1) > 0.01).any()
    found = scores(study, "gender", "sigmoid")
    np.testing.assert_allclose(found[["p_female", "p_male", "p_child"]], values, atol=1e-6)
    merged = scores(study, "adult", "sigmoid")
    female = values[:, 0] + values[:, 2]
    np.testing.assert_allclose(merged["p_female"], female / values.sum(axis=1), atol=1e-6)


def test_log_card_and_report_name_the_scale(study):
    assert summary(study, "gender", "logits") == {"scale": "logits", "notes": []}
    page = (study / "results/report/voices/gender.html").read_text(encoding="utf-8")
    reasons = {
        "softmax": "its last operation is a softmax",
        "spelt": "it is never negative and sums",
    }
    for model, reason in reasons.items():
        log = (study / f"logs/score/voices/gender/{model}.log").read_text()
        start = f"The output logits_gender of {model} holds probabilities, since {reason}"
        assert start in log and start in page
    scales = [
        json.loads(path.read_text(encoding="utf-8"))["scale"]
        for path in (study / "results/scores/voices/gender").glob("*.json")
    ]
    sentence = "Its output contains probabilities, which are used without change."
    assert page.count(sentence) == scales.count("probabilities") >= 4
    assert "The output logits_gender of logits" not in page


def test_the_config_decides_and_scores_that_model_again(study, config, folder):
    edited = copy.deepcopy(config)
    edited["models"]["softmax"]["scale"] = {"logits_gender": "logits"}
    path = write_config(folder / "edited.yaml", edited)
    jobs = planned(study, "metrics", configfiles=[path])
    assert [job for job in jobs if not job.startswith("measure ")] == [
        f"score dataset=voices task={task} model={model}"
        for task in ("adult", "gender")
        for model in ("softmax", "softmax_fp16")
    ]
