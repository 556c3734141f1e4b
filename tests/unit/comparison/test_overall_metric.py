"""The metrics by which models are compared on all utterances, from sums over speakers."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score
from voxslice.comparison.overall_metric import metric_sums, metric_value, rarest_label

LABEL = np.array(["a"] * 60 + ["b"] * 30 + ["c"] * 10, dtype=object)
SPEAKERS = np.arange(100) % 7


def classified():
    """Scores of a model that also predicts two classes that are no label."""
    generator = np.random.default_rng(0)
    other = generator.choice(["a", "b", "c", "d", "e"], 100)
    prediction = np.where(generator.random(100) < 0.4, other, LABEL)
    loss = (prediction != LABEL).astype(float)
    return pd.DataFrame({"label": LABEL, "prediction": pd.Categorical(prediction), "loss": loss})


def valued():
    label = np.linspace(20, 60, 100)
    prediction = label + np.random.default_rng(0).normal(2, 5, 100)
    return pd.DataFrame(
        {"label": label, "prediction": prediction, "loss": np.abs(prediction - label)}
    )


@pytest.mark.filterwarnings("ignore:y_pred contains classes")
def test_metrics_of_classifications():
    table = classified()
    prediction = table["prediction"].astype(str)
    expected = {
        "accuracy": (prediction == LABEL).mean(),
        "uar": balanced_accuracy_score(LABEL, prediction),
        "f1": f1_score(LABEL, prediction, labels=["a", "b", "c"], average="macro"),
    }
    for metric, value in expected.items():
        sums = metric_sums(table, SPEAKERS, metric)
        assert len(sums) == 7
        assert metric_value(sums.sum(0), metric) == pytest.approx(value)
        alone = metric_sums(table, None, metric)
        assert len(alone) == 100
        assert metric_value(alone.sum(0), metric) == pytest.approx(value)


def test_metrics_of_regressions():
    table = valued()
    label, prediction = table["label"], table["prediction"]
    covariance = np.cov(label, prediction, ddof=0)
    ccc = 2 * covariance[0, 1] / (np.trace(covariance) + (label.mean() - prediction.mean()) ** 2)
    for metric, value in {"mae": table["loss"].mean(), "ccc": ccc}.items():
        sums = metric_sums(table, SPEAKERS, metric)
        assert metric_value(sums.sum(0), metric) == pytest.approx(value)


def test_the_concordance_of_a_constant_prediction_is_zero():
    sums = metric_sums(valued().assign(prediction=40.0), None, "ccc")
    assert metric_value(sums.sum(0), "ccc") == 0
    assert np.isnan(metric_value(np.zeros(7), "ccc"))


@pytest.mark.parametrize("metric", ["accuracy", "uar", "f1", "mae", "ccc"])
def test_no_utterance_has_no_metric(metric):
    table = valued() if metric in ("mae", "ccc") else classified()
    sums = metric_sums(table, None, metric).sum(0)
    assert np.isnan(metric_value(np.zeros_like(sums), metric))


def test_an_equivalence_rests_on_the_rarest_label():
    table = classified()
    for metric in ("uar", "f1"):
        assert rarest_label(metric_sums(table, SPEAKERS, metric).sum(0), metric) == (3, 10)
    assert rarest_label(metric_sums(table, SPEAKERS, "accuracy").sum(0), "accuracy") == (1, 100)
