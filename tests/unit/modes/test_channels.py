"""Groups of people whose recordings differ are found, with speakers as the units of the test."""

import numpy as np
import pandas as pd
import pytest
from voxslice.modes.channels import (
    CHANNEL_COLUMNS,
    association,
    associations,
    categories_of_people,
    people_of,
)
from voxslice.modes.rules import read_rule
from voxslice.speakers import as_speakers

ABOUT = ("speaker", "gender", "age")
COLUMNS = ["bandwidth", "snr", "microphone"]


def recordings(seed, speakers=20, utterances=30, on_telephone=None):
    """Recordings whose channels differ by speaker, or by gender with the given shares."""
    rng = np.random.default_rng(seed)
    who = np.repeat(np.arange(speakers), utterances)
    gender = np.where(rng.permutation(speakers) % 2, "female", "male")
    share = rng.beta(0.5, 1.5, speakers)
    if on_telephone is not None:
        share = np.where(gender == "female", *on_telephone)
    telephone = rng.random(len(who)) < share[who]
    table = pd.DataFrame(
        {
            "file": [f"{i:04}.wav" for i in range(len(who))],
            "speaker": [f"s{i:02}" for i in who],
            "gender": gender[who],
            "emotion": rng.choice(["anger", "calm"], len(who)),
            "bandwidth": np.where(telephone, "telephone", "wideband"),
            "snr": rng.normal(25, 5, speakers)[who] + rng.normal(0, 3, len(who)),
            "microphone": rng.choice(["a", "b", "c"], speakers)[who],
        }
    )
    table.loc[rng.random(len(who)) < 0.1, "snr"] = np.nan
    return table


def associated(table, rule="gender = female", speakers=True, seed=0):
    group = people_of(rule, read_rule(rule, table), ABOUT)
    who = as_speakers(table["speaker"]) if speakers else None
    return associations([group], table, COLUMNS, who, {"snr": "dB"}, seed=seed)


def test_a_planted_channel_is_found_with_its_shares():
    table = recordings(0, on_telephone=(0.8, 0.1))
    found = associated(table)
    assert list(found) == CHANNEL_COLUMNS
    row = found.loc[found["p"].idxmin()]
    assert (row["column"], row["speakers"], row["others"]) == ("bandwidth", 10, 10)
    female, telephone = table["gender"] == "female", table["bandwidth"] == "telephone"
    row = found[found["category"] == "telephone"].iloc[0]
    assert row["inside"] == pytest.approx(telephone[female].mean())
    assert row["outside"] == pytest.approx(telephone[~female].mean())
    assert row["correlation"] > 0.9 and row["p"] <= 0.005
    assert found[found["column"] == "snr"].iloc[0]["unit"] == "dB"


@pytest.mark.slow
def test_channels_that_differ_by_speaker_alone_are_rarely_taken_for_the_cause():
    """With utterances as the units, nearly all of these studies would have one."""
    alarms = {True: 0, False: 0}
    for seed in range(100):
        table = recordings(seed, speakers=12)
        alarms[True] += (associated(table)["p"] <= 0.05).any()
        if seed < 10:
            alarms[False] += (associated(table, speakers=False)["p"] <= 0.05).any()
    # of 100 studies at a level of 5 %, more than 11 have a probability of 0.4 %
    assert alarms[True] <= 11
    assert alarms[False] >= 8


def test_planted_channels_are_found_with_ten_speakers():
    found = 0
    for seed in range(20):
        rows = associated(recordings(seed, speakers=10, utterances=50, on_telephone=(0.6, 0.1)))
        found += rows.loc[rows["column"] == "bandwidth", "p"].min() <= 0.05
    assert found >= 19


def test_a_group_is_compared_with_other_people_in_the_same_state():
    table = recordings(1)
    angry, female = table["emotion"] == "anger", table["gender"] == "female"
    table["bandwidth"] = np.where(angry & female, "telephone", "wideband")
    found = associated(table, "gender = female & emotion = anger")
    row = found[found["category"] == "telephone"].iloc[0]
    assert (row["inside"], row["outside"], row["correlation"]) == (1, 0, pytest.approx(1))
    # anger of both genders came over a telephone: then the channel says nothing about women
    table["bandwidth"] = np.where(angry, "telephone", "wideband")
    found = associated(table, "gender = female & emotion = anger")
    band = found[found["column"] == "bandwidth"].iloc[0]
    assert (band["inside"], band["outside"], band["p"]) == (1, 1, 1)
    assert np.isnan(band["correlation"])


def test_columns_of_the_rule_and_rules_that_are_not_about_people_are_left_out():
    table = recordings(2, on_telephone=(0.5, 0.4))
    found = associated(table, "gender = female & bandwidth = telephone")
    assert set(found["column"]) == {"snr", "microphone"}
    rule = "emotion = anger"
    assert people_of(rule, read_rule(rule, table), ABOUT) is None


def test_categories_of_people_are_groups_but_not_single_speakers():
    table = recordings(3).assign(age=np.arange(600) // 30 + 20)
    rules = [group.rule for group in categories_of_people(table, ABOUT)]
    assert rules == [
        "gender = female", "gender = male", "age at most 26", "age in 27..33", "age at least 34",
    ]  # fmt: skip


def test_unknown_speakers_are_left_out():
    table = recordings(4, on_telephone=(0.8, 0.1))
    unknown = table.assign(speaker=None, bandwidth="telephone", gender="male").head(200)
    both = pd.concat([table, unknown], ignore_index=True)
    pd.testing.assert_frame_equal(associated(both), associated(table))
    assert not len(associated(unknown.assign(gender=["male", "female"] * 100)))


def test_a_group_of_everyone_has_no_association():
    table = recordings(5).assign(gender="female")
    assert not len(associated(table))
    assert list(associations([], table, COLUMNS, None, {}, seed=0)) == CHANNEL_COLUMNS


def test_constant_and_missing_values():
    inside = np.repeat([True, False], 40)
    values = np.column_stack([np.full(80, 0.1), np.full(80, np.nan), np.repeat([1.0, np.nan], 40)])
    correlation, p = association(inside, values, np.arange(80) // 10, seed=[0])
    assert np.isnan(correlation).all() and (p == 1).all()
    # half of the speakers have no value: they count as the mean of the others
    values = np.where(np.arange(80) // 10 % 2, np.nan, inside)[:, None].astype(float)
    correlation, p = association(inside, values, np.arange(80) // 10, seed=[0])
    assert correlation[0] == pytest.approx(0.5**0.5)


def test_the_result_depends_on_the_seed_alone():
    table = recordings(6)
    pd.testing.assert_frame_equal(associated(table), associated(table))
    shuffled = table.sample(frac=1, random_state=1).reset_index(drop=True)
    again = associated(shuffled)
    np.testing.assert_allclose(again["p"], associated(table)["p"])
    assert not associated(table, seed=1)["p"].equals(again["p"])
