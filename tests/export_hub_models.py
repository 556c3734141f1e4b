"""Export small random models of transformers for tests, with reference outputs of transformers.

Run it only to make the folders in tests/data/hub again, in a separate environment:

    python -m venv ENV
    ENV/bin/pip install torch optimum-onnx onnxruntime
    ENV/bin/python tests/export_hub_models.py [NAME ...]

Each folder is as Optimum writes it, with `reference.npz`: signals, and the logits that transformers
computes for them with the feature extractor of the model.

The folders of models that take the signal have two more files. `onnx/model_mask.onnx` also takes
`attention_mask`. `outputs.npz` holds the logits for the same signals without and with normalisation
(`plain`, `normalized`), and those of all signals in one padded batch with their mask (`plain_mask`,
`normalized_mask`), for models that padding does not change.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from optimum.exporters.onnx import main_export
from transformers import (
    ASTConfig,
    ASTFeatureExtractor,
    ASTForAudioClassification,
    HubertConfig,
    HubertForSequenceClassification,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForSequenceClassification,
    WavLMConfig,
    WavLMForSequenceClassification,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForAudioClassification,
)

TARGET = Path(__file__).parent / "data" / "hub"
SECONDS = (0.3, 0.55, 1.0)
RATE = 16000
TASK = "audio-classification"
LABELS = ["anger", "neutral", "sadness"]
NAMED = {
    "id2label": dict(enumerate(LABELS)),
    "label2id": {label: index for index, label in enumerate(LABELS)},
    "attn_implementation": "eager",
}
SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
}
CONVOLUTIONS = {
    "conv_dim": (8, 8, 8),
    "conv_kernel": (10, 8, 4),
    "conv_stride": (5, 8, 8),
    "num_feat_extract_layers": 3,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "classifier_proj_size": 16,
    "num_buckets": 32,
    "max_bucket_distance": 64,
}
WAVEFORMS: dict[str, tuple[Any, Any, str, bool]] = {
    "wav2vec2": (Wav2Vec2Config, Wav2Vec2ForSequenceClassification, "group", True),
    "hubert": (HubertConfig, HubertForSequenceClassification, "layer", True),
    "wavlm": (WavLMConfig, WavLMForSequenceClassification, "layer", False),
}
"""Config, class, kind of normalisation in the graph, and whether the signal is normalised."""


def signals() -> list[np.ndarray]:
    """Noises that swell, of the three durations."""
    generator = np.random.default_rng(0)
    found = []
    for index, seconds in enumerate(SECONDS):
        samples = round(seconds * RATE)
        swell = np.sin(np.linspace(0, 9 * (index + 1), samples)) ** 2
        found.append((0.2 * swell * generator.standard_normal(samples)).astype(np.float32))
    return found


def waveform_model(name: str) -> tuple[Any, Any]:
    """Make a model that takes the signal, and its feature extractor."""
    config, kind, norm, normalize = WAVEFORMS[name]
    model = kind(config(feat_extract_norm=norm, **SMALL, **CONVOLUTIONS, **NAMED))
    with torch.no_grad():  # random logits would hardly depend on the signal
        model.classifier.weight.mul_(40)
    return model, Wav2Vec2FeatureExtractor(sampling_rate=RATE, do_normalize=normalize)


def whisper_model() -> tuple[Any, Any]:
    """Make a model of the encoder of Whisper for 2 s, and its feature extractor."""
    config = WhisperConfig(
        d_model=16,
        encoder_layers=2,
        encoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_layers=1,
        decoder_attention_heads=2,
        decoder_ffn_dim=32,
        vocab_size=8,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        decoder_start_token_id=1,
        max_source_positions=100,
        max_target_positions=4,
        classifier_proj_size=16,
        **NAMED,
    )
    model = WhisperForAudioClassification(config)
    with torch.no_grad():
        model.classifier.weight.mul_(40)
        for convolution in (model.encoder.conv1, model.encoder.conv2):
            convolution.weight.mul_(10)
    return model, WhisperFeatureExtractor(chunk_length=2)


def spectrogram_model() -> tuple[Any, Any]:
    """Make an audio spectrogram transformer for 0.8 s, and its feature extractor."""
    size = {"max_length": 80, "num_mel_bins": 32}
    model = ASTForAudioClassification(ASTConfig(**SMALL, **size, **NAMED))
    with torch.no_grad():
        model.classifier.dense.weight.mul_(40)
    return model, ASTFeatureExtractor(**size, mean=-4.5, std=3.5)


def export(name: str) -> None:
    """Write the folder of one model."""
    torch.manual_seed(0)
    kinds = {"whisper": whisper_model, "ast": spectrogram_model}
    model, extractor = kinds[name]() if name in kinds else waveform_model(name)
    model.eval()
    folder = TARGET / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "onnx").mkdir(parents=True)
    with tempfile.TemporaryDirectory() as checkpoint:
        model.save_pretrained(checkpoint)
        extractor.save_pretrained(checkpoint)
        for file in ("config.json", "preprocessor_config.json"):
            shutil.copyfile(Path(checkpoint, file), folder / file)
        exported = Path(checkpoint, "onnx")
        shapes = {"nb_max_frames": 200} if name == "whisper" else {}  # of 2 s
        main_export(checkpoint, exported, task=TASK, do_validation=False, **shapes)
        shutil.copyfile(exported / "model.onnx", folder / "onnx" / "model.onnx")
    arrays = {}
    for index, signal in enumerate(signals()):
        arrays[f"signal_{index}"] = signal
        arrays[f"logits_{index}"] = logits(model, extractor, [signal])
    np.savez_compressed(folder / "reference.npz", **arrays)
    if name in WAVEFORMS:
        export_with_mask(model, folder / "onnx" / "model_mask.onnx")
        write_outputs(model, folder / "outputs.npz", is_padded=WAVEFORMS[name][2] == "layer")
    sizes = {path.name: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    found = [arrays[f"logits_{index}"].round(3).tolist() for index in range(len(SECONDS))]
    print(name, json.dumps(sizes), found)


def logits(model: Any, extractor: Any, batch: list[np.ndarray], **settings: Any) -> np.ndarray:
    """Logits of transformers for one signal, or for several signals that are padded."""
    inputs = extractor(batch, sampling_rate=RATE, return_tensors="pt", **settings)
    with torch.no_grad():
        return np.asarray(model(**inputs).logits)


def export_with_mask(model: Any, path: Path) -> None:
    """Export a model whose graph takes the signal and the mask of its padding."""
    mask = torch.ones((2, RATE // 2), dtype=torch.int64)
    mask[1, RATE // 4 :] = 0
    names = ["input_values", "attention_mask"]
    torch.onnx.export(
        model,
        (torch.randn(2, RATE // 2), mask),
        str(path),
        input_names=names,
        output_names=["logits"],
        dynamic_axes={
            **{name: {0: "batch", 1: "length"} for name in names},
            "logits": {0: "batch"},
        },
        opset_version=17,
        dynamo=False,
    )


def write_outputs(model: Any, path: Path, *, is_padded: bool) -> None:
    """Write the logits without and with normalisation, and in a padded batch with its mask."""
    arrays = {}
    for name, normalize in (("plain", False), ("normalized", True)):
        extractor = Wav2Vec2FeatureExtractor(sampling_rate=RATE, do_normalize=normalize)
        single = [logits(model, extractor, [signal]) for signal in signals()]
        arrays[name] = np.concatenate(single)
        if is_padded:
            settings = {"padding": True, "return_attention_mask": True}
            arrays[f"{name}_mask"] = logits(model, extractor, signals(), **settings)
            difference = np.abs(arrays[f"{name}_mask"] - arrays[name]).max()
            print(f"{path.parent.name} {name}: padding changes the logits by {difference:.2g}")
    np.savez_compressed(path, **arrays)


if __name__ == "__main__":
    for model_name in sys.argv[1:] or [*WAVEFORMS, "whisper", "ast"]:
        export(model_name)
