"""Losses that are alike within units are found, and nothing else is."""

import numpy as np
import pandas as pd
import pytest
from voxslice.slices import shared_losses
from voxslice.slices.shared_losses import (
    OF_A_SPEAKER,
    SPEAKERS,
    UNIT_COLUMNS,
    UTTERANCES,
    units_alike,
)
from voxslice.slices.unit_candidates import Candidate

ROWS, PEOPLE, SENTENCES = 800, 40, 20


@pytest.fixture(autouse=True)
def fewer_permutations(monkeypatch):
    monkeypatch.setattr(shared_losses, "PERMUTATIONS", 199)


def draw(seed):
    rng = np.random.default_rng(seed)
    return rng, rng.integers(0, PEOPLE, ROWS), rng.integers(0, SENTENCES, ROWS)


def text(numbers):
    return np.array([f"s{number}" for number in numbers])


def named(unit, clue="sentence"):
    return Candidate("column", clue, "{units: [x]}", unit)


def alike(candidates, loss, speakers, features=None, groups=(), *, seed=0):
    losses = loss if isinstance(loss, dict) else {"model": loss}
    return units_alike(candidates, losses, speakers, features or {}, groups, alpha=0.05, seed=seed)


def errors(rng, effect):
    return (rng.random(ROWS) < 1 / (1 + np.exp(2 - effect))).astype(float)


def test_sentences_that_share_errors_are_found_and_others_are_not():
    found = {True: 0, False: 0}
    for seed in range(40):
        rng, who, sentence = draw(seed)
        for effect in found:
            size = 0.9 * effect
            loss = errors(rng, rng.normal(size=PEOPLE)[who] + size * rng.normal(size=20)[sentence])
            table = alike([named(sentence)], loss, text(who), seed=seed)
            found[effect] += table["found"].any()
    assert found[True] >= 36
    assert found[False] <= 5  # 2 are expected; more than 5 have a chance of 1 %


def test_units_of_each_speaker_are_tested_apart():
    rng, who, take = draw(1)
    take = take % 4
    own = 4 * who + take
    loss = rng.normal(size=ROWS) + rng.normal(size=4 * PEOPLE)[own]
    table = alike([named(own), named(rng.integers(0, 20, ROWS), "other")], loss, text(who))
    first = table.iloc[0]
    assert (first["clue"], first["alike"], first["found"]) == ("sentence", OF_A_SPEAKER, True)
    # without the means of speakers, three quarters of the variance of four takes are left
    assert first["correlation"] == pytest.approx(0.75 / 1.75, abs=0.08)
    # takes that are numbered for each speaker mean something within a speaker only
    table = alike([named(take + 4 * (who % 2), "take")], loss, text(who))
    assert set(table["alike"]) == {UTTERANCES, OF_A_SPEAKER}
    assert table.iloc[0]["alike"] == OF_A_SPEAKER and table.iloc[0]["found"]


def test_sites_are_compared_by_the_means_of_their_speakers():
    rng, who, _ = draw(2)
    site = (np.arange(PEOPLE) % 8)[who]
    loss = rng.normal(size=ROWS) + 0.3 * rng.normal(size=PEOPLE)[who]
    shared = loss + rng.normal(size=8)[site]
    assert not alike([named(site)], loss, text(who))["found"].any()
    (row,) = alike([named(site)], shared, text(who)).itertuples()
    assert (row.alike, row.found, row.units, row.utterances) == (SPEAKERS, True, 8, ROWS)
    assert row.correlation > 0.4


def test_without_speakers_all_utterances_are_compared():
    rng, who, _ = draw(3)
    loss = errors(rng, 1.5 * rng.normal(size=PEOPLE)[who])
    for unknown in (None, np.full(ROWS, "")):
        (row,) = alike([named(who, "person")], loss, unknown).itertuples()
        assert (row.alike, row.found, row.clue) == (UTTERANCES, True, "person")


def test_utterances_without_a_score_or_a_speaker_are_left_out():
    rng, who, sentence = draw(4)
    loss = errors(rng, 1.5 * rng.normal(size=20)[sentence])
    speakers = text(who)
    speakers[:100], loss[100:300] = "", np.nan
    rest = slice(300, None)
    whole = alike([named(sentence)], loss, speakers)
    part = alike([named(sentence[rest])], loss[rest], speakers[rest])
    pd.testing.assert_frame_equal(whole, part)
    assert whole["utterances"].max() == 500


def test_what_follows_from_a_feature_is_no_unit_unless_a_column_names_it():
    rng, who, sentence = draw(5)
    topic = sentence % 4
    loss = rng.normal(size=ROWS) + np.array([0, 0, 0, 2.0])[topic]
    features = {"topic": topic}
    part = Candidate("file name", "a01", "{units: [x]}", sentence)
    assert not alike([part], loss, text(who), features)["found"].any()
    table = alike([named(sentence)], loss, text(who), features)
    assert table["found"].any()
    assert set(table["features"]) == {"topic"}


def test_a_speaker_who_fails_in_an_emotion_is_no_unit():
    rng, who, version = draw(6)
    emotion = rng.integers(0, 5, ROWS)
    loss = rng.normal(size=ROWS) + 1.5 * rng.normal(size=5 * PEOPLE)[5 * who + emotion]
    part = Candidate("file name", "Fa", "{units: [x]}", 3 * emotion + version % 3)
    assert not alike([part], loss, text(who), {"emotion": emotion})["found"].any()
    assert alike([part], loss, text(who))["found"].any()


def test_features_that_go_with_units_of_a_speaker_are_named():
    rng, who, take = draw(7)
    own = 4 * who + take % 4
    features = {
        "room": rng.integers(0, 5, 4 * PEOPLE)[own],
        "gender": (np.arange(PEOPLE) % 2)[who],
        "emotion": rng.integers(0, 5, ROWS),
    }
    (row,) = alike([named(own)], rng.normal(size=ROWS), text(who), features).itertuples()
    assert row.features == "room"


def test_groups_are_taken_out():
    rng, who, sentence = draw(8)
    loss = rng.normal(size=ROWS) + rng.normal(size=20)[sentence]
    assert alike([named(sentence // 2)], loss, text(who))["found"].any()
    assert not alike([named(sentence // 2)], loss, text(who), groups=[sentence])["found"].any()


def test_p_values_are_adjusted_for_all_candidates_and_models():
    rng, who, sentence = draw(9)
    loss = errors(rng, 1.2 * rng.normal(size=20)[sentence])
    others = [named(rng.integers(0, 20, ROWS), f"other {number}") for number in range(9)]
    one = alike([named(sentence)], loss, text(who))
    many = alike([named(sentence), *others], {"a": loss, "b": rng.random(ROWS)}, text(who))
    own = many[(many["clue"] == "sentence") & (many["model"] == "a")]
    assert len(many) == 40
    assert (many["q"] >= many["p"] - 0.05).all()
    assert own["q"].min() >= one["q"].min()
    assert own["found"].any() and not many.drop(own.index)["found"].any()


def test_copies_have_the_same_error():
    rng, who, _ = draw(10)
    half = np.arange(ROWS) // 2
    loss = errors(rng, np.zeros(ROWS))[half]
    (row,) = alike([named(half, "source")], loss, text(who[half])).itertuples()
    assert row.found and row.correlation == pytest.approx(1, abs=0.05)


def test_nothing_is_tested_with_too_few_units_or_equal_losses():
    rng, who, sentence = draw(11)
    few, alone = sentence % 5, np.arange(ROWS)
    for candidates, loss in (
        ([], rng.random(ROWS)),
        ([named(alone)], rng.random(ROWS)),
        ([named(sentence)], np.zeros(ROWS)),
    ):
        table = alike(candidates, loss, text(who))
        assert list(table) == UNIT_COLUMNS and not len(table)
    # the groups explain each loss, so that only rounding errors are left
    who, unit = np.arange(ROWS) % 2, np.arange(ROWS) // 8
    saturated = alike([named(unit)], rng.random(ROWS), text(who), groups=[np.arange(ROWS)])
    assert not len(saturated)
    table = alike([named(few)], rng.random(ROWS), text(who))
    assert table["alike"].tolist() == [OF_A_SPEAKER]  # five sentences are too few


def test_two_runs_are_equal_and_the_seed_matters():
    rng, who, sentence = draw(12)
    loss = rng.normal(size=ROWS)
    tables = [alike([named(sentence)], loss, text(who), seed=seed) for seed in (1, 1, 2)]
    pd.testing.assert_frame_equal(tables[0], tables[1])
    assert not tables[0]["p"].equals(tables[2]["p"])


def test_many_utterances_have_fewer_permutations(monkeypatch):
    monkeypatch.setattr(shared_losses, "MANY_UTTERANCES", ROWS - 1)
    monkeypatch.setattr(shared_losses, "FEWER_PERMUTATIONS", 49)
    rng, who, sentence = draw(13)
    loss = errors(rng, 2 * rng.normal(size=20)[sentence])
    assert alike([named(sentence)], loss, text(who))["p"].min() == pytest.approx(1 / 50)
