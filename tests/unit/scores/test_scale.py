"""Logits and probabilities are distinguished."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit, softmax
from voxslice.classes import Classes
from voxslice.errors import InputError
from voxslice.scores.scale import LOGITS, MIN_DISTINCT, PROBABILITIES, scale_of_output
from voxslice.scores.scores import score_classes
from voxslice.utterance_keys import KEY

CLASSES = ["anger", "fear", "joy", "calm"]
VALENCE = {"anger": "negative", "fear": "negative", "joy": "positive", "calm": "positive"}


def drawn_logits(count, classes=4, seed=0):
    return 3 * np.random.default_rng(seed).normal(size=(count, classes))


def decide(values, *, declared=None, activation=None):
    return scale_of_output(
        np.asarray(values, dtype=float),
        declared=declared,
        activation=activation,
        model="mine",
        output="emotion",
    )


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
@pytest.mark.parametrize(("count", "classes"), [(5, 2), (40, 4), (300, 50)])
def test_probabilities_are_recognised_by_their_sums(dtype, count, classes):
    values = softmax(drawn_logits(count, classes), axis=1).astype(dtype)
    found = decide(values)
    assert found.kind == PROBABILITIES
    assert found.note.startswith(
        "The output emotion of mine holds probabilities, since it is never"
    )


@pytest.mark.parametrize("seed", range(5))
def test_logits_are_logits(seed):
    assert decide(drawn_logits(40, seed=seed)) == decide(drawn_logits(1, seed=seed))
    assert decide(drawn_logits(40, seed=seed)).kind == LOGITS
    # softplus is never negative, but does not sum to 1
    positive = np.log1p(np.exp(drawn_logits(40, seed=seed)))
    assert decide(positive).kind == LOGITS and decide(positive).note == ""


def test_one_utterance_that_does_not_sum_to_1_makes_them_logits():
    values = softmax(drawn_logits(40), axis=1)
    values[17] *= 0.99
    found = decide(values)
    assert found.kind == LOGITS
    assert "if they are probabilities, set models.mine.scale.emotion." in found.note


@pytest.mark.parametrize("count", range(1, MIN_DISTINCT))
def test_few_utterances_are_not_enough_to_recognise_probabilities(count):
    values = softmax(drawn_logits(count), axis=1)
    message = rf"takes only {count} different values?, too few .* set models\.mine\.scale\.emotion"
    with pytest.raises(InputError, match=message):
        decide(values)
    with pytest.raises(InputError, match=message):  # repeated values add no evidence
        decide(np.tile(values, (100, 1)))
    assert decide(values, declared=LOGITS).kind == LOGITS
    assert decide(values, declared=PROBABILITIES).kind == PROBABILITIES
    assert decide(values, activation="softmax").kind == PROBABILITIES


def test_no_utterance_is_scored():
    assert decide(np.empty((0, 4))).kind == LOGITS


def test_the_last_operation_distinguishes_sigmoids_from_logits():
    values = expit(drawn_logits(40))
    assert decide(values).kind == LOGITS
    found = decide(values, activation="sigmoid")
    assert found.kind == PROBABILITIES and "its last operation is a sigmoid" in found.note


def test_the_config_decides_before_model_and_values():
    values = softmax(drawn_logits(40), axis=1)
    assert decide(values, declared=LOGITS, activation="softmax") == decide(
        drawn_logits(40), declared=LOGITS
    )
    assert decide(values, declared=PROBABILITIES).note == ""
    for wrong in (-0.2, 1.5):
        values[3, 1] = wrong
        with pytest.raises(InputError, match=f"has the value {wrong}, which is no probability"):
            decide(values, declared=PROBABILITIES)


def score(values, labels, task, scale):
    keys = pd.DataFrame(
        {"file": [f"{i}.wav" for i in range(len(values))], "start": 0.0, "end": 1.0}
    )
    table = keys.join(pd.DataFrame(values, columns=CLASSES))
    return score_classes(table, pd.Series(labels), classes=CLASSES, task=task, scale=scale)


@pytest.mark.parametrize(
    "task",
    [
        Classes(CLASSES),
        Classes(["negative", "positive"], VALENCE),
        Classes(["anger", "joy"], excluded=["fear", "calm"]),
        Classes(["negative", "joy"], {"anger": "negative", "fear": "negative"}, ["calm"]),
    ],
)
def test_a_softmax_in_the_model_changes_no_score(task):
    logits = drawn_logits(60)
    labels = np.resize(list(task.labels), 60)
    outside = score(logits, labels, task, LOGITS)
    inside = score(softmax(logits, axis=1), labels, task, PROBABILITIES)
    assert (outside["prediction"] == inside["prediction"]).all()
    pd.testing.assert_frame_equal(inside, outside, check_exact=False, atol=1e-6)


def test_one_sure_class_outweighs_many_unsure_ones():
    # as logits, the four unsure classes of "negative" would win everywhere
    classes = ["a", "b", "c", "d", "joy"]
    values = np.array([[0.0, 0, 0, 0, 1], [0.3, 0.3, 0.1, 0.1, 0.2]])
    keys = pd.DataFrame({"file": ["0.wav", "1.wav"], "start": 0.0, "end": 1.0})
    task = Classes(["negative", "joy"], dict.fromkeys("abcd", "negative"))
    labels = pd.Series(["joy", "negative"])
    table = keys.join(pd.DataFrame(values, columns=classes))
    scores = score_classes(table, labels, classes=classes, task=task, scale=PROBABILITIES)
    assert scores["prediction"].to_list() == ["joy", "negative"]
    np.testing.assert_allclose(scores["p_negative"], [0, 0.8], atol=1e-7)
    as_logits = score_classes(table, labels, classes=classes, task=task, scale=LOGITS)
    assert as_logits["prediction"].to_list() == ["negative", "negative"]


def test_sigmoids_stay_as_they_are_unless_classes_are_added_or_left_out():
    values = [[0.9, 0.2, 0.8, 0.1], [0.1, 0.3, 0.2, 0.4]]
    plain = score(values, ["anger", "calm"], Classes(CLASSES), PROBABILITIES)
    assert list(plain) == [*KEY, "label", "prediction", "loss", *(f"p_{c}" for c in CLASSES)]
    np.testing.assert_allclose(plain[[f"p_{c}" for c in CLASSES]], values, atol=1e-7)
    assert plain["prediction"].to_list() == ["anger", "calm"]
    task = Classes(["negative", "positive"], VALENCE)
    merged = score(values, ["negative"] * 2, task, PROBABILITIES)
    np.testing.assert_allclose(merged["p_negative"], [1.1 / 2, 0.4 / 1], atol=1e-7)
    np.testing.assert_allclose(merged["p_positive"], [0.9 / 2, 0.6 / 1], atol=1e-7)
    task = Classes(["anger", "joy"], excluded=["fear", "calm"])
    kept = score(values, ["anger"] * 2, task, PROBABILITIES)
    np.testing.assert_allclose(kept["p_joy"], [0.8 / 1.7, 0.2 / 0.3], atol=1e-7)


def test_rounding_does_not_leave_the_range_of_probabilities():
    values = [[1 + 1e-7, -1e-9, 0, 0], [0, 0, -1e-7, 1 + 1e-6]]
    scores = score(values, ["anger", "calm"], Classes(CLASSES), PROBABILITIES)
    found = scores[[f"p_{name}" for name in CLASSES]].to_numpy()
    assert found.min() == 0 and found.max() == 1
