"""The practice models of the embedded study: their features, outputs and training."""

from itertools import pairwise

import audonnx
import librosa
import numpy as np
import pytest
import yaml
from voxslice.demo import graph
from voxslice.demo.graph import FLOOR, HOP, WINDOW, Layer, Network
from voxslice.demo.practice import CALM, DIMENSIONS, SENTENCES, train
from voxslice.demo.speech import SAMPLING_RATE, Utterance, synthesise
from voxslice.demo.voices import EVALUATION_VOICES, STYLES

SIZE = {"voices_per_gender": 2, "sentences_per_voice": 2}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    train(folder, 1, **SIZE)
    return folder


@pytest.fixture(scope="module")
def speech():
    utterances = [
        Utterance("He told me about the meeting last night.", voice, STYLES[style])
        for voice in EVALUATION_VOICES[:4]
        for style in ("neutral", "sadness")
    ]
    return list(synthesise(utterances, 1))


def reference(signal, mels):
    """The front end's features by librosa."""
    window = librosa.filters.get_window("hann", WINDOW)
    power = librosa.feature.melspectrogram(
        y=signal,
        sr=SAMPLING_RATE,
        n_fft=WINDOW,
        hop_length=HOP,
        window=window / window.sum(),
        center=True,
        pad_mode="constant",
        n_mels=mels,
    )
    log = np.log(power + FLOOR)
    change = np.abs(np.diff(log, axis=1, prepend=log[:, :1]))
    return np.concatenate([log.mean(1), log.std(1), change.mean(1)])


@pytest.mark.slow
@pytest.mark.parametrize("mels", [16, 48])
def test_front_end_agrees_with_librosa(speech, mels):
    noise = np.random.default_rng(1).normal(0, 0.1, 12345).astype(np.float32)
    signals = [*speech[:2], noise]
    features = graph.compute(graph.front_end(mels), signals)
    expected = np.stack([reference(signal, mels) for signal in signals])
    np.testing.assert_allclose(features, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.filterwarnings("ignore:n_fft=512 is too large")  # librosa on short signals
@pytest.mark.parametrize("samples", [1, HOP - 1, HOP, WINDOW - 1, WINDOW, 16000])
def test_signals_of_any_length_give_numbers(models, samples):
    signal = np.full(samples, 0.1, dtype=np.float32)
    features = graph.compute(graph.front_end(16), [signal])
    np.testing.assert_allclose(features[0], reference(signal, 16), rtol=1e-3, atol=1e-3)
    for name in ("small", "big", "emotion"):
        for values in audonnx.load(str(models / name))(signal, SAMPLING_RATE).values():
            assert np.isfinite(values).all()


def test_silence_gives_the_floor():
    features = graph.compute(graph.front_end(16), [np.zeros(16000, dtype=np.float32)])[0]
    np.testing.assert_allclose(features[:16], np.log(FLOOR), rtol=1e-5)
    np.testing.assert_allclose(features[16:], 0, atol=1e-5)


def test_assembled_networks_compute_the_same_as_the_networks():
    rng = np.random.default_rng(1)
    sizes = (48, 5, 4, 3)
    layers = [Layer(rng.normal(size=(n, m)), rng.normal(size=m)) for n, m in pairwise(sizes)]
    network = Network(rng.normal(size=48), rng.uniform(1, 2, size=48), layers)
    signal = rng.normal(0, 0.1, 8000).astype(np.float32)
    features = graph.compute(graph.front_end(16), [signal])
    values = (features - network.mean) / network.scale
    for layer in layers[:-1]:
        values = np.maximum(values @ layer.weights + layer.bias, 0)
    model = audonnx.Model(graph.assemble({"out": network, "more": network}))
    outputs = model(signal, SAMPLING_RATE)
    np.testing.assert_allclose(outputs["hidden_states"], np.hstack([values, values]), rtol=1e-4)
    expected = values @ layers[-1].weights + layers[-1].bias
    np.testing.assert_allclose(outputs["out"], expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", ["small", "big"])
def test_models_of_age_and_gender_have_the_published_interface(models, speech, name):
    model = audonnx.load(str(models / name))
    assert list(model.inputs) == ["signal"]
    assert model.inputs["signal"].shape == [1, -1]
    assert list(model.outputs) == ["hidden_states", "logits_age", "logits_gender"]
    assert model.outputs["logits_age"].labels == ["age"]
    assert model.outputs["logits_gender"].labels == ["female", "male", "child"]
    outputs = model(speech[0], SAMPLING_RATE)
    assert outputs["hidden_states"].shape == (1, model.outputs["hidden_states"].shape[1])
    assert outputs["logits_age"].shape == (1, 1)
    assert outputs["logits_gender"].shape == (1, 3)


def test_the_model_of_emotion_has_the_published_interface(models, speech):
    model = audonnx.load(str(models / "emotion"))
    assert list(model.outputs) == ["hidden_states", "logits"]
    assert model.outputs["logits"].labels == ["arousal", "dominance", "valence"]
    for signal in [*speech, 20 * speech[0]]:
        logits = model(signal, SAMPLING_RATE, outputs="logits")
        assert logits.shape == (1, 3)
        assert ((logits >= 0) & (logits <= 1)).all()


def test_big_recognises_women_and_men_who_were_not_in_training(models, speech):
    model = audonnx.load(str(models / "big"))
    logits = np.concatenate([model(x, SAMPLING_RATE, outputs="logits_gender") for x in speech])
    predicted = np.array(["female", "male", "child"])[logits.argmax(1)]
    expected = np.repeat([voice.gender for voice in EVALUATION_VOICES[:4]], 2)
    assert (predicted == expected).mean() >= 0.75


def test_the_yaml_names_the_onnx_file_beside_it(models):
    (content,) = yaml.safe_load((models / "big" / "model.yaml").read_text()).values()
    assert content["path"] == "model.onnx"


@pytest.mark.slow
def test_training_again_gives_the_same_bytes_and_replaces_the_models(models, tmp_path):
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "stale").touch()
    train(tmp_path, 1, **SIZE)
    names = [
        f"{model}/{file}"
        for model in ("big", "emotion", "small")
        for file in ("model.onnx", "model.yaml")
    ]
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.*")) == names
    assert not (tmp_path / "small" / "stale").exists()
    for name in names:
        assert (tmp_path / name).read_bytes() == (models / name).read_bytes()


@pytest.mark.parametrize(("voices", "sentences"), [(0, 1), (1, 0), (1, len(SENTENCES) + 1)])
def test_training_without_voices_or_sentences_is_refused(tmp_path, voices, sentences):
    with pytest.raises(ValueError, match="at least one voice"):
        train(tmp_path, 1, voices, sentences)


def test_every_emotion_has_dimensions_and_a_style():
    assert set(DIMENSIONS) == set(STYLES)
    assert set(CALM) < set(STYLES)
