"""Log-mel features as part of a graph: they are those that transformers computes."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import InferenceSession
from small_inputs import noise
from voxslice.errors import InputError
from voxslice.models.fetching import fetch_model
from voxslice.models.log_mel import (
    SpectrogramTransformer,
    Whisper,
    add_front_end,
    read_settings,
)
from voxslice.models.sessions import load
from voxslice.models.speech_noise import speech_like
from voxslice.models.variants import derive

transformers = pytest.importorskip("transformers", reason="needs transformers for its features")
audio_utils = pytest.importorskip("transformers.audio_utils")

SIGNALS = {
    "shorter than a frame": noise(0.02),
    "one frame": noise(0.025),
    "short": speech_like(0.3, 16000, 0)[0],
    "no whole number of frames": speech_like(1.2345, 16000, 1)[0],
    "longer than the features": speech_like(3.3, 16000, 2)[0],
    "silent": np.zeros(16000, np.float32),
    "quiet": np.float32(1e-4) * noise(1.1),
    "loud beside silent": np.concatenate([noise(0.5), np.zeros(8000, np.float32)]),
    "with an offset": speech_like(1, 16000, 3)[0] + np.float32(0.3),
}
WHISPER = Whisper(chunk_length=2)
AST = SpectrogramTransformer(max_length=200, num_mel_bins=64, mean=-3.5, std=2.5)


def of_whisper(signal, settings):
    """Features by the feature extractor of transformers, in its version without torch."""
    names = ("feature_size", "sampling_rate", "hop_length", "chunk_length", "n_fft")
    extractor = transformers.WhisperFeatureExtractor(
        **{name: getattr(settings, name) for name in names}
    )
    return extractor(signal, sampling_rate=16000, return_tensors="np")["input_features"][0]


def of_ast(signal, settings):
    """Features by the functions of transformers, as the feature extractor of AST calls them."""
    filters = audio_utils.mel_filter_bank(
        num_frequency_bins=257,
        num_mel_filters=settings.num_mel_bins,
        min_frequency=20,
        max_frequency=8000,
        sampling_rate=16000,
        mel_scale="kaldi",
        triangularize_in_mel_space=True,
    )
    features = np.zeros((settings.max_length, settings.num_mel_bins))
    if len(signal) >= 400:
        found = audio_utils.spectrogram(
            signal,
            audio_utils.window_function(400, "hann", periodic=False),
            frame_length=400,
            hop_length=160,
            fft_length=512,
            power=2.0,
            center=False,
            preemphasis=0.97,
            mel_filters=filters,
            log_mel="log",
            mel_floor=1.192092955078125e-07,
            remove_dc_offset=True,
        ).T[: settings.max_length]
        features[: len(found)] = found
    return (features - settings.mean) / (2 * settings.std) if settings.do_normalize else features


def takes_features(shape, *, opset=14, name="features"):
    """A model whose output is its input, which has the shape of features."""
    graph = helper.make_graph(
        [helper.make_node("Identity", [name], ["out"])],
        "same",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])],
        [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["batch", *shape])],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def features(settings, signal, opset=14):
    model = takes_features(settings.shape, opset=opset)
    add_front_end(model, settings, "here")
    onnx.checker.check_model(model, full_check=True)
    session = InferenceSession(model.SerializeToString())
    return session.run(None, {"input_values": signal[np.newaxis]})[0][0]


@pytest.mark.slow
@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (WHISPER, of_whisper),
        (Whisper(chunk_length=1, feature_size=128), of_whisper),
        (AST, of_ast),
        (SpectrogramTransformer(max_length=99, do_normalize=False), of_ast),
    ],
)
def test_features_are_those_of_transformers(settings, expected, signal):
    found = features(settings, SIGNALS[signal])
    assert found.shape == settings.shape and found.dtype == np.float32
    np.testing.assert_allclose(found, expected(SIGNALS[signal], settings), atol=1e-5)


@pytest.mark.parametrize("settings", [WHISPER, AST])
def test_features_do_not_depend_on_the_opset(settings):
    signal = SIGNALS["short"]
    np.testing.assert_array_equal(
        features(settings, signal, opset=18), features(settings, signal, opset=13)
    )


@pytest.mark.slow
def test_the_default_settings_are_those_of_transformers():
    signal = SIGNALS["longer than the features"]
    found = features(Whisper(), signal)
    np.testing.assert_allclose(found, of_whisper(signal, Whisper()), atol=1e-5)
    own = SpectrogramTransformer()
    np.testing.assert_allclose(features(own, signal), of_ast(signal, own), atol=1e-5)


@pytest.mark.parametrize(
    ("extractor", "sentence"),
    [
        ({"n_fft": "many"}, "sets n_fft of WhisperFeatureExtractor to many, which cannot become"),
        ({"n_fft": 401}, "sets n_fft of"),
        ({"hop_length": 0}, "sets hop_length of"),
        ({"chunk_length": 10**5}, "sets chunk_length or max_length of"),
        ({"chunk_length": 30.5}, "sets chunk_length of"),
        ({"dither": 1e-3}, "sets dither of"),
        ({"feature_size": True}, "sets feature_size of"),
        (
            {"feature_extractor_type": "ASTFeatureExtractor", "sampling_rate": 8000},
            "sets sampling_rate of ASTFeatureExtractor to 8000",
        ),
        ({"feature_extractor_type": "ASTFeatureExtractor", "std": 0.0}, "sets std of"),
        ({"feature_extractor_type": "ASTFeatureExtractor", "do_normalize": 1}, "do_normalize of"),
        ({"feature_extractor_type": "ASTFeatureExtractor", "max_length": 10**5 + 1}, "max_length"),
    ],
)
def test_settings_that_cannot_be_computed_are_refused(extractor, sentence):
    kind = {"feature_extractor_type": "WhisperFeatureExtractor"}
    with pytest.raises(InputError) as error:
        read_settings(kind | extractor, "here")
    assert sentence in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(("settings", "seconds"), [(WHISPER, "2"), (AST, "2.015")])
def test_the_duration_that_is_used_is_printed(settings, seconds, capsys):
    signal = noise(float(seconds) + 0.5)
    found = features(settings, signal)
    assert f"The model uses the first {seconds} s of an utterance. Set w" in capsys.readouterr().out
    cut = round(float(seconds) * 16000)
    np.testing.assert_array_equal(found, features(settings, signal[:cut]))
    assert (found != features(settings, signal[: cut - 1])).any()


def test_other_feature_extractors_have_no_settings():
    kind = "SeamlessM4TFeatureExtractor"
    assert read_settings({"feature_extractor_type": kind}, "here") is None


def test_a_model_that_takes_other_features_is_refused():
    sentence = (
        r"inputs features \(any, 80, 100\), but the feature extractor in its preprocessor_config"
        r"\.json computes features of the shape \(80, 200\)"
    )
    with pytest.raises(InputError, match=sentence):
        add_front_end(takes_features((80, 100)), WHISPER, "here")


def write_hub(folder):
    """Write a folder whose logits are two means of the features of Whisper, times weights."""
    folder.mkdir()
    generator = np.random.default_rng(0)
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["input_features"], ["level"], axes=[2], keepdims=0),
            helper.make_node("MatMul", ["level", "weights"], ["logits"]),
        ],
        "hub",
        [
            helper.make_tensor_value_info(
                "input_features", TensorProto.FLOAT, ["batch", *WHISPER.shape]
            )
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", 2])],
        [numpy_helper.from_array(generator.normal(size=(80, 2)).astype(np.float32), "weights")],
    )
    opset = [helper.make_opsetid("", 14)]
    onnx.save(
        helper.make_model(graph, opset_imports=opset, ir_version=8), str(folder / "model.onnx")
    )
    config = {
        "architectures": ["WhisperForAudioClassification"],
        "id2label": {"0": "calm", "1": "angry"},
    }
    extractor = {
        "feature_extractor_type": "WhisperFeatureExtractor",
        "chunk_length": 2,
        "sampling_rate": 16000,
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "preprocessor_config.json").write_text(json.dumps(extractor))
    return folder


@pytest.mark.parametrize(("quantize", "tolerance"), [("int8", 0.05), ("fp16", 0.01)])
def test_variants_keep_the_features_in_64_bits(tmp_path, quantize, tolerance):
    source = {"hub": {"path": str(write_hub(tmp_path / "hub"))}}
    limits = {"max_megabytes": 100, "max_minutes": 1, "max_seconds": 60}
    record = tmp_path / "record.json"
    fetch_model(source, tmp_path / "model", download=False, record=record, **limits)
    card = json.loads((tmp_path / "model" / "model.json").read_text())
    assert card["parameters"] == 160  # the front end has none
    derive(tmp_path / "model", tmp_path / "variant", quantize=quantize, origin="model")
    stored = onnx.load(str(tmp_path / "variant" / "model.onnx")).graph.initializer
    assert sum(tensor.data_type == TensorProto.DOUBLE for tensor in stored) >= 2
    signal = SIGNALS["short"]
    own, expected = (
        load(tmp_path / name, threads=1)(signal, 16000) for name in ("variant", "model")
    )
    assert 0 < np.abs(own - expected).max() < tolerance * np.abs(expected).max()
