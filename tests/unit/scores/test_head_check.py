"""Signs that a head was never trained, or that its labels are in another order."""

import numpy as np
import pandas as pd
import pytest
from voxslice.scores.head_check import head_remarks

EMOTIONS = ["anger", "fear", "happiness", "neutral"]


def scores_of(labels, predictions, *, names=EMOTIONS, probability=None):
    """Scores of a classification, with the probability of the predicted class if it is given."""
    table = pd.DataFrame(
        {
            "label": pd.Categorical(labels, categories=names),
            "prediction": pd.Categorical(predictions, categories=names),
        }
    )
    if probability is not None:
        rest = (1 - np.asarray(probability)) / (len(names) - 1)
        for name in names:
            table[f"p_{name}"] = np.where(table["prediction"] == name, probability, rest)
    return table


def study(generator, *, speakers=10, each=8, names=EMOTIONS):
    """Labels and speakers: each speaker has each label equally often."""
    labels = np.tile(np.repeat(names, each), speakers)
    return labels, np.repeat([f"s{i}" for i in range(speakers)], each * len(names))


def noisy(generator, labels, accuracy, names=EMOTIONS):
    """Predictions that are right with a probability."""
    wrong = generator.choice(names, len(labels))
    return np.where(generator.uniform(size=len(labels)) < accuracy, labels, wrong)


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (0.97, "with a median probability of 0.97"),
        (0.31, "with nearly the same probability of 0.31 each time"),
    ],
)
def test_a_constant_class_looks_untrained(probability, words):
    generator = np.random.default_rng(0)
    labels, speakers = study(generator)
    spread = generator.normal(0, 0.003, len(labels))
    table = scores_of(labels, ["fear"] * len(labels), probability=probability + spread)
    (sentence,) = head_remarks(table, speakers, "mine")
    assert sentence.startswith(f"mine predicts fear for 100% of the utterances {words}, but only")
    assert "only 25% have this label: its head looks as if it was never trained" in sentence


def test_a_constant_class_with_a_reason_is_no_sign():
    generator = np.random.default_rng(0)
    labels, speakers = study(generator)
    constant = ["fear"] * len(labels)
    varied = generator.uniform(0.3, 0.85, len(labels))  # weak, but it follows the audio
    assert head_remarks(scores_of(labels, constant, probability=varied), speakers, "mine") == []
    common = np.where(generator.uniform(size=len(labels)) < 0.9, "fear", "anger")
    sure = np.full(len(labels), 0.97)
    assert head_remarks(scores_of(common, constant, probability=sure), speakers, "mine") == []
    few = scores_of(labels[:20], constant[:20], probability=sure[:20])
    assert head_remarks(few, speakers[:20], "mine") == []
    assert head_remarks(scores_of(labels, constant), speakers, "mine") == []  # no probabilities


@pytest.mark.parametrize("seed", range(5))
def test_another_order_of_labels_is_named(seed):
    generator = np.random.default_rng(seed)
    labels, speakers = study(generator)
    turned = dict(zip(EMOTIONS, EMOTIONS[1:] + EMOTIONS[:1], strict=True))
    predictions = np.array([turned[name] for name in noisy(generator, labels, 0.8)])
    (sentence,) = head_remarks(scores_of(labels, predictions), speakers, "mine")
    assert sentence.startswith(
        "mine predicts fear for anger, happiness for fear, neutral for happiness, anger for"
        " neutral: the order of its labels looks wrong, because "
    )
    exchanged = (predictions == [turned[name] for name in labels]).mean()
    assert f"{(predictions == labels).mean():.0%} of its predictions are right" in sentence
    assert f"and {exchanged:.0%} with these labels exchanged" in sentence


def test_two_of_several_labels_that_are_exchanged_are_named():
    generator = np.random.default_rng(0)
    labels, speakers = study(generator)
    turned = {"anger": "happiness", "happiness": "anger"}
    predictions = [turned.get(name, name) for name in noisy(generator, labels, 0.9)]
    (sentence,) = head_remarks(scores_of(labels, predictions), speakers, "mine")
    assert "predicts happiness for anger, anger for happiness: the order" in sentence


@pytest.mark.parametrize(("count", "expected"), [(4, 0), (10, 1)])
def test_a_label_that_is_constant_per_speaker_needs_many_speakers(count, expected):
    names = ["female", "male"]
    speakers = np.repeat([f"s{i}" for i in range(count)], 40)
    labels = np.repeat([names[i % 2] for i in range(count)], 40)
    predictions = np.where(labels == "female", "male", "female")
    table = scores_of(labels, predictions, names=names)
    assert len(head_remarks(table, speakers, "mine")) == expected
    unknown = np.full(len(labels), "")
    assert head_remarks(table, unknown, "mine") == []
    assert len(head_remarks(table, None, "mine")) == 1  # the utterances are independent


MODELS = {
    "chance": lambda generator, labels: generator.choice(EMOTIONS, len(labels)),
    "weak": lambda generator, labels: noisy(generator, labels, 0.3),
    "one label confused": lambda generator, labels: np.where(
        (labels == "happiness") & (generator.uniform(size=len(labels)) < 0.95), "anger", labels
    ),
    "each speaker one class": lambda generator, labels: np.repeat(
        generator.choice(EMOTIONS, len(labels) // 32), 32
    ),
    "below chance": lambda generator, labels: np.where(
        generator.uniform(size=len(labels)) < 0.5, "neutral", noisy(generator, labels, 0)
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_other_bad_models_are_no_false_alarm(name):
    for seed in range(200):
        generator = np.random.default_rng(seed)
        labels, speakers = study(generator)
        table = scores_of(labels, MODELS[name](generator, labels))
        assert head_remarks(table, speakers, "mine") == []


@pytest.mark.slow
def test_few_utterances_of_a_random_model_are_no_false_alarm():
    alarms = 0
    for seed in range(1000):
        generator = np.random.default_rng(seed)
        names = EMOTIONS[: int(generator.integers(2, 5))]
        size = int(generator.integers(4, 40))
        labels, predictions = generator.choice(names, (2, size))
        alarms += len(head_remarks(scores_of(labels, predictions), None, "mine"))
    assert alarms <= 5  # the rule allows 10 in 1,000
