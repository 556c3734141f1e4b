"""Metrics equal those of audmetric and scikit-learn."""

import audmetric
import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.stats import pearsonr
from sklearn.metrics import accuracy_score, confusion_matrix, f1_score, recall_score
from voxslice.scores.metrics import (
    classification_metrics,
    confusion_counts,
    confusion_table,
    has_heavy_tails,
    measure,
    measure_models,
    regression_metrics,
    regression_moments,
)
from voxslice.speakers import UNKNOWN_SPEAKER, count_speakers

LABELS = ["female", "male"]
CLASSES = ["child", "male", "female"]


def classified(label, prediction, classes=CLASSES):
    return pd.DataFrame(
        {
            "label": pd.Categorical(label, categories=classes),
            "prediction": pd.Categorical(prediction, categories=classes),
        }
    )


def value(table, metric):
    return table.set_index("metric").loc[metric, "value"]


def sums(label, prediction, labels, classes):
    return confusion_counts(label, prediction, labels, classes).sum(0)


@pytest.mark.parametrize("seed", range(10))
def test_classification_metrics_equal_those_of_audmetric_and_sklearn(seed):
    rng = np.random.default_rng(seed)
    labels = ["a", "b", "c", "never"]
    classes = ["beyond", "c", "never", "b", "a"]
    label = rng.choice(["a", "b", "c"], 200, p=[0.6, 0.3, 0.1])
    prediction = np.where(rng.random(200) < 0.6, label, rng.choice(classes, 200))
    accuracy, uar, f1 = classification_metrics(sums(label, prediction, labels, classes))
    assert accuracy == pytest.approx(audmetric.accuracy(label, prediction), abs=1e-12)
    occur = sorted(set(label))
    average = {"labels": occur, "average": "macro", "zero_division": 0}
    assert uar == pytest.approx(recall_score(label, prediction, **average), abs=1e-12)
    assert f1 == pytest.approx(f1_score(label, prediction, **average), abs=1e-12)
    assert accuracy == pytest.approx(accuracy_score(label, prediction), abs=1e-12)
    kept = np.isin(prediction, occur)  # audmetric averages over the labels and the predictions
    got = classification_metrics(sums(label[kept], prediction[kept], labels, classes))
    assert got[1] == pytest.approx(
        audmetric.unweighted_average_recall(label[kept], prediction[kept]), abs=1e-12
    )
    assert got[2] == pytest.approx(
        audmetric.unweighted_average_fscore(label[kept], prediction[kept]), abs=1e-12
    )


def test_confusion_counts_equal_those_of_sklearn():
    rng = np.random.default_rng(0)
    label, prediction = rng.choice(LABELS, 50), rng.choice(CLASSES, 50)
    order = ["female", "male", "child"]
    expected = confusion_matrix(label, prediction, labels=order)[:2]
    np.testing.assert_array_equal(sums(label, prediction, LABELS, CLASSES), expected)


@pytest.mark.parametrize("seed", range(10))
def test_regression_metrics_equal_those_of_audmetric(seed):
    rng = np.random.default_rng(seed)
    label = rng.integers(20, 80, 100).astype(float)
    prediction = label + rng.normal(seed, 10, 100)
    mae, ccc, pcc = regression_metrics(regression_moments(label, prediction).sum(0))
    assert mae == pytest.approx(audmetric.mean_absolute_error(label, prediction), abs=1e-12)
    assert ccc == pytest.approx(audmetric.concordance_cc(label, prediction), abs=1e-12)
    assert pcc == pytest.approx(audmetric.pearson_cc(label, prediction), abs=1e-12)
    assert pcc == pytest.approx(pearsonr(label, prediction)[0], abs=1e-12)


@pytest.mark.parametrize(("label", "prediction"), [([3, 3, 3], [1, 2, 3]), ([1, 2, 3], [0.1] * 3)])
def test_constants_have_no_correlation(label, prediction):
    mae, ccc, pcc = regression_metrics(regression_moments(label, prediction).sum(0))
    assert mae == pytest.approx(np.abs(np.subtract(label, prediction)).mean())
    assert np.isnan(ccc) and np.isnan(pcc)


def test_perfect_and_always_wrong_models():
    label = ["female"] * 3 + ["male"]
    perfect = measure(classified(label, label), None, labels=LABELS)
    assert perfect["value"].to_list() == [1, 1, 1]
    # the interval of the accuracy is exact, the others have none
    assert perfect.loc[0, ["low", "high"]].to_list() == [pytest.approx(0.025**0.25), 1]
    assert perfect.loc[1:, ["low", "high"]].isna().all(axis=None)
    assert perfect["note"].to_list() == ["exact", "no variation", "no variation"]
    for wrong in (["male"] * 3 + ["female"], ["child"] * 4):
        table = measure(classified(label, wrong), None, labels=LABELS)
        assert table["value"].to_list() == [0, 0, 0]
        assert table.loc[0, ["low", "high"]].to_list() == [0, pytest.approx(1 - 0.025**0.25)]
        assert table.loc[1:, ["low", "high"]].isna().all(axis=None)


@pytest.mark.parametrize(("named", "units"), [(6, 6), (1, 2)])
def test_the_interval_of_a_model_without_an_error_uses_the_number_of_speakers(named, units):
    """Utterances of unknown speakers count as one speaker."""
    speakers = np.repeat([f"s{i}" if i < named else UNKNOWN_SPEAKER for i in range(6)], 4)
    label = ["female", "male"] * 12
    table = measure(classified(label, label), speakers, labels=LABELS)
    assert table.loc[0, ["low", "high"]].to_list() == [pytest.approx(0.025 ** (1 / units)), 1]
    assert table.loc[0, "speakers"] == named


def test_one_speaker_without_an_error_has_no_interval_and_no_note():
    label = ["female", "male"] * 12
    speakers = np.full(24, "s0")
    table = measure(classified(label, label), speakers, labels=LABELS)
    assert table[["low", "high", "note"]].isna().all(axis=None)


def test_an_interval_of_the_jackknife_has_no_note():
    scores, speakers = typical(0)
    table = measure(scores, speakers, labels=LABELS)
    assert table["note"].isna().all() and table["low"].notna().all()


def test_models_and_references_are_measured_in_one_table():
    scores, speakers = typical(1)
    keys = pd.DataFrame({"file": [f"{i}.wav" for i in range(400)], "start": 0.0, "end": 1.0})
    metadata = keys.assign(speaker=speakers)
    scores = pd.concat([keys, scores], axis=1)
    other = scores.assign(prediction=scores["label"]).iloc[:100]
    metrics, confusion = measure_models(
        {"b": scores, "a": other},
        scores.assign(model="chance"),
        metadata,
        labels=LABELS,
    )
    assert metrics["model"].to_list() == ["b"] * 3 + ["a"] * 3 + ["chance"] * 3
    alone = measure(scores, speakers, labels=LABELS)
    pd.testing.assert_frame_equal(metrics.iloc[:3].drop(columns="model"), alone)
    assert metrics["speakers"].iloc[3] == 5
    assert confusion["model"].unique().tolist() == ["b", "a"]  # no reference
    right = confusion["label"].astype(str) == confusion["prediction"].astype(str)
    of_b = confusion[right & (confusion["model"] == "b")]
    assert of_b["count"].sum() / 400 == alone["value"].iloc[0]


def test_perfect_regression():
    scores = pd.DataFrame({"label": [1.0, 2, 3, 5], "prediction": [1.0, 2, 3, 5]})
    table = measure(scores, None, labels=None)
    np.testing.assert_allclose(table["value"], [0, 1, 1], atol=1e-12)
    assert table[["low", "high"]].loc[0].isna().all()  # no resample has an error


def test_no_utterance_has_no_metric():
    assert np.isnan(classification_metrics(np.zeros((2, 3)))).all()
    assert np.isnan(regression_metrics(np.zeros(7))).all()


def typical(seed, spread=0.0):
    """Twenty speakers with twenty utterances each, whose error rates may differ."""
    rng = np.random.default_rng(seed)
    speakers = np.repeat([f"s{i:02}" for i in range(20)], 20)
    chance = np.repeat(np.clip(0.7 + spread * np.tile([-1, 1], 10), 0, 1), 20)
    label = rng.choice(LABELS, 400)
    other = np.where(label == "female", "male", "female")
    return classified(label, np.where(rng.random(400) < chance, label, other)), speakers


def test_the_interval_contains_the_value():
    scores, speakers = typical(0)
    table = measure(scores, speakers, labels=LABELS)
    assert table["metric"].to_list() == ["accuracy", "uar", "f1"]
    assert (table["low"] < table["value"]).all() and (table["value"] < table["high"]).all()
    assert (table["n"] == 400).all() and (table["speakers"] == 20).all()
    assert value(table, "accuracy") == (scores["label"] == scores["prediction"]).mean()


def width(table):
    return (table["high"] - table["low"]).iloc[0]


def test_the_interval_is_wider_when_speakers_differ():
    settings = {"labels": LABELS}
    alike, different = typical(1), typical(1, spread=0.3)
    assert width(measure(*different, **settings)) > 2 * width(measure(*alike, **settings))
    assert width(measure(*different, **settings)) > 2 * width(
        measure(different[0], None, **settings)
    )


def test_the_interval_is_wider_when_sentences_differ():
    scores, speakers = typical(1)
    sentence = np.tile(np.arange(10), 40)
    hard = sentence >= 8
    other = np.where(scores["label"] == "female", "male", "female")
    scores["prediction"] = pd.Categorical(np.where(hard, other, scores["label"]), LABELS)
    settings = {"labels": LABELS}
    plain = measure(scores, speakers, **settings)
    named = measure(scores, speakers, units=[sentence], **settings)
    assert (named["value"] == plain["value"]).all()
    assert np.isnan(plain["low"].iloc[0])  # each speaker has the same accuracy
    # without each of ten sentences, 7 or 8 of 9 sentences are right
    without = np.arcsin(np.sqrt([7 / 9] * 8 + [8 / 9] * 2))
    half = stats.t.ppf(0.975, 9) * np.sqrt(9 / 10 * ((without - without.mean()) ** 2).sum())
    middle = np.arcsin(np.sqrt(0.8))
    expected = np.sin([middle - half, min(middle + half, np.pi / 2)]) ** 2
    np.testing.assert_allclose(named.loc[0, ["low", "high"]].astype(float), expected)


def test_one_speaker_has_no_interval():
    scores, _ = typical(0)
    table = measure(scores, np.array(["s"] * 400), labels=LABELS)
    assert table["value"].notna().all()
    assert table[["low", "high"]].isna().all(axis=None)
    assert (table["speakers"] == 1).all()


@pytest.mark.parametrize(
    ("speakers", "reliable"), [(4, False), (5, True), (20, True), (None, False)]
)
def test_few_or_unknown_speakers_are_not_reliable(speakers, reliable):
    scores, _ = typical(0)
    who = None if speakers is None else np.arange(400) % speakers
    table = measure(scores, who, labels=LABELS)
    assert table["reliable"].to_list() == [reliable] * 3


@pytest.mark.parametrize(
    ("speakers", "reliable"),
    [
        (9, [False, False, False]),
        (10, [True, False, False]),
        (19, [True, False, False]),
        (20, [True, True, True]),
    ],
)
def test_metrics_of_a_regression_need_more_speakers(speakers, reliable):
    rng = np.random.default_rng(0)
    label = rng.normal(size=400)
    scores = pd.DataFrame({"label": label, "prediction": label + rng.normal(size=400)})
    table = measure(scores, np.arange(400) % speakers, labels=None)
    assert table["reliable"].to_list() == reliable


@pytest.mark.parametrize("tails", ["labels", "errors", "none"])
def test_heavy_tails_make_intervals_unreliable(tails):
    rng = np.random.default_rng(0)
    label, error = rng.normal(size=(2, 1000))
    heavy = rng.standard_t(3, size=1000)
    label, error = (heavy if tails == "labels" else label), (heavy if tails == "errors" else error)
    scores = pd.DataFrame({"label": label, "prediction": label + error})
    table = measure(scores, np.arange(1000) % 40, labels=None)
    assert table["reliable"].to_list() == [tails == "none"] * 3
    assert table["note"].to_list() == [None if tails == "none" else "heavy tails"] * 3


def test_constant_labels_and_errors_have_no_tails():
    scores = pd.DataFrame({"label": [1.0] * 50, "prediction": [2.0] * 50})
    assert not has_heavy_tails(scores)
    assert not has_heavy_tails(scores.iloc[:0])


def test_speakers_without_a_name_are_not_counted():
    scores, _ = typical(0)
    who = np.array(["", "a", "b", "c", "d"])[np.arange(400) % 5]
    table = measure(scores, who, labels=LABELS)
    assert (table["speakers"] == 4).all() and not table["reliable"].any()


def test_unknown_speakers_are_not_counted():
    scores, speakers = typical(0)
    table = measure(scores, None, labels=LABELS)
    assert table["speakers"].isna().all()
    assert count_speakers(speakers) == 20


def test_regression_measures():
    rng = np.random.default_rng(0)
    label = rng.normal(40, 10, 200)
    scores = pd.DataFrame({"label": label, "prediction": label + rng.normal(3, 5, 200)})
    table = measure(scores, np.repeat(np.arange(20), 10), labels=None)
    assert table["metric"].to_list() == ["mae", "ccc", "pcc"]
    assert (table["low"] < table["value"]).all() and (table["value"] < table["high"]).all()
    expected = audmetric.concordance_cc(label, scores["prediction"])
    assert value(table, "ccc") == pytest.approx(expected, abs=1e-12)


def test_confusion_table():
    scores = classified(
        ["female", "female", "female", "male"], ["female", "child", "child", "female"]
    )
    table = confusion_table(scores, LABELS).set_index(["label", "prediction"])["count"]
    assert len(table) == len(LABELS) * len(CLASSES)
    assert table.sum() == 4
    assert table["female", "child"] == 2
    assert table["female", "female"] == table["male", "female"] == 1
    assert table["male", "male"] == table["male", "child"] == 0


def test_confusion_table_of_a_label_that_does_not_occur():
    scores = classified(["female"], ["female"])
    table = confusion_table(scores, LABELS).set_index(["label", "prediction"])["count"]
    assert len(table) == 6 and table.sum() == 1 and table["male", "male"] == 0
