"""Export small random wav2vec 2.0, HuBERT and WavLM models, with reference outputs of transformers.

Run it only to make the folders in tests/data/hub again, in a separate environment:

    python -m venv ENV
    ENV/bin/pip install torch optimum-onnx onnxruntime
    ENV/bin/python tests/export_hub_models.py

Each folder is as Optimum writes it, with `reference.npz`: signals, and the logits that transformers
computes for them with the feature extractor of the model.
"""

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from optimum.exporters.onnx import main_export
from transformers import (
    HubertConfig,
    HubertForSequenceClassification,
    Wav2Vec2Config,
    Wav2Vec2FeatureExtractor,
    Wav2Vec2ForSequenceClassification,
    WavLMConfig,
    WavLMForSequenceClassification,
)

TARGET = Path(__file__).parent / "data" / "hub"
SECONDS = (0.3, 0.55, 1.0)
RATE = 16000
LABELS = ["anger", "neutral", "sadness"]
SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": (8, 8, 8),
    "conv_kernel": (10, 8, 4),
    "conv_stride": (5, 8, 8),
    "num_feat_extract_layers": 3,
    "num_conv_pos_embeddings": 8,
    "num_conv_pos_embedding_groups": 2,
    "classifier_proj_size": 16,
    "num_buckets": 32,
    "max_bucket_distance": 64,
    "id2label": dict(enumerate(LABELS)),
    "label2id": {label: index for index, label in enumerate(LABELS)},
    "attn_implementation": "eager",
}
MODELS = {
    "wav2vec2": (Wav2Vec2Config, Wav2Vec2ForSequenceClassification, "group", True),
    "hubert": (HubertConfig, HubertForSequenceClassification, "layer", True),
    "wavlm": (WavLMConfig, WavLMForSequenceClassification, "layer", False),
}
"""Config, class, kind of normalisation in the graph, and whether the signal is normalised."""


def export(name: str) -> None:
    """Write the folder of one model."""
    config_class, model_class, norm, normalize = MODELS[name]
    torch.manual_seed(0)
    model = model_class(config_class(feat_extract_norm=norm, **SMALL)).eval()
    with torch.no_grad():  # random logits would hardly depend on the signal
        model.classifier.weight.mul_(40)
    extractor = Wav2Vec2FeatureExtractor(sampling_rate=RATE, do_normalize=normalize)
    folder = TARGET / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "onnx").mkdir(parents=True)
    with tempfile.TemporaryDirectory() as checkpoint:
        model.save_pretrained(checkpoint)
        extractor.save_pretrained(checkpoint)
        for file in ("config.json", "preprocessor_config.json"):
            shutil.copyfile(Path(checkpoint, file), folder / file)
        exported = Path(checkpoint, "onnx")
        main_export(checkpoint, exported, task="audio-classification", do_validation=False)
        shutil.copyfile(exported / "model.onnx", folder / "onnx" / "model.onnx")
    generator = np.random.default_rng(0)
    arrays = {}
    for index, seconds in enumerate(SECONDS):
        samples = round(seconds * RATE)
        swell = np.sin(np.linspace(0, 9 * (index + 1), samples)) ** 2
        signal = (0.2 * swell * generator.standard_normal(samples)).astype(np.float32)
        inputs = extractor(signal, sampling_rate=RATE, return_tensors="pt")
        with torch.no_grad():
            arrays[f"logits_{index}"] = model(**inputs).logits.numpy()
        arrays[f"signal_{index}"] = signal
    np.savez_compressed(folder / "reference.npz", **arrays)
    sizes = {path.name: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    logits = [arrays[f"logits_{index}"].round(3).tolist() for index in range(len(SECONDS))]
    print(name, json.dumps(sizes), logits)


if __name__ == "__main__":
    for model_name in MODELS:
        export(model_name)
