"""Practice models: small networks with the interface of published speech models.

`small` and `big` tell gender and age, `emotion` tells arousal, dominance and valence and gives an
embedding. They learn from synthetic voices that are not in the evaluation corpus and from other
sentences. `small` hears calm speech only, so it must fail on some excited speech: a slice that an
analysis has to find.

Interfaces as in https://doi.org/10.5281/zenodo.7761387 (age and gender) and
https://doi.org/10.5281/zenodo.6221127 (dimensions of emotion).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import audonnx
import numpy as np
import onnx
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from voxslice.demo import graph
from voxslice.demo.graph import Layer, Network
from voxslice.demo.speech import Utterance, synthesise
from voxslice.demo.voices import GENDERS, STYLES, training_voices

MODELS = ("small", "big", "emotion")

SENTENCES = (
    "Please close the gate before you go to bed.",
    "The children found a small boat near the bridge.",
    "I have never seen so much snow in April.",
    "Our train was late because of the storm.",
)

CALM = ("boredom", "neutral", "sadness")

# Nominal place of each emotion on (arousal, dominance, valence), each in 0..1. Signs against the
# middle follow the dimensional view of emotion (Russell and Mehrabian, 1977, Journal of Research in
# Personality 11); the figures are chosen for this study.
DIMENSIONS = {
    "anger": (0.90, 0.85, 0.15),
    "boredom": (0.20, 0.35, 0.40),
    "disgust": (0.50, 0.60, 0.20),
    "fear": (0.80, 0.15, 0.15),
    "happiness": (0.80, 0.70, 0.95),
    "neutral": (0.40, 0.50, 0.55),
    "sadness": (0.15, 0.20, 0.15),
}
DIMENSION_LABELS = ["arousal", "dominance", "valence"]


@dataclass(frozen=True)
class Lesson:
    """What the models learn from: one row an utterance."""

    signals: Sequence[np.ndarray]
    genders: np.ndarray
    ages: np.ndarray
    emotions: np.ndarray


def train(
    folder: Path,
    seed: int,
    voices_per_gender: int = 16,
    sentences: Sequence[str] = SENTENCES,
) -> None:
    """Train the practice models and write them.

    The same arguments give the same bytes on the same machine and libraries.

    Args:
        folder: Gets one folder a model of `MODELS`, each with `model.onnx` and `model.yaml`. An
            earlier one is replaced as a whole.
        seed: Seed of voices, noise and training.
        voices_per_gender: Training voices for each of female, male and child.
        sentences: What they say.

    Raises:
        ValueError: If there is no voice or no sentence to learn from.
    """
    if voices_per_gender < 1 or not sentences:
        raise ValueError("Give at least one voice of each gender and one sentence to learn from.")
    lesson = _lesson(seed, voices_per_gender, sentences)
    calm = np.isin(lesson.emotions, CALM)
    # One thread: the order of sums, and with it the last bit of a weight, must not change.
    with threadpool_limits(limits=1):
        narrow, wide = (
            graph.compute(graph.front_end(mels), tqdm(lesson.signals, desc=f"{mels} mel bands"))
            for mels in (16, 48)
        )
        tell = {
            "small": lambda: _gender_and_age(16, narrow[calm], lesson, calm, (8,), seed),
            "big": lambda: _gender_and_age(48, wide, lesson, np.ones_like(calm), (64, 32), seed),
            "emotion": lambda: _emotion(48, wide, lesson, (64, 32), seed),
        }
        for name in tqdm(MODELS, desc="Train practice models"):
            model, labels = tell[name]()
            _write(folder / name, model, labels)


def _lesson(seed: int, voices_per_gender: int, sentences: Sequence[str]) -> Lesson:
    """Let the training voices speak."""
    cast = [
        (voice, text, emotion)
        for voice in training_voices(voices_per_gender, seed)
        for text in sentences
        for emotion in STYLES
    ]
    utterances = (Utterance(text, voice, STYLES[emotion]) for voice, text, emotion in cast)
    return Lesson(
        signals=list(synthesise(tqdm(utterances, "Synthesise lesson", len(cast)), seed)),
        genders=np.array([voice.gender for voice, _, _ in cast]),
        ages=np.array([voice.age for voice, _, _ in cast]),
        emotions=np.array([emotion for _, _, emotion in cast]),
    )


def _gender_and_age(
    mels: int,
    features: np.ndarray,
    lesson: Lesson,
    chosen: np.ndarray,
    hidden: tuple[int, ...],
    seed: int,
) -> tuple[onnx.ModelProto, dict[str, list[str]]]:
    """Train one network for gender and one for age.

    Args:
        mels: Number of mel bands of the front end.
        features: Output of the front end, shape (chosen utterances, features).
        lesson: All utterances.
        chosen: Mask of the utterances to learn from, shape (utterances,).
        hidden: Sizes of the hidden layers.
        seed: Seed of the training.

    Returns:
        The model and the labels of its outputs.
    """
    mean, scale = _scaling(features)
    scaled = (features - mean) / scale
    gender = MLPClassifier(hidden_layer_sizes=hidden, alpha=1.0, max_iter=300, random_state=seed)
    # As numbers, so that the outputs follow the order of GENDERS.
    gender.fit(scaled, np.array([GENDERS.index(name) for name in lesson.genders[chosen]]))
    age = MLPRegressor(hidden_layer_sizes=hidden, alpha=1.0, max_iter=300, random_state=seed)
    age.fit(scaled, lesson.ages[chosen] / 100)
    networks = {
        "logits_age": Network(mean, scale, _layers(age)),
        "logits_gender": Network(mean, scale, _layers(gender)),
    }
    labels = {"logits_age": ["age"], "logits_gender": list(GENDERS)}
    return graph.assemble(mels, networks), labels


def _emotion(
    mels: int, features: np.ndarray, lesson: Lesson, hidden: tuple[int, ...], seed: int
) -> tuple[onnx.ModelProto, dict[str, list[str]]]:
    """Train one network for the dimensions of emotion; see `_gender_and_age`."""
    mean, scale = _scaling(features)
    network = MLPRegressor(hidden_layer_sizes=hidden, alpha=1.0, max_iter=300, random_state=seed)
    targets = np.array([DIMENSIONS[emotion] for emotion in lesson.emotions])
    network.fit((features - mean) / scale, targets)
    networks = {"logits": Network(mean, scale, _layers(network))}
    return graph.assemble(mels, networks), {"logits": DIMENSION_LABELS}


def _scaling(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give mean and standard deviation of each feature, shapes (features,)."""
    return features.mean(axis=0), features.std(axis=0) + np.float32(1e-3)


def _layers(network: MLPClassifier | MLPRegressor) -> list[Layer]:
    """Read the learnt weights."""
    return [Layer(*pair) for pair in zip(network.coefs_, network.intercepts_, strict=True)]


def _write(folder: Path, model: onnx.ModelProto, labels: dict[str, list[str]]) -> None:
    """Write a model as audonnx does and put it in place as a whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as building:
        new = Path(building, "new")
        new.mkdir()
        onnx.save(model, new / "model.onnx")
        audonnx.Model(str(new / "model.onnx"), labels=labels).to_yaml(str(new / "model.yaml"))
        if folder.exists():
            shutil.move(folder, Path(building, "replaced"))
        new.rename(folder)
