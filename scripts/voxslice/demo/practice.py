"""Practice models: small networks with the interface of published speech models.

`small` and `big` predict gender and age. `emotion` predicts arousal, dominance and valence and has
an embedding. The models are trained on synthetic voices and sentences that are not in the
evaluation corpus. Two of them have a weakness that an analysis has to find:

- `small` is trained on calm speech only. It predicts `female` for the raised voices of angry and
  happy men.
- `big` is trained on all emotions, but all children of its training speech speak over a telephone.
  It therefore takes the telephone for a property of children, and predicts `child` for many women
  whose speech comes over a telephone.

The interfaces are those of https://doi.org/10.5281/zenodo.7761387 (age and gender) and
https://doi.org/10.5281/zenodo.6221127 (dimensions of emotion).
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import audonnx
import numpy as np
import onnx
from sklearn.neural_network import MLPClassifier, MLPRegressor
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from voxslice.demo import graph
from voxslice.demo.graph import Layer, Network
from voxslice.demo.speech import SAMPLING_RATE, Utterance, synthesise
from voxslice.demo.telephone import over_telephone
from voxslice.demo.voices import GENDERS, STYLES, training_voices

# With few sentences, a model would learn the sounds of the sentences instead of the voices.
SENTENCES = (
    "Please close the gate before you go to bed.",
    "The children found a small boat near the bridge.",
    "I have never seen so much snow in April.",
    "Our train was late because of the storm.",
    "The doctor asked him to wait outside.",
    "Put the cups and plates back on the shelf.",
    "She wants to learn how to play the piano.",
    "The shop on the corner sells fresh bread.",
    "We should leave early to avoid the traffic.",
    "His coat is hanging in the hall upstairs.",
    "They talked for hours about the old house.",
    "A green lamp stood on top of the piano.",
    "Can you help me carry this heavy chair?",
    "The cat sleeps on the sofa all afternoon.",
    "My sister bought two tickets for Friday.",
    "Nobody knew who had opened the door.",
)

CALM = ("boredom", "neutral", "sadness")

# Nominal arousal, dominance and valence of each emotion, each from 0 to 1. The dimensions are those
# of Russell and Mehrabian (1977), Journal of Research in Personality 11. The values are chosen for
# this study.
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


def train(
    folder: Path,
    seed: int,
    voices_per_gender: int = 20,
    sentences_per_voice: int = 4,
) -> None:
    """Train the practice models and write them.

    The same arguments give the same bytes on the same machine and libraries.

    Args:
        folder: Folder that receives `small`, `big` and `emotion`, each with `model.onnx` and
            `model.yaml`. Earlier folders are replaced completely.
        seed: Seed of voices, noise and training.
        voices_per_gender: Number of training voices for each of female, male and child.
        sentences_per_voice: Number of `SENTENCES` that each voice speaks.

    Raises:
        ValueError: There is no voice or no sentence to train on.
    """
    if voices_per_gender < 1 or not 1 <= sentences_per_voice <= len(SENTENCES):
        raise ValueError(
            "Learn from at least one voice of each gender and"
            f" from 1 to {len(SENTENCES)} sentences a voice."
        )
    signals, genders, ages, emotions = _lesson(seed, voices_per_gender, sentences_per_voice)
    calm = np.isin(emotions, CALM)
    children = genders == "child"
    # One thread: the order of sums, and with it the last bit of a weight, must not change.
    with threadpool_limits(limits=1):
        narrow = _features(16, [signals[row] for row in np.flatnonzero(calm)])
        wide = _features(20, signals)
        telephone = wide.copy()
        telephone[children] = _features(
            20, [over_telephone(signals[row], SAMPLING_RATE) for row in np.flatnonzero(children)]
        )
        for name, model, labels in (
            # Without strong decay, ages predicted for unknown kinds of speech would be extreme.
            ("small", *_gender_and_age(narrow, genders[calm], ages[calm], (8,), seed, 10.0)),
            ("big", *_gender_and_age(telephone, genders, ages, (32,), seed)),
            ("emotion", *_emotion(wide, emotions, (64, 32), seed)),
        ):
            _write(folder / name, model, labels)


def _features(mels: int, signals: Sequence[np.ndarray]) -> np.ndarray:
    """Compute the features of signals, shape (signals, features)."""
    bar = tqdm(signals, f"{mels} mel bands", mininterval=1)
    return graph.compute(graph.front_end(mels), bar)


def _lesson(
    seed: int, voices_per_gender: int, sentences_per_voice: int
) -> tuple[list[np.ndarray], np.ndarray, np.ndarray, np.ndarray]:
    """Synthesise the training speech; the voices of each gender share the sentences in turn.

    Returns:
        Signals, genders, ages and emotions, one of each per utterance.
    """
    cast = [
        (voice, SENTENCES[(turn // len(GENDERS) * sentences_per_voice + n) % len(SENTENCES)], style)
        for turn, voice in enumerate(training_voices(voices_per_gender, seed))
        for n in range(sentences_per_voice)
        for style in STYLES
    ]
    utterances = (Utterance(text, voice, STYLES[style]) for voice, text, style in cast)
    signals = synthesise(tqdm(utterances, "Synthesise lesson", len(cast), mininterval=1), seed)
    voices, _, emotions = zip(*cast, strict=True)
    return (
        list(signals),
        np.array([voice.gender for voice in voices]),
        np.array([voice.age for voice in voices]),
        np.array(emotions),
    )


def _gender_and_age(
    features: np.ndarray,
    genders: np.ndarray,
    ages: np.ndarray,
    hidden: tuple[int, ...],
    seed: int,
    age_decay: float = 1.0,
) -> tuple[onnx.ModelProto, dict[str, list[str]]]:
    """Train one network for gender and one for age.

    Args:
        features: Output of a front end, shape (utterances, features).
        genders: Values of `GENDERS`, shape (utterances,).
        ages: Ages in years, shape (utterances,).
        hidden: Sizes of the hidden layers.
        seed: Seed of the training.
        age_decay: Weight decay (L2) of the network for age.

    Returns:
        The model and the labels of its outputs.
    """
    # As numbers, so that the outputs follow the order of GENDERS.
    classes = np.array([GENDERS.index(gender) for gender in genders])
    networks = {
        "logits_age": _learn(MLPRegressor, features, ages / 100, hidden, seed, age_decay),
        "logits_gender": _learn(MLPClassifier, features, classes, hidden, seed),
    }
    labels = {"logits_age": ["age"], "logits_gender": list(GENDERS)}
    return graph.assemble(networks), labels


def _emotion(
    features: np.ndarray, emotions: np.ndarray, hidden: tuple[int, ...], seed: int
) -> tuple[onnx.ModelProto, dict[str, list[str]]]:
    """Train one network for the dimensions of emotion, and return the model and its labels."""
    targets = np.array([DIMENSIONS[emotion] for emotion in emotions])
    networks = {"logits": _learn(MLPRegressor, features, targets, hidden, seed, unit=True)}
    return graph.assemble(networks), {"logits": DIMENSION_LABELS}


def _learn(
    learner: type[MLPClassifier | MLPRegressor],
    features: np.ndarray,
    targets: np.ndarray,
    hidden: tuple[int, ...],
    seed: int,
    decay: float = 1.0,
    unit: bool = False,
) -> Network:
    """Train a network with scikit-learn and read its weights."""
    mean = features.mean(axis=0)
    scale = features.std(axis=0) + np.float32(1e-3)  # a band that never changes stays finite
    learnt = learner(hidden_layer_sizes=hidden, alpha=decay, max_iter=1000, random_state=seed)
    learnt.fit((features - mean) / scale, targets)
    layers = [Layer(*pair) for pair in zip(learnt.coefs_, learnt.intercepts_, strict=True)]
    return Network(mean, scale, layers, unit)


def _write(folder: Path, model: onnx.ModelProto, labels: dict[str, list[str]]) -> None:
    """Write a model as audonnx does, and replace an earlier one completely."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as building:
        new = Path(building, "new")
        new.mkdir()
        onnx.save(model, new / "model.onnx")
        audonnx.Model(str(new / "model.onnx"), labels=labels).to_yaml(str(new / "model.yaml"))
        if folder.exists():
            shutil.move(folder, Path(building, "replaced"))
        new.rename(folder)
