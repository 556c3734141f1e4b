"""The search over all conditions finds groups in conditions, and counts a speaker once."""

import numpy as np
import pandas as pd
import pytest
from condition_scores import classification, metadata
from voxslice.conditions.pooled import POOLED_COLUMNS, pooled_slices
from voxslice.task import Task

TASK = Task("classification")
KNOWN = object()


def searched(scores, table, speakers=KNOWN, seed=0, task=TASK):
    return pooled_slices(
        scores,
        table,
        table["speaker"].to_numpy(str) if speakers is KNOWN else speakers,
        features=["gender", "emotion"],
        task=task,
        depth=3,
        min_support=10,
        alpha=0.05,
        seed=seed,
    )


def repeated(seed, *, planted=0.0, conditions=6, spread=0.0):
    """Utterances that differ in how difficult they are, in all conditions alike.

    A condition helps or hurts single speakers, with a standard deviation of `spread`.
    """
    table = metadata(seed=seed)
    rng = np.random.default_rng([seed, 1])
    anger = (table["emotion"] == "anger").to_numpy()
    rate = rng.beta(0.5, 2, len(table)) * np.where(anger, 1.5, 1)  # anger is worse everywhere
    scores = {}
    for number in range(1 + conditions):
        name = f"c{number}" if number else "clean"
        women = (table["gender"] == "female").to_numpy()
        names, who = np.unique(table["speaker"], return_inverse=True)
        cost = rng.normal(0, spread, len(names))[who] + planted * women * (number == 1)
        wrong = rng.random(len(table)) < rate + cost
        scores[name] = pd.DataFrame({"loss": wrong.astype(float)})
    return {"model": scores}, table


def test_a_group_in_a_condition_is_found_without_being_asked_for():
    table = metadata()
    found = searched(classification(table), table)
    assert list(found) == POOLED_COLUMNS
    confirmed = found[found["confirmed"]]
    assert set(confirmed["model"]) == {"small", "big"}
    first = confirmed.drop_duplicates("model")
    assert set(first["rule"]) == {"condition = phone & gender = female"}
    first = first.iloc[0]
    assert first["support"] == (table["gender"] == "female").sum()
    assert first["speakers"] == 5  # a speaker in four conditions is one speaker
    assert first["evidence"] == "within utterances"
    assert first["value"] == 0
    scores = classification(table)["small"]
    women = (table["gender"] == "female").to_numpy()
    elsewhere = np.mean([scores[name]["loss"][women] for name in ("clean", "noise", "quiet")])
    assert first["elsewhere"] == pytest.approx(1 - elsewhere)
    assert first["drop"] == pytest.approx(1 - elsewhere)
    assert 0 < first["low"] < first["drop"] < first["high"]


def test_a_group_that_is_bad_in_all_conditions_is_no_slice_of_conditions():
    found = searched(*repeated(0))
    assert not found["confirmed"].any()


@pytest.mark.slow
@pytest.mark.parametrize("spread", [0, 0.1])
def test_conditions_that_hurt_no_group_confirm_few_slices(spread):
    studies = 60
    false = sum(
        searched(*repeated(seed, spread=spread), seed=seed)["confirmed"].any()
        for seed in range(studies)
    )
    assert false <= 7  # 98 % of all runs at a rate of 5 %


def test_few_women_who_fail_in_several_conditions_are_found():
    """What women lose is no spread of speakers, also if it is most of the variance."""
    table = metadata(speakers=10, utterances=30)
    scores = classification(table)["big"]
    named = {"clean": scores["clean"], "a": scores["phone"], "b": scores["phone"]}
    named |= {f"c{number}": scores["quiet"] for number in range(6)}
    found = searched({"big": named}, table)
    confirmed = set(found["rule"][found["confirmed"]])
    assert {"condition = a & gender = female", "condition = b & gender = female"} <= confirmed


def test_utterances_of_unknown_speakers_have_no_speaker_in_common():
    scores, table = repeated(1, planted=0.3)
    unknown = table["speaker"].where(table.index % 2 == 0, "").to_numpy(str)
    found = searched(scores, table, speakers=unknown)
    assert "condition = c1 & gender = female" in set(found["rule"][found["confirmed"]])
    assert found["speakers"].max() <= table["speaker"].nunique()


def test_a_planted_group_is_found_among_difficult_utterances():
    found = searched(*repeated(1, planted=0.3))
    assert "condition = c1 & gender = female" in set(found["rule"][found["confirmed"]])


def test_a_large_table_is_searched_in_a_sample_of_utterances(monkeypatch):
    monkeypatch.setattr("voxslice.conditions.pooled.MAX_UTTERANCES", 100)
    table = metadata()
    found = searched(classification(table), table)
    assert (found["utterances"] == 100).all()
    assert found["support"].max() <= 100
    again = searched(classification(table), table)
    pd.testing.assert_frame_equal(found, again)


def test_nothing_is_searched_without_conditions_and_nothing_found_without_changes():
    table = metadata()
    scores = classification(table)
    clean = {"small": {"clean": scores["small"]["clean"]}}
    assert not len(searched(clean, table))
    same = {"small": dict.fromkeys(("clean", "a", "b"), scores["small"]["clean"])}
    assert not len(searched(same, table))


def test_speakers_may_be_unknown():
    table = metadata()
    found = searched(classification(table), table, speakers=None)
    assert found["speakers"].isna().all()
    assert found["confirmed"].any()


def test_a_topic_of_few_hard_sentences_is_no_slice_if_sentences_are_units():
    """Noise is hard for two of twelve sentences, which have the same topic."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(20), 24).astype(str)
    sentence = np.tile(np.arange(24) % 12, 20)
    topic = np.where(sentence < 4, "sport", "news")
    table = metadata(20, 24).assign(topic=topic)
    cost = {"clean": 0.1, "noise": np.where(sentence < 2, 0.7, 0.1), "phone": 0.1}
    losses = {name: (rng.random(len(who)) < share).astype(float) for name, share in cost.items()}
    scores = {"model": {name: pd.DataFrame({"loss": loss}) for name, loss in losses.items()}}
    found = {
        len(units): pooled_slices(
            scores, table, who, features=["topic"], task=TASK, alpha=0.05, seed=0, units=units
        ).query("confirmed")["rule"]
        for units in ([], [sentence])
    }
    assert found[0].str.contains("topic = sport").any()
    assert not found[1].str.contains("topic").any()
