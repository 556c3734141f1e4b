"""Risk against coverage, overall and within failure modes, and thresholds for a wanted risk."""

import numpy as np
import pandas as pd
import pytest
from voxslice.decisions.abstention import (
    ABSTENTION_COLUMNS,
    COVERAGES,
    IN_CONDITION_COLUMNS,
    THRESHOLD_COLUMNS,
    Answers,
    abstention_in_conditions,
    abstention_table,
    choose_threshold,
    threshold_of,
    threshold_table,
)
from voxslice.utterance_keys import KEY


def make(speakers=20, utterances=30, seed=0, angry=0.2):
    """Scores of a model that is unsure where it is wrong, except for angry speech."""
    rng = np.random.default_rng(seed)
    count = speakers * utterances
    keys = pd.DataFrame({"file": [f"{i}.wav" for i in range(count)], "start": 0.0, "end": 1.0})
    speaker = np.repeat(np.arange(speakers), utterances)
    anger = rng.random(count) < angry
    chance = np.where(anger, 0.5, rng.beta(1, 12, speakers)[speaker])
    wrong = rng.random(count) < chance
    sure = rng.beta(np.where(wrong ^ anger, 4, 12), 2)
    scores = keys.assign(
        label="a",
        prediction=pd.Categorical(np.where(wrong, "b", "a"), categories=["a", "b"]),
        loss=wrong.astype(float),
        p_a=np.where(wrong, 1 - sure, sure),
        p_b=np.where(wrong, sure, 1 - sure),
    )
    metadata = keys.assign(
        speaker=[f"s{i:02}" for i in speaker],
        emotion=np.where(anger, "anger", "neutral"),
        pitch=np.where(anger, 300.0, 100.0) + np.arange(count) % 7,
    )
    modes = pd.DataFrame(
        {
            "mode": ["1", "2", "rest"],
            "model": "m",
            "name": ["anger", "pitch at least 300 Hz", np.nan],
            "rule": ["emotion = anger", "pitch at least 300", np.nan],
            "confirmed": [True, True, False],
        }
    )
    inside = metadata.loc[anger, KEY]
    members = pd.concat([inside.assign(mode="1"), inside.assign(mode="2")])
    return scores, metadata, modes, members


def curve(*, visible=("pitch",), **more):
    scores, metadata, modes, members = make(**more)
    return abstention_table(
        {"m": scores}, metadata, modes, members, visible=visible, resamples=200, seed=0
    )


def test_conditions_meet_the_thresholds_of_the_original_audio():
    clean, metadata, *_ = make()
    noisy = make(seed=1, angry=0.6)[0]
    table = abstention_in_conditions(
        {"m": clean, "bare": clean.drop(columns=["p_a", "p_b"])},
        {"m": {"same": clean, "noisy": noisy}, "bare": {"noisy": noisy}},
        metadata,
        resamples=200,
        seed=0,
    )
    assert list(table.columns) == IN_CONDITION_COLUMNS
    assert list(table["model"].unique()) == ["m"]
    same, changed = (table[table["condition"] == name] for name in ("same", "noisy"))
    assert same["coverage"].tolist() == same["coverage_clean"].tolist()
    assert changed["threshold"].tolist() == same["threshold"].tolist()
    sure = noisy["p_a"].where(noisy["loss"] == 0, noisy["p_b"])
    for row in changed.to_dict("records"):
        answered = noisy.loc[sure >= row["threshold"], "loss"]
        assert row["answered"] == len(answered)
        assert row["risk"] == pytest.approx(answered.mean())
        assert row["change"] == pytest.approx(answered.mean() - noisy["loss"].mean())


def test_the_risk_is_the_share_of_errors_of_the_surest_utterances():
    scores, *_ = make()
    table = curve()
    assert list(table.columns) == ABSTENTION_COLUMNS
    rows = table[(table["mode"] == "all") & (table["by"] == "confidence")]
    sure = scores["p_a"].where(scores["loss"] == 0, scores["p_b"])
    ordered = scores.loc[sure.sort_values(ascending=False).index, "loss"].to_numpy()
    for coverage, row in zip(COVERAGES, rows.to_dict("records"), strict=True):
        count = int(coverage * len(scores))
        assert row["answered"] == count
        assert row["risk"] == pytest.approx(ordered[:count].mean())
        assert row["change"] == pytest.approx(row["risk"] - ordered.mean())
        assert row["low"] <= row["risk"] <= row["high"]
    area = np.mean(ordered.cumsum() / np.arange(1, len(ordered) + 1))
    assert rows["area"].iloc[0] == pytest.approx(area, abs=0.005)
    assert rows["area_low"].iloc[0] < area < rows["area_high"].iloc[0]
    assert rows["area"].iloc[1:].isna().all()


def test_a_mode_gets_worse_where_the_model_is_surer_when_wrong():
    table = curve().set_index(["mode", "by", "coverage"])
    overall = table.loc[("all", "confidence", 0.8)]
    anger = table.loc[("1", "confidence", 0.8)]
    assert overall["change"] < 0
    assert anger["change"] > 0
    assert anger["change_low"] > 0
    assert anger["support"] > anger["answered"]
    assert anger["coverage_of_mode"] == anger["answered"] / anger["support"]


def test_only_rules_on_columns_that_a_machine_sees_leave_out_a_mode():
    table = curve()
    by_rule = table[table["by"] == "rule"]
    assert by_rule["rule"].tolist() == ["pitch at least 300"]
    scores, metadata, *_ = make()
    left = scores[metadata["emotion"] != "anger"]
    assert by_rule["risk"].iloc[0] == pytest.approx(left["loss"].mean())
    assert by_rule["coverage"].iloc[0] == len(left) / len(scores)
    assert not (curve(visible=())["by"] == "rule").any()


def test_models_without_probabilities_are_left_out():
    scores, metadata, modes, members = make()
    table = abstention_table(
        {"m": scores.drop(columns="p_b")},
        metadata,
        modes,
        members,
        visible=(),
        resamples=200,
        seed=0,
    )
    assert list(table.columns) == ABSTENTION_COLUMNS and not len(table)
    found = threshold_table({"m": scores.drop(columns="p_b")}, metadata, wanted=0.1, seed=0)
    assert list(found.columns) == THRESHOLD_COLUMNS and not len(found)


def test_without_speakers_the_area_is_the_same():
    scores, metadata, modes, members = make()
    settings = {"visible": (), "resamples": 200, "seed": 0}
    rows = [
        abstention_table({"m": scores}, table, modes, members, **settings).iloc[0]
        for table in (metadata, metadata.drop(columns="speaker"))
    ]
    assert rows[0]["area"] == rows[1]["area"]
    widths = [row["area_high"] - row["area_low"] for row in rows]
    # the speakers of these scores hardly differ
    assert widths[1] == pytest.approx(widths[0], rel=0.5)
    assert rows[1]["area_low"] < rows[1]["area"] < rows[1]["area_high"]


def test_a_threshold_answers_at_most_the_coverage():
    sure = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    assert (sure >= threshold_of(sure, 0.5)).sum() == 2
    assert (sure >= threshold_of(sure, 1.0)).sum() == 5
    assert (sure >= threshold_of(sure, 0.01)).sum() == 1


def test_a_threshold_is_told_with_what_it_does_on_the_other_speakers():
    scores, metadata, *_ = make(speakers=60, angry=0)
    table = threshold_table({"m": scores}, metadata, wanted=0.06, seed=0)
    assert table["half"].tolist() == ["first", "second"]
    assert table["speakers"].tolist() == [30, 30]
    for row in table.to_dict("records"):
        assert 0.5 <= row["coverage"] <= 1
        assert row["risk"] < 0.06
        assert row["kept"] == (row["risk_elsewhere"] <= 0.06)


def test_without_enough_speakers_no_threshold_is_chosen():
    scores, metadata, *_ = make(speakers=6)
    table = threshold_table({"m": scores}, metadata, wanted=0.02, seed=0)
    assert table["threshold"].isna().all()
    assert table["kept"].isna().all()


@pytest.mark.slow
def test_thresholds_keep_their_promise_on_other_speakers():
    kept, covered = [], []
    for seed in range(100):
        scores, metadata, *_ = make(speakers=40, seed=seed, angry=0)
        table = threshold_table({"m": scores}, metadata, wanted=0.06, seed=seed)
        kept += table["kept"].dropna().tolist()
        covered += table["coverage"].dropna().tolist()
    assert len(kept) > 50
    assert np.mean(kept) >= 0.9
    assert np.median(covered) > 0.5


def test_units_widen_the_intervals():
    scores, metadata, *_ = make(speakers=20, utterances=20)
    sentence = np.arange(len(scores)) % 20
    noise = np.random.default_rng(0).random(len(scores)) < 0.02
    scores["loss"] = ((sentence < 6) ^ noise).astype(float)
    sure = np.where(sentence < 3, 0.6, 0.9) + scores["p_a"] / 100
    scores["p_a"] = np.where(scores["prediction"] == "a", sure, 1 - sure)
    scores["p_b"] = 1 - scores["p_a"]
    metadata["sentence"] = sentence
    none = pd.DataFrame({"mode": [], "model": [], "name": [], "rule": [], "confirmed": []})
    members = scores[KEY].head(0).assign(mode="")
    settings = {"visible": [], "resamples": 200, "seed": 0}
    tables = [
        abstention_table({"m": scores}, metadata, none, members, **settings, units=units)
        for units in ([], ["sentence"])
    ]
    for low, high in (("low", "high"), ("area_low", "area_high"), ("change_low", "change_high")):
        widths = [(table[high] - table[low])[2 if low == "change_low" else 0] for table in tables]
        assert widths[1] > 2 * widths[0], low
    # a threshold has to keep its promise for other sentences, too
    found = [
        threshold_table({"m": scores}, metadata, wanted=0.45, seed=0, units=units)["threshold"]
        for units in ([], ["sentence"])
    ]
    assert (found[0] < 0.7).all() and (found[1].fillna(1) > 0.9).all()


def test_the_lowest_threshold_is_chosen():
    sure = np.linspace(0, 1, 4000)
    loss = (np.random.default_rng(0).random(4000) < 0.4 * (1 - sure)).astype(float)
    keys = pd.DataFrame({"file": np.arange(4000).astype(str), "start": 0.0, "end": 1.0})
    limit = choose_threshold(Answers(keys, loss, sure, None), 0.15)
    # errors of the utterances above a confidence c have the rate 0.2 (1 - c)
    assert 0.25 < limit < 0.4
