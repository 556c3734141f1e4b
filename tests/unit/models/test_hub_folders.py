"""Folders as Optimum writes them: labels, normalisation, masks, weights beside the graph."""

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import RunOptions
from small_inputs import noise
from voxslice.errors import InputError
from voxslice.models.fetching import fetch_model
from voxslice.models.sessions import load, run

LABELS = ["calm", "angry"]
CONFIG = {
    "architectures": ["Wav2Vec2ForSequenceClassification"],
    "id2label": {"0": "calm", "1": "angry"},
    "label2id": {"calm": 0, "angry": 1},
}
EXTRACTOR = {"do_normalize": True, "sampling_rate": 16000, "feature_extractor_type": "Wav2Vec2"}
HUB = Path(__file__).parents[2] / "data" / "hub"


def write_hub(
    folder, *, mask=False, length="length", input_name="input_values", config=None, extractor=None
):
    """Write a folder whose logits are twice the mean of the absolute signal, and minus that."""
    (folder / "onnx").mkdir(parents=True, exist_ok=True)
    nodes = [helper.make_node("Abs", [input_name], ["loud"])]
    if mask:
        nodes.append(helper.make_node("Cast", ["attention_mask"], ["ones"], to=TensorProto.FLOAT))
        nodes.append(helper.make_node("Mul", ["loud", "ones"], ["seen"]))
    nodes += [
        helper.make_node("ReduceMean", ["seen" if mask else "loud"], ["level"], axes=[1]),
        helper.make_node("MatMul", ["level", "weights"], ["logits"]),
    ]
    names = [(input_name, TensorProto.FLOAT), ("attention_mask", TensorProto.INT64)][: 1 + mask]
    graph = helper.make_graph(
        nodes,
        "hub",
        [helper.make_tensor_value_info(name, kind, ["batch", length]) for name, kind in names],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])],
        [numpy_helper.from_array(np.array([[2, -1]], np.float32), "weights")],
    )
    proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.save(proto, str(folder / "onnx" / "model.onnx"))
    (folder / "config.json").write_text(json.dumps(CONFIG | (config or {})))
    (folder / "preprocessor_config.json").write_text(json.dumps(EXTRACTOR | (extractor or {})))
    return folder


def fetch(folder, target, **source):
    fetch_model(
        {"hub": {"path": str(folder), **source.pop("hub", {})}, **source},
        target,
        download=False,
        record=target / "record.json",
        max_megabytes=100,
        max_minutes=1,
        max_seconds=60,
    )
    return json.loads((target / "model.json").read_text())


def logits(target, signal):
    model = load(target, threads=1)
    return run(model, signal[np.newaxis], ["logits"], RunOptions())["logits"][0]


@pytest.mark.parametrize("mask", [False, True])
@pytest.mark.parametrize("normalize", [False, True])
def test_the_installed_model_takes_a_plain_signal(tmp_path, mask, normalize):
    folder = write_hub(tmp_path / "hub", mask=mask, extractor={"do_normalize": normalize})
    card = fetch(folder, tmp_path / "model")
    assert card["outputs"] == {"logits": LABELS}
    assert card["sampling_rate"] == "16000"
    for seconds in (0.1, 1, 3.3):
        signal = noise(seconds) + np.float32(0.1)
        seen = signal
        if normalize:
            seen = (signal - signal.mean()) / np.sqrt(signal.var() + 1e-7)
        level = np.abs(seen).mean()
        np.testing.assert_allclose(
            logits(tmp_path / "model", signal), [2 * level, -level], rtol=1e-5
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["wav2vec2", "hubert", "wavlm", "whisper", "ast"])
def test_models_of_transformers_give_their_reference_outputs(tmp_path, name):
    card = fetch(HUB / name, tmp_path / "model")
    assert card["outputs"]["logits"] == ["anger", "neutral", "sadness"]
    reference = np.load(HUB / name / "reference.npz")
    found = [logits(tmp_path / "model", reference[f"signal_{index}"]) for index in range(3)]
    expected = np.concatenate([reference[f"logits_{index}"] for index in range(3)])
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.ptp(expected, axis=0).max() > 0.01  # the signals differ for the model
    assert ("first_seconds" in card) == (name in ("whisper", "ast"))


@pytest.mark.slow
@pytest.mark.parametrize("file", ["model.onnx", "model_mask.onnx"])
@pytest.mark.parametrize("normalize", [False, True])
@pytest.mark.parametrize("name", ["wav2vec2", "hubert", "wavlm"])
def test_normalisation_and_masks_are_those_of_transformers(tmp_path, name, normalize, file):
    """Also in a padded batch with a real mask, where padding does not change a model."""
    folder = tmp_path / "hub"
    shutil.copytree(HUB / name, folder)
    (folder / "reference.npz").unlink()
    path = folder / "preprocessor_config.json"
    settings = json.loads(path.read_text()) | {"do_normalize": normalize}
    path.write_text(json.dumps(settings))
    inputs = [value.name for value in onnx.load(str(folder / "onnx" / file)).graph.input]
    assert ("attention_mask" in inputs) == (file == "model_mask.onnx")
    fetch(folder, tmp_path / "model", hub={"file": file})
    signals = np.load(HUB / name / "reference.npz")
    found = [logits(tmp_path / "model", signals[f"signal_{index}"]) for index in range(3)]
    expected = dict(np.load(HUB / name / "outputs.npz"))
    kind = "normalized" if normalize else "plain"
    np.testing.assert_allclose(found, expected[kind], atol=1e-4)
    assert (f"{kind}_mask" in expected) == (name != "wav2vec2")  # whose outputs padding changes
    if name != "wav2vec2":  # its group normalisation undoes that of the signal
        np.testing.assert_allclose(found, expected[f"{kind}_mask"], atol=1e-4)
        assert np.abs(expected["plain"] - expected["normalized"]).max() > 0.01


def test_files_of_models_for_tests_are_small():
    sizes = [path.stat().st_size for path in HUB.rglob("*") if path.is_file()]
    assert sizes and max(sizes) < 300_000


def test_weights_beside_the_graph_are_joined(tmp_path):
    folder = write_hub(tmp_path / "hub")
    path = folder / "onnx" / "model.onnx"
    fetch(folder, tmp_path / "whole")
    onnx.save(
        onnx.load(str(path)),
        str(path),
        save_as_external_data=True,
        location="model.onnx_data",
        size_threshold=0,
    )
    card = fetch(folder, tmp_path / "parts")
    assert card["parameters"] == 2
    signal = noise(1)
    assert (logits(tmp_path / "parts", signal) == logits(tmp_path / "whole", signal)).all()
    (folder / "onnx" / "model.onnx_data").unlink()
    refused(folder, tmp_path, "are in the file model.onnx_data, which is missing: copy it beside")


def test_weights_outside_of_the_folder_are_refused(tmp_path):
    folder = write_hub(tmp_path / "hub")
    path = folder / "onnx" / "model.onnx"
    proto = onnx.load(str(path))
    onnx.external_data_helper.set_external_data(proto.graph.initializer[0], "../../secret")
    proto.graph.initializer[0].ClearField("raw_data")
    onnx.save(proto, str(path))
    (tmp_path / "secret").write_bytes(bytes(8))
    refused(folder, tmp_path, "keeps weights outside of its folder")


def test_another_file_of_the_folder_is_a_variant(tmp_path):
    folder = write_hub(tmp_path / "hub")
    (folder / "onnx" / "model.onnx").rename(folder / "onnx" / "model_quantized.onnx")
    refused(folder, tmp_path, "has no ONNX file model.onnx, but model_quantized.onnx: name one")
    card = fetch(folder, tmp_path / "model", hub={"file": "model_quantized.onnx"})
    assert card["outputs"] == {"logits": LABELS}


def test_a_variant_is_not_compared_with_reference_outputs(tmp_path):
    folder = write_hub(tmp_path / "hub")
    (folder / "onnx" / "model_int8.onnx").write_bytes((folder / "onnx" / "model.onnx").read_bytes())
    np.savez(folder / "reference.npz", signal_0=noise(1), logits_0=np.zeros(2, np.float32))
    file = {"file": "model_int8.onnx"}
    with pytest.raises(InputError, match="differs by"):
        fetch(folder, tmp_path / "model", hub=file)
    card = fetch(folder, tmp_path / "model", hub=file, derive={"from": "whole", **file})
    assert card["origin"] == f"{folder}, model_int8.onnx" and card["parameters"] == 2


def test_labels_of_the_study_replace_those_of_the_folder(tmp_path):
    folder = write_hub(tmp_path / "hub", config={"architectures": ["EmotionModel"]})
    refused(folder, tmp_path, "was trained as EmotionModel, for which exporters add a head")
    card = fetch(folder, tmp_path / "model", outputs={"logits": ["low", "high"]})
    assert card["outputs"] == {"logits": ["low", "high"]}
    with pytest.raises(InputError, match="have another order than id2label"):
        fetch(folder, tmp_path / "model", outputs={"logits": LABELS[::-1]})


def refused(folder, tmp_path, sentence):
    with pytest.raises(InputError) as error:
        fetch(folder, tmp_path / "refused")
    assert sentence in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"length": 16000}, "takes 16000 samples at a time: set window.seconds to 1 (at 16"),
        ({"input_name": "input_features"}, "Wav2Vec2 computes features that are not part of the"),
        (
            {
                "input_name": "input_features",
                "extractor": {"feature_extractor_type": "SeamlessM4TFeatureExtractor"},
            },
            "has the inputs input_features: SeamlessM4TFeatureExtractor computes features that are"
            " not part of the graph, but only models that take the signal (input_values) or the"
            " features of WhisperFeatureExtractor or ASTFeatureExtractor can be run.",
        ),
        (
            {
                "input_name": "input_features",
                "extractor": {"feature_extractor_type": "WhisperFeatureExtractor"},
            },
            "has the inputs input_features (any, any), but the feature extractor in its",
        ),
        (
            {"config": {"architectures": ["Wav2Vec2ForPreTraining"]}},
            "a head for classes with",
        ),
        (
            {"config": {"id2label": {"0": "LABEL_0", "1": "LABEL_1"}, "label2id": {}}},
            "only LABEL_0",
        ),
        (
            {"config": {"label2id": {"calm": 1, "angry": 0}}},
            "contradicts itself: 'calm' is",
        ),
        ({"config": {"id2label": {"1": "calm", "2": "angry"}}}, "does not number the labels from"),
        ({"config": {"id2label": None}}, "has no id2label: give the labels in outputs.logits"),
        ({"config": {"id2label": {"0": "calm"}, "label2id": {}}}, "Cannot assign 1 labels"),
    ],
)
def test_each_mistake_is_one_sentence(tmp_path, settings, sentence):
    refused(write_hub(tmp_path / "hub", **settings), tmp_path, sentence)


@pytest.mark.parametrize("file", ["pytorch_model.bin", "model.safetensors"])
def test_a_checkpoint_without_a_graph_is_not_loaded(tmp_path, file):
    folder = write_hub(tmp_path / "hub")
    (folder / "onnx" / "model.onnx").unlink()
    refused(folder, tmp_path, "has no ONNX file: export it")
    (folder / file).write_bytes(b"cos\nsystem\n(S'touch marker'\ntR.")
    refused(folder, tmp_path, "is a checkpoint of PyTorch without an ONNX file, and is not loaded")


@pytest.mark.parametrize("file", ["config.json", "preprocessor_config.json"])
def test_a_missing_or_damaged_config_file_is_named(tmp_path, file):
    folder = write_hub(tmp_path / "hub")
    (folder / file).write_text("[" * 100_000)
    refused(folder, tmp_path, f"The file {file} of the model from")
    (folder / file).unlink()
    refused(folder, tmp_path, f"has no {file}: name a folder")
