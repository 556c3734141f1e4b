"""The table of checks: groups, answers, levels and notes."""

import numpy as np
import pandas as pd
import pytest
from voxslice.decisions.table import CHECK_COLUMNS, check_models
from voxslice.errors import InputError
from voxslice.utterance_keys import KEY

COUNT = 400


def make(speakers=20, seed=0, *, known=True):
    """Metadata of 400 utterances, and the scores of four models."""
    rng = np.random.default_rng(seed)
    keys = pd.DataFrame({"file": [f"{i:03}.wav" for i in range(COUNT)], "start": 0.0, "end": 1.0})
    metadata = keys.assign(
        gender=np.where(np.arange(COUNT) % 2 == 0, "female", "male"),
        emotion=pd.Categorical(rng.choice(["anger", "neutral"], COUNT)),
        age=rng.integers(20, 60, COUNT).astype(float),
        clean=rng.random(COUNT) < 0.5,
    )
    if known:
        metadata["speaker"] = [f"s{i % speakers:02}" for i in range(COUNT)]
    scores = {}
    for name, rate in (("old", 0.1), ("same", 0.1), ("worse", 0.6), ("perfect", 0.0)):
        wrong = rng.random(COUNT) < rate
        other = metadata["gender"].map({"female": "male", "male": "female"})
        scores[name] = keys.assign(
            label=metadata["gender"],
            prediction=other.where(wrong, metadata["gender"]),
            loss=wrong.astype(float),
        )
    return metadata, scores


def check(number=1, model="same", against="old", on="overall", **more):
    return {
        "check": number, "model": model, "against": against, "on": on, "metric": "accuracy",
        "relation": "at_least", "limit": -0.1, "cost": None, "threads": None, "seconds": None,
        "condition": None,
    } | more  # fmt: skip


def answers(*checks, speakers=20, **more):
    metadata, scores = make(speakers)
    return check_models(checks, scores, metadata, **more)


MODES = pd.DataFrame(
    {
        "mode": ["1", "1", "2", "2", "rest"],
        "model": ["old", "same", "old", "same", "old"],
        "name": ["male", "male", "anger", "anger", np.nan],
        "rule": ["gender = male", "gender = male", "emotion = anger", "emotion = anger", np.nan],
        "confirmed": [True, False, False, False, False],
    }
)


def members(metadata):
    parts = [
        metadata.loc[metadata["gender"] == "male", KEY].assign(mode="1"),
        metadata.loc[metadata["emotion"] == "anger", KEY].assign(mode="2"),
    ]
    return pd.concat(parts)


def test_each_answer_occurs():
    table = answers(check(1), check(2, "worse"), check(3, limit=0.0))
    assert list(table.columns) == CHECK_COLUMNS
    assert table["answer"].tolist() == ["passed", "failed", "undecided"]
    assert table["support"].tolist() == [COUNT] * 3
    assert table["level"].tolist() == pytest.approx([1 - 0.05 / 3] * 3)
    assert table["more_speakers"].isna().tolist() == [True, True, False]


def read_by_all(sentences):
    """A model that errs in half of the sentences, which 20 speakers have all read."""
    metadata, scores = make()
    sentence = np.arange(COUNT) // 20 % sentences
    wrong = sentence < sentences / 2
    worse = scores["perfect"].assign(loss=wrong.astype(float))
    worse["prediction"] = np.where(wrong, "other", worse["label"])
    return metadata.assign(sentence=sentence), scores | {"sentences": worse}


def test_sentences_that_all_speakers_read_leave_a_check_undecided():
    metadata, scores = read_by_all(10)
    checks = [check(1, "sentences", limit=-0.1), check(2, "worse", limit=-0.1)]
    without = check_models(checks, scores, metadata)
    assert without["answer"].tolist() == ["failed", "failed"]
    table = check_models(checks, scores, metadata, units=["sentence"])
    assert table["answer"].tolist() == ["undecided", "failed"]
    assert table["value"].tolist() == without["value"].tolist()
    assert table["detectable"][0] > 2 * without["detectable"][0]
    # further speakers read the same sentences, so they do not help much
    assert pd.isna(table["more_speakers"][0])


def test_too_few_sentences_are_named():
    metadata, scores = read_by_all(6)
    checks = [check(number, "sentences") for number in range(1, 6)]
    table = check_models(checks, scores, metadata, units=["sentence"])
    assert table["answer"].tolist() == ["undecided"] * 5
    assert table["note"][0] == (
        "The group has only 6 units of a kind beside the speaker: a decision needs 8."
    )
    assert table["more_speakers"].isna().all()


def test_a_group_of_few_of_the_sentences_is_undecided_and_one_of_a_single_sentence_is_not():
    metadata, scores = read_by_all(10)
    metadata["topic"] = np.select(
        [metadata["sentence"] < 4, metadata["sentence"] == 4], ["few", "one"], "more"
    )
    on = {"topic": "each"}
    table = check_models([check(1, "sentences", on=on)], scores, metadata, units=["sentence"])
    found = table.set_index("group")[["answer", "note"]]
    without = check_models([check(1, "sentences", on=on)], scores, metadata)
    assert (without.set_index("group")["answer"] == ["failed", "passed", "failed"]).all()
    assert found["answer"].tolist() == ["undecided", "undecided", "failed"]
    assert found["note"].iloc[0].startswith("The group has only 4 units of a kind")
    # all sentences of a study are fixed if they are as few as those of a group may be
    fixed = metadata.assign(sentence=metadata["sentence"] % 5)
    table = check_models([check(1, "sentences")], scores, fixed, units=["sentence"])
    assert table["answer"].tolist() == ["failed"]


def test_a_check_may_be_on_a_condition():
    metadata, scores = make()
    phone = {"same": scores["worse"], "old": scores["old"]}
    table = check_models(
        [
            check(1),
            check(2, condition="phone"),
            check(3, on={"gender": "male"}, condition="phone"),
            check(4, "old", None, condition="phone", limit=0.5),
        ],
        scores,
        metadata,
        in_conditions={"phone": phone},
    )
    assert table["answer"].tolist() == ["passed", "failed", "failed", "passed"]
    assert table["group"].tolist() == [
        "all utterances", "condition phone", "gender = male, condition phone",
        "condition phone",
    ]  # fmt: skip
    right = [1 - one["loss"].mean() for one in (phone["same"], phone["old"])]
    assert table.loc[1, "value"] == pytest.approx(right[0] - right[1])


def test_intervals_are_wider_in_a_longer_list():
    one, two = answers(check(1)), answers(check(1), check(2))
    assert two.loc[0, "low"] < one.loc[0, "low"] < one.loc[0, "high"] < two.loc[0, "high"]


def test_a_check_is_on_the_difference_or_on_one_model():
    table = answers(check(1), check(2, against=None, limit=0.5))
    _, scores = make()
    accuracy = {name: 1 - scores[name]["loss"].mean() for name in ("old", "same")}
    assert table["value"].tolist() == pytest.approx(
        [accuracy["same"] - accuracy["old"], accuracy["same"]]
    )
    assert table["against"].isna().tolist() == [False, True]


def test_each_stands_for_every_category():
    table = answers(
        check(1, on={"gender": "each", "emotion": "each"}), check(2, on={"age": "each"})
    )
    assert table["group"].tolist()[:4] == [
        "gender = female, emotion = anger", "gender = female, emotion = neutral",
        "gender = male, emotion = anger", "gender = male, emotion = neutral",
    ]  # fmt: skip
    assert len(table) == 7
    assert table["support"].sum() == 2 * COUNT


@pytest.mark.parametrize(
    ("on", "column"),
    [({"gender": "male"}, "gender"), ({"clean": True}, "clean"), ({"age": 33}, "age")],
)
def test_one_category_selects_its_utterances(on, column):
    table = answers(check(on=on))
    metadata, _ = make()
    assert table.loc[0, "support"] == (metadata[column] == on[column]).sum()


def test_modes_are_those_that_are_confirmed_for_the_baseline():
    metadata, scores = make()
    more = {"modes": MODES, "members": members(metadata)}
    table = check_models([check(on="modes")], scores, metadata, **more)
    assert table["group"].tolist() == ["male"]
    assert table.loc[0, "support"] == COUNT / 2
    assert "too favourable" in table.loc[0, "note"]
    named = check_models([check(on={"mode": "anger"})], scores, metadata, **more)
    assert named.loc[0, "support"] == (metadata["emotion"] == "anger").sum()
    assert named.loc[0, "note"].startswith("The mode is not confirmed for old. The mode was chosen")
    named = check_models([check(on={"mode": "male"})], scores, metadata, **more)
    assert named.loc[0, "note"].startswith("The mode was chosen")


def test_without_a_confirmed_mode_there_is_nothing_to_check():
    metadata, scores = make()
    more = {"modes": MODES, "members": members(metadata)}
    table = check_models([check(against=None, on="modes")], scores, metadata, **more)
    assert table["answer"].tolist() == ["passed"]
    assert table.loc[0, "note"].startswith("No failure mode of same is confirmed")


@pytest.mark.parametrize(
    ("on", "sentence"),
    [
        (
            {"gender": "child"},
            "no utterance has the value 'child'; the categories are female, male.",
        ),
        ({"age": "old"}, "no utterance has the value 'old'; the numbers are"),
        ({"mode": "happy"}, "there is no failure mode 'happy'; the modes are male, anger."),
    ],
)
def test_what_does_not_exist_is_one_sentence(on, sentence):
    metadata, scores = make()
    with pytest.raises(InputError, match=f"^checks.0.on.{next(iter(on))}: {sentence}"):
        check_models([check(on=on)], scores, metadata, modes=MODES, members=members(metadata))


def test_with_five_speakers_nothing_is_decided():
    table = answers(check(1), check(2, "worse"), check(3, "perfect", None), speakers=5)
    assert set(table["answer"]) == {"undecided"}
    assert table["detectable"].isna().all()
    assert table["note"].str.contains("too few speakers: a decision needs 6").all()
    assert (table["more_speakers"].dropna() >= 1).all()


def test_without_speakers_utterances_are_independent():
    metadata, scores = make(known=False)
    table = check_models([check(1), check(2, "worse")], scores, metadata)
    assert table["answer"].tolist() == ["passed", "failed"]
    assert table["speakers"].isna().all()


def test_only_utterances_that_both_models_scored_count():
    metadata, scores = make()
    scores["same"] = scores["same"].iloc[::-1].iloc[100:]
    table = check_models([check(1), check(2, "worse", None, limit=0.1)], scores, metadata)
    assert table["support"].tolist() == [COUNT - 100, COUNT]


def test_an_empty_group_is_undecided():
    metadata, scores = make()
    scores["same"] = scores["same"].iloc[:0]
    table = check_models([check()], scores, metadata)
    assert table["answer"].tolist() == ["undecided"]
    assert pd.isna(table.loc[0, "value"])


COSTS = pd.DataFrame(
    {"machine": "here", "threads": [1, 1, 2, 2], "seconds": [1.0, 10.0, 1.0, 10.0],
     "p95_ms": [10.0, 100.0, 6.0, 60.0]}
)  # fmt: skip


@pytest.mark.parametrize(
    ("more", "value", "answer"),
    [
        ({}, 100, "failed"),
        ({"seconds": 1}, 10, "passed"),
        ({"threads": 2}, 60, "failed"),
        ({"threads": 2, "seconds": 1.0}, 6, "passed"),
    ],
)
def test_the_largest_measured_cost_decides(more, value, answer):
    one = check(against=None, metric=None, cost="p95_ms", relation="below", limit=50.0, **more)
    table = answers(one, costs={"same": COSTS})
    assert (table.loc[0, "value"], table.loc[0, "answer"]) == (value, answer)
    assert table.loc[0, ["low", "high", "level", "detectable"]].isna().all()


def test_costs_that_were_not_measured_are_undecided():
    one = check(against=None, metric=None, cost="p95_ms", relation="below", limit=50.0, threads=8)
    table = answers(one, costs={"same": COSTS})
    assert table.loc[0, "answer"] == "undecided"
