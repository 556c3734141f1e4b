"""Labels that models contradict are listed, each with the model and its prediction."""

import numpy as np
import pandas as pd
import pytest
from voxslice.audit.hints import HINT_COLUMNS, label_hints

N = 400


def scores(seed, classes=("female", "male"), flipped=(), confidence=0.9):
    """Scores of a model that is right about all labels, before some of them are flipped.

    It is confident where labels are flipped.
    """
    rng = np.random.default_rng(seed)
    truth = np.arange(N) % 2
    p = np.full((N, len(classes)), 0.01)
    p[np.arange(N), truth] = rng.beta(20 * confidence, 20 * (1 - confidence), N)
    p[list(flipped), truth[list(flipped)]] = 0.99
    p[np.arange(N), 1 - truth] = 1 - p[np.arange(N), truth]
    p /= p.sum(axis=1, keepdims=True)
    labels = np.array(classes)[np.where(np.isin(np.arange(N), flipped), 1 - truth, truth)]
    table = pd.DataFrame({"file": [f"{i:03}.wav" for i in range(N)], "start": 0.0, "end": 1.0})
    table = table.assign(label=pd.Categorical(labels, categories=list(classes)))
    return table.assign(**{f"p_{name}": p[:, i] for i, name in enumerate(classes)})


def test_flipped_labels_are_contradicted():
    flipped = [3, 50, 101, 222, 399]
    hints = label_hints({"m": scores(0, flipped=flipped)})
    assert list(hints) == HINT_COLUMNS
    assert sorted(hints["file"]) == [f"{i:03}.wav" for i in flipped]
    assert (hints["label"] != hints["prediction"]).all() and set(hints["model"]) == {"m"}
    assert hints["p_label"].is_monotonic_increasing
    np.testing.assert_allclose(hints["p_label"] + hints["p_prediction"], 1)


def test_hints_of_several_models_follow_the_order_of_the_models():
    hints = label_hints({"b": scores(0, flipped=[3]), "a": scores(1, flipped=[3, 8])})
    assert hints["model"].tolist() == ["b", "a", "a"]


def test_a_class_that_no_label_has_is_not_predicted():
    hints = label_hints({"m": scores(0, classes=("female", "male", "child"), flipped=[4])})
    assert set(hints["prediction"]) <= {"female", "male"}
    assert hints["file"].tolist() == ["004.wav"]


@pytest.mark.parametrize(
    "change",
    [
        lambda table: table.drop(columns="p_male"),
        lambda table: table[table["label"] == "male"],
        lambda table: table.assign(label=30.5),
    ],
)
def test_without_probabilities_of_several_labels_there_are_no_hints(change):
    hints = label_hints({"m": change(scores(0))})
    assert list(hints) == HINT_COLUMNS and not len(hints)


def test_labels_of_a_confident_model_that_is_right_are_not_contradicted():
    assert not len(label_hints({"m": scores(0, confidence=0.97)}))
