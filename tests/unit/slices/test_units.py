"""Units beside the speaker: rules that go with a unit are not confirmed because of the unit."""

import numpy as np
import pandas as pd
import pytest
from voxslice.slices.rule_space import RuleSpace
from voxslice.slices.search import find_slices
from voxslice.slices.units import (
    distinct_rows,
    equal_copies,
    pairs_within_units,
    shared_variance,
    unequal_spread,
    with_speakers,
)
from voxslice.units import COPIES, number_units


def table_of(seed, rows=600, speakers=12):
    rng = np.random.default_rng(seed)
    who = rng.integers(0, speakers, rows)
    return rng, pd.DataFrame(
        {
            "speaker": [f"s{i}" for i in who],
            "gender": np.array(["f", "m"])[rng.integers(0, 2, speakers)[who]],
            "emotion": rng.choice(list("abc"), rows),
            "sentence": rng.integers(0, 10, rows),
        }
    )


def test_values_of_several_speakers_are_units_of_each_speaker_too():
    speakers = np.array([0, 0, 1, 1])
    shared, own = np.array([0, 1, 0, 1]), np.array([0, 0, 1, 1])
    assert [unit.tolist() for unit in with_speakers([own], speakers)] == [[0, 0, 1, 1]]
    assert [len(set(unit)) for unit in with_speakers([shared], speakers)] == [2, 4]


@pytest.mark.parametrize("nested", [False, True])
def test_the_shared_variance_is_an_upper_limit(nested):
    limits = {0.0: [], 1.0: []}
    for seed in range(60):
        rng = np.random.default_rng(seed)
        strata = np.repeat(np.arange(20), 40)
        unit = 4 * strata + rng.integers(0, 4, 800) if nested else rng.integers(0, 30, 800)
        for deviation, found in limits.items():
            loss = rng.normal(0, 1, 800) + deviation * rng.normal(0, 1, unit.max() + 1)[unit]
            rest = loss - (np.bincount(strata, loss) / 40)[strata]
            found.append(shared_variance(rest, strata, unit))
    assert np.mean(np.array(limits[1.0]) >= 1) >= 0.85
    assert np.median(limits[1.0]) < 2
    assert np.median(limits[0.0]) < 0.05


def test_units_without_pairs_share_nothing():
    rest = np.random.default_rng(0).normal(size=20)
    one = np.zeros(20, dtype=np.int64)
    assert shared_variance(rest - rest.mean(), one, np.arange(20)) == 0
    assert shared_variance(rest - rest.mean(), one, one) == 0
    assert shared_variance(np.zeros(20), one, np.arange(20) // 2) == 0


def test_pairs_within_units_by_hand():
    _, table = table_of(0, rows=60, speakers=3)
    space = RuleSpace(table, ["emotion", "gender"], 2, 5)
    strata, unit = number_units(table["speaker"]), number_units(table["sentence"])
    found = pairs_within_units(space, strata, unit)
    for rule in range(space.searched):
        inside = space.members(rule).astype(float)
        rest = inside - (np.bincount(strata, inside) / np.bincount(strata))[strata]
        by_hand = (np.bincount(unit, rest) ** 2).sum() - (rest**2).sum()
        assert found[rule] == pytest.approx(max(by_hand, 0), abs=1e-3)


@pytest.mark.slow
def test_a_rule_on_the_sentence_is_not_confirmed_because_sentences_differ():
    confirmed = {True: 0, False: 0}
    for seed in range(10):
        rng, table = table_of(seed, rows=1000, speakers=20)
        table["topic"] = rng.choice(list("xyz"), 10)[table["sentence"]]
        rate = 1 / (1 + np.exp(2 - rng.normal(0, 1, 10)))[table["sentence"]]
        loss = rng.random(1000) < rate
        for named in confirmed:
            units = ["sentence"] if named else []
            found = find_slices(table, loss, ["topic", "gender"], "speaker", units=units)
            confirmed[named] += found.slices["confirmed"].any()
    assert confirmed[True] <= 1 and confirmed[False] >= 6


@pytest.mark.parametrize("units", [[], ["sentence"]])
def test_a_slice_that_does_not_go_with_the_unit_is_found(units):
    rng, table = table_of(1, rows=1000, speakers=20)
    inside = (table["emotion"] == "a").to_numpy()
    effect = rng.normal(0, 0.5, 10)[table["sentence"]]
    loss = rng.random(1000) < 1 / (1 + np.exp(2.2 - effect - 1.5 * inside))
    found = find_slices(table, loss, ["emotion", "gender"], "speaker", units=units).slices.iloc[0]
    assert found["rule"] == "emotion = a" and found["confirmed"]


@pytest.mark.slow
def test_copies_count_once():
    rng, table = table_of(3, rows=400, speakers=20)
    loss = (rng.random(400) < np.where(table["emotion"] == "a", 0.22, 0.15)).astype(float)
    p = {}
    for times in (1, 4):
        copies = pd.concat([table.assign(source=np.arange(400))] * times, ignore_index=True)
        for units in ([], ["source"]):
            found = find_slices(copies, np.tile(loss, times), ["emotion"], "speaker", units=units)
            p[times, len(units)] = found.slices["p"].iloc[0]
    assert p[1, 1] == p[1, 0] > 0.2 and p[4, 0] < 0.05
    assert p[4, 1] == pytest.approx(p[1, 0], rel=0.2)


@pytest.mark.slow
def test_a_larger_spread_is_no_slice():
    confirmed = 0
    for seed in range(10):
        rng, table = table_of(seed, rows=600)
        deviation = np.where(table["emotion"] == "a", 1.0, 0.1)
        loss = rng.gamma(1 / deviation**2, deviation**2)
        found = find_slices(table, loss, ["emotion", "gender", "sentence"], "speaker")
        confirmed += found.slices["confirmed"].any()
    assert confirmed <= 2


def test_the_factor_of_a_spread_is_that_of_welch():
    rng, table = table_of(3)
    inside = (table["emotion"] == "a").to_numpy()
    loss = rng.normal(0, np.where(inside, 3.0, 1.0))
    space = RuleSpace(table, ["emotion"], 1, 5)
    one = np.zeros(len(table), dtype=np.int64)
    factors = {space.text(rule): unequal_spread(space, loss, one)[rule] for rule in range(3)}
    share = inside.mean()
    expected = ((1 - share) * 9 + share) / (9 * share + 1 - share)
    assert factors["emotion = a"] == pytest.approx(expected, rel=0.15)
    assert factors["emotion = b"] == 1  # the spread inside is smaller


def test_copies_are_searched_once():
    rng, table = table_of(3)
    table["emotion"] = rng.choice(list("abcd"), len(table))
    loss = (rng.random(len(table)) < np.where(table["emotion"] == "a", 0.4, 0.1)).astype(float)
    copies = pd.concat([table.assign(source=range(len(table)))] * 3, ignore_index=True)
    thrice = np.tile(loss, 3)
    kept = distinct_rows(copies, thrice, ["emotion", "speaker"], "source")
    assert kept.tolist() == list(range(len(table)))
    found = find_slices(copies, thrice, ["emotion"], "speaker", units=["source"])
    once = find_slices(table, loss, ["emotion"], "speaker")
    columns = ["rule", "p", "q", "confirmed"]
    pd.testing.assert_frame_equal(found.slices[columns], once.slices[columns])
    assert once.slices["confirmed"].iloc[0]
    np.testing.assert_array_equal(
        found.slices["rows"].iloc[0], np.flatnonzero(copies["emotion"] == "a")
    )
    # rows of a unit that differ are no copies
    thrice[-1] = 1 - thrice[-1]
    assert len(distinct_rows(copies, thrice, ["emotion"], "source")) == len(copies)


def test_copies_are_equal_if_nothing_else_tells_them_from_each_other():
    rows = [("f0", "a", 1, 0.5), ("f0", "a", 1, 0.5), ("f0", "b", 1, 0.5), ("f0", "a", 1, 0.4)]
    rows += [("e1", None, np.nan, 1), ("e1", None, np.nan, 1), (None, "a", 1, 1), (None, "a", 1, 1)]
    table = pd.DataFrame(rows, columns=[COPIES, "mood", "age", "loss"], index=range(8, 0, -1))
    numbers = equal_copies(table, table["loss"].to_numpy(), ["mood", "age"])
    assert numbers[0] == numbers[1] and numbers[4] == numbers[5]
    assert len(set(numbers)) == 6
