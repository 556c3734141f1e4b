"""Slice search on metadata: confidence levels, found slices, and the rows of a rule's text."""

import itertools
import re

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from voxslice.slices import drop_intervals, max_tests, rule_space, search
from voxslice.slices.search import SLICE_TYPES, assess_slices, find_slices

FEATURES = ["gender", "age", "emotion", "snr"]


def utterances(seed: int, rows: int = 800, speakers: int = 40) -> pd.DataFrame:
    """A table with attributes of speakers (gender, age) and of utterances (emotion, snr)."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, speakers, rows)
    gender = np.array(["female", "male"])[rng.integers(0, 2, speakers)]
    age = rng.integers(18, 80, speakers)
    return pd.DataFrame(
        {
            "speaker": [f"s{i}" for i in who],
            "gender": gender[who],
            "age": age[who],
            "emotion": rng.choice(["anger", "joy", "neutral"], rows),
            "snr": rng.normal(20, 8, rows),
        }
    )


def errors(seed: int, table: pd.DataFrame, inside, inner: float = 0.4, outer: float = 0.05):
    """Errors of 0 and 1, more of them inside."""
    rng = np.random.default_rng(seed + 1000)
    return (rng.random(len(table)) < np.where(inside, inner, outer)).astype(int)


def holds(table: pd.DataFrame, rule: str) -> np.ndarray:
    """The rows of a rule, computed from its text alone."""
    inside = np.ones(len(table), dtype=bool)
    for condition in rule.split(" & "):
        if condition.endswith(" missing"):
            inside &= table[condition.removesuffix(" missing")].isna().to_numpy()
            continue
        span = re.fullmatch(r"(.+) (in|at least|at most) (\S+)", condition)
        if span:
            name, relation, limits = span.groups()
            low, high = map(float, (limits.split("..") * 2)[:2])
            low, high = {"at least": (low, np.inf), "at most": (-np.inf, high)}.get(
                relation, (low, high)
            )
            values = table[name].to_numpy(float, na_value=np.nan)
            inside &= (values >= low) & (values <= high)
            continue
        name, value = condition.split(" = ")
        column = table[name]
        if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
            inside &= column.to_numpy(float, na_value=np.nan) == float(value)
        else:
            inside &= (column.notna() & (column.astype(str) == value)).to_numpy(bool)
    return inside


def is_worse(loss, rows) -> bool:
    """Whether the mean loss of some rows is above that of the others."""
    inside = np.isin(np.arange(len(loss)), rows)
    return loss[inside].mean() > loss[~inside].mean()


# what is found


@pytest.mark.slow
def test_a_planted_conjunction_is_found_within_speakers():
    table = utterances(1)
    inside = ((table["emotion"] == "anger") & (table["gender"] == "male")).to_numpy()
    found = find_slices(table, errors(1, table, inside), FEATURES, "speaker").slices
    best = found.iloc[0]
    assert best["rule"] == "gender = male & emotion = anger"
    assert best["confirmed"] and best["evidence"] == "within speakers"
    assert best["p"] <= best["q"] <= 0.05
    np.testing.assert_array_equal(best["rows"], np.flatnonzero(inside))


@pytest.mark.slow
def test_an_attribute_of_many_speakers_is_found_across_speakers():
    table = utterances(2, rows=1500, speakers=80)
    inside = (table["gender"] == "male").to_numpy()
    best = find_slices(table, errors(2, table, inside, 0.3), FEATURES, "speaker").slices.iloc[0]
    assert best["rule"] == "gender = male"
    assert best["confirmed"] and best["evidence"] == "across speakers"


def test_an_attribute_of_few_speakers_is_a_suggestion_that_needs_more_speakers():
    table = utterances(3, rows=600, speakers=6)
    inside = (table["gender"] == "male").to_numpy()
    assert 0 < table.loc[inside, "speaker"].nunique() < 6
    found = find_slices(table, errors(3, table, inside, 0.3), FEATURES, "speaker").slices
    assert not found["confirmed"].any()
    best = found.iloc[0]
    assert best["rule"] == "gender = male"
    assert best["evidence"] == ""
    assert best["note"].endswith("speakers are in the slice, more are needed")


@pytest.mark.slow
def test_a_lower_level_is_reached_with_more_resamples():
    table = utterances(2, rows=1500, speakers=80)
    loss = errors(2, table, (table["gender"] == "male").to_numpy(), 0.5)
    best = find_slices(table, loss, FEATURES, "speaker", alpha=0.005).slices.iloc[0]
    assert best["rule"] == "gender = male" and best["evidence"] == "across speakers"
    assert best["confirmed"] and best["q"] <= 0.005


@pytest.mark.slow
def test_an_interval_of_a_number_is_found_without_speakers():
    table = utterances(4, rows=1500)
    inside = table["age"].between(30, 42).to_numpy()
    best = find_slices(table, errors(4, table, inside, 0.3), FEATURES).slices.iloc[0]
    assert best["rule"].startswith("age in ")
    assert best["evidence"] == "rows"
    members = np.isin(np.arange(len(table)), best["rows"])
    assert (members & inside).sum() / (members | inside).sum() > 0.7


@pytest.mark.slow
def test_missing_values_are_a_category():
    table = utterances(5, rows=1000)
    rng = np.random.default_rng(5)
    for name in ("emotion", "snr"):
        table[name] = table[name].mask(rng.random(len(table)) < 0.15)
    for name in ("emotion", "snr"):
        inside = table[name].isna().to_numpy()
        best = find_slices(table, errors(5, table, inside), FEATURES, "speaker").slices.iloc[0]
        assert best["rule"] == f"{name} missing"
        np.testing.assert_array_equal(best["rows"], np.flatnonzero(inside))


@pytest.mark.slow
def test_two_planted_slices_are_both_found_and_their_parts_are_not_repeated():
    table = utterances(6, rows=2500)
    anger = (table["emotion"] == "anger").to_numpy()
    noisy = (table["snr"] < np.quantile(table["snr"], 0.25)).to_numpy()
    found = find_slices(table, errors(6, table, anger | noisy, 0.35), FEATURES, "speaker").slices
    confirmed = found[found["confirmed"]]
    assert len(confirmed) == 2
    assert any(rule == "emotion = anger" for rule in confirmed["rule"])
    assert any(rule.startswith("snr at most") for rule in confirmed["rule"])


def centre(table: pd.DataFrame, worth: dict[str, float]) -> str:
    """The rule that is chosen if only the given rules are confirmed and have the given worth."""
    loss = errors(75, table, table["emotion"] == "anger").astype(float)
    space = rule_space.RuleSpace(table, FEATURES, 2, 10)
    searched = search._Search(space, loss, None, np.ones(len(table), dtype=bool), 0, 0.5)
    texts = [space.text(rule) for rule in range(space.searched)]
    values = np.array([worth.get(text, 9.0) for text in texts])
    return texts[searched._centre(values, np.array([text in worth for text in texts]))]


def test_the_central_one_of_similar_rules_is_returned():
    table = pd.DataFrame(
        {"snr": np.arange(320) // 10, "emotion": np.tile(["anger", "joy"], 160)}
    ).assign(gender="female", age=30)
    edges = {"snr at most 11": 5.02, "snr in 4..15": 5.0, "snr in 8..19": 5.01}
    assert centre(table, edges) == "snr in 4..15"
    # one that is clearly more likely is taken itself
    assert centre(table, edges | {"snr at most 11": 7.0}) == "snr at most 11"
    # rules that hold the same rows count once, however many there are
    table["gender"] = np.where(table["snr"] < 12, "female", "male")
    twins = {"snr at most 11": 5.2, "gender = female": 5.0, "gender = female & snr at most 11": 5.0}
    assert centre(table, twins | {"snr at most 19": 5.2, "snr at most 23": 5.2}) == "snr at most 19"


def test_a_slice_must_also_be_worse_than_the_rest():
    rng = np.random.default_rng(76)
    table = utterances(76, rows=3000, speakers=20)
    anger = (table["emotion"] == "anger").to_numpy()
    # two speakers with many errors are never angry: anger adds errors for each speaker, but angry
    # utterances have fewer errors overall
    often = table["speaker"].isin(["s0", "s1"]).to_numpy()
    table.loc[often & anger, "emotion"] = "joy"
    anger &= ~often
    rate = np.where(often, 0.9, np.where(anger, 0.12, 0.02))
    loss = (rng.random(len(table)) < rate).astype(int)
    assert loss[anger].mean() < loss[~anger].mean()
    found = find_slices(table, loss, ["emotion"], "speaker", depth=1).slices
    assert all(is_worse(loss, rows) for rows in found["rows"])


@pytest.mark.slow
def test_an_error_that_is_a_real_number_is_searched_as_well():
    table = utterances(7, rows=1500)
    inside = (table["emotion"] == "joy").to_numpy()
    rng = np.random.default_rng(7)
    loss = rng.gamma(2, np.where(inside, 6.0, 4.0))
    best = find_slices(table, loss, FEATURES, "speaker").slices.iloc[0]
    assert best["rule"] == "emotion = joy"
    assert best["confirmed"]


@pytest.mark.slow
@pytest.mark.parametrize("speaker", ["speaker", None])
def test_errors_that_are_larger_and_vary_more_are_found_without_their_surroundings(speaker):
    found = []
    for seed in range(4):
        table = utterances(seed, rows=2000, speakers=80)
        inside = (table["emotion"] == "anger") & (table["gender"] == "male")
        loss = np.random.default_rng(seed).gamma(2, np.where(inside, 0.25, 0.05))
        slices = find_slices(table, loss, FEATURES, speaker).slices
        found.append([set(rule.split(" & ")) for rule in slices.loc[slices["confirmed"], "rule"]])
    assert found == [[{"emotion = anger", "gender = male"}]] * 4


@pytest.mark.parametrize(("origin", "scale"), [(1e6, 1.0), (0.0, 1e150), (0.0, 1e-150)])
@pytest.mark.parametrize("planted", [True, False])
def test_the_origin_and_the_scale_of_losses_change_nothing(origin, scale, planted):
    table = utterances(12, rows=1500)
    inside = (table["emotion"] == "anger").to_numpy() & planted
    loss = np.random.default_rng(12).gamma(2, np.where(inside, 2.0, 1.0))
    found = find_slices(table, loss, FEATURES, "speaker").slices
    other = find_slices(table, origin + scale * loss, FEATURES, "speaker").slices
    assert planted == found["confirmed"].any()
    for name in ("rule", "q", "evidence", "confirmed"):
        assert found[name].tolist() == other[name].tolist()


def test_a_better_slice_is_not_reported():
    table = utterances(8, rows=1500)
    inside = (table["emotion"] != "joy").to_numpy()  # all but joy: joy itself is the better one
    loss = errors(8, table, inside, 0.3)
    found = find_slices(table, loss, ["emotion"]).slices
    assert set(found["rule"]) <= {"emotion = anger", "emotion = neutral"}
    assert all(is_worse(loss, rows) for rows in found["rows"])


def few_rules(seed: int) -> tuple[pd.DataFrame, np.ndarray]:
    """400 utterances of 29 speakers. Most are men, and speakers differ in their errors."""
    rng = np.random.default_rng(seed)
    who = rng.integers(0, 29, 400)
    gender = np.where(rng.random(29) < 0.86, "male", "female")
    table = pd.DataFrame(
        {
            "speaker": [f"s{i}" for i in who],
            "gender": gender[who],
            "emotion": rng.choice(["anger", "joy", "neutral"], 400),
        }
    )
    return table, (rng.random(400) < rng.beta(0.6, 2.4, 29)[who]).astype(int)


# without a rule against it, each of these searches returns `gender = male` twice or more
@pytest.mark.parametrize("seed", [1, 16, 18, 52, 125])
def test_a_rule_is_returned_once(seed):
    table, loss = few_rules(seed)
    found = find_slices(table, loss, ["gender", "emotion"], "speaker", seed=seed)
    assert found.searched <= 11
    assert len(found.slices)
    assert found.slices["rule"].is_unique


@pytest.mark.parametrize("seed", [1, 16, 18])
def test_rules_that_hold_the_same_rows_are_returned_once(seed):
    table, loss = few_rules(seed)
    table["sex"] = table["gender"].str[0]
    found = find_slices(table, loss, ["gender", "sex", "emotion"], "speaker", seed=seed)
    rows = [tuple(rows) for rows in found.slices["rows"]]
    assert rows and len(set(rows)) == len(rows)


def test_rules_with_the_same_rows_are_known():
    table = utterances(77, rows=300).assign(other=utterances(77, rows=300)["gender"])
    space = rule_space.RuleSpace(table, ["gender", "other", "emotion"], 2, 10)
    members = np.array([space.members(rule) for rule in range(space.searched)])
    for rule in range(space.searched):
        expected = (members == members[rule]).all(axis=1)
        assert expected[rule]
        np.testing.assert_array_equal(space.same_rows(rule), expected)
    assert (members[0] == members[1:]).all(axis=1).any()


# levels


@pytest.mark.slow
@pytest.mark.parametrize("speaker", [None, "speaker"])
def test_without_a_slice_few_searches_confirm_one(speaker):
    alarms = 0
    for seed in range(120):
        table = utterances(1000 + seed, rows=400, speakers=30)
        rate = np.random.default_rng(2000 + seed).beta(0.6, 9.4, 30)
        who = table["speaker"].str[1:].astype(int)
        chance = 0.06 if speaker is None else rate[who]
        loss = np.random.default_rng(3000 + seed).random(len(table)) < chance
        found = find_slices(table, loss, FEATURES, speaker, depth=2, seed=seed).slices
        alarms += bool(found["confirmed"].any())
    # 12 of 120 or fewer has a chance of 99 % where the level is 5 %
    assert alarms <= stats.binom.ppf(0.99, 120, 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("seed", [9, 19, 29])
def test_rows_of_one_speaker_are_not_taken_for_independent(seed):
    """One failing speaker makes an attribute look bad only where speakers are unknown."""
    table = utterances(seed, rows=900, speakers=9)
    bad = (table["speaker"] == "s3").to_numpy()
    table["age"] = np.where(bad, 33, 50 + table["speaker"].str[1:].astype(int))
    loss = errors(seed, table, bad)
    alone = find_slices(table, loss, FEATURES).slices.set_index("rule")
    known = find_slices(table, loss, FEATURES, "speaker").slices.set_index("rule")
    assert alone.loc["age = 33", "confirmed"]
    assert not known.loc["age = 33", "confirmed"]


# edges


@pytest.mark.slow
def test_columns_are_the_same_with_and_without_slices():
    table = utterances(10)
    loss = errors(10, table, (table["emotion"] == "anger").to_numpy())
    some, none = find_slices(table, loss, FEATURES), find_slices(table.iloc[:0], [], FEATURES)
    assert list(some.slices) == list(none.slices) == list(SLICE_TYPES)
    assert len(some.slices) and none.slices.empty
    assert some.slices.dtypes.equals(none.slices.dtypes)
    assert some.searched > 0 and some.depth == 3
    assert none.searched == none.depth == 0


@pytest.mark.parametrize("speaker", [None, "speaker"])
@pytest.mark.parametrize("value", [0, 1, 2.5])
def test_equal_losses_give_no_slice(speaker, value):
    table = utterances(11, rows=100)
    found = find_slices(table, np.full(100, value), FEATURES, speaker)
    assert found.slices.empty
    assert found.searched > 0


def test_fewer_rows_than_the_support_give_no_slice():
    table = utterances(12, rows=9)
    found = find_slices(table, [0, 1] * 4 + [0], FEATURES, "speaker")
    assert found.slices.empty
    assert found.searched == found.depth == 0


def test_no_features_give_no_slice():
    assert find_slices(utterances(13), np.zeros(800), []).slices.empty


@pytest.mark.parametrize(
    "values", [["a"] * 60, [3.5] * 60, [None] * 60, [np.nan] * 60, [True] * 60, [pd.NA] * 60]
)
def test_a_constant_column_gives_no_rule(values):
    table = pd.DataFrame({"x": values, "speaker": ["a", "b", "c"] * 20})
    for speaker in (None, "speaker"):
        found = find_slices(table, [0, 1] * 30, ["x"], speaker)
        assert found.slices.empty
        assert found.searched == 0


def test_one_speaker_is_enough_within():
    table = utterances(14, speakers=1)
    inside = (table["emotion"] == "anger").to_numpy()
    best = find_slices(table, errors(14, table, inside), FEATURES, "speaker").slices.iloc[0]
    assert (best["rule"], best["evidence"]) == ("emotion = anger", "within speakers")


def test_speakers_of_one_row_are_only_tested_across():
    table = utterances(15, rows=600, speakers=1).assign(speaker=[f"s{i}" for i in range(600)])
    inside = (table["emotion"] == "anger").to_numpy()
    best = find_slices(table, errors(15, table, inside), FEATURES, "speaker").slices.iloc[0]
    assert (best["rule"], best["evidence"]) == ("emotion = anger", "across speakers")


@pytest.mark.parametrize("kind", ["datetime64[s]", "timedelta64[s]"])
def test_dates_are_refused(kind):
    table = utterances(21).assign(recorded=np.arange(800).astype(kind))
    with pytest.raises(ValueError, match=r"'recorded' contains .* turn them into numbers"):
        find_slices(table, np.arange(800), ["emotion", "recorded"])


@pytest.mark.slow
def test_numbers_in_a_column_of_objects_are_numbers():
    table = utterances(22, rows=1500)
    loss = errors(22, table, table["age"].between(30, 45).to_numpy(), 0.3)
    found = find_slices(table, loss, FEATURES, "speaker").slices
    other = find_slices(table.astype({"age": object}), loss, FEATURES, "speaker").slices
    assert found["rule"].iloc[0].startswith("age in")
    pd.testing.assert_frame_equal(found, other)


def test_rows_without_a_speaker_count_but_are_no_evidence_within():
    table = utterances(16)
    inside = (table["emotion"] == "anger").to_numpy()
    loss = errors(16, table, inside)
    table["speaker"] = None
    assert not find_slices(table, loss, ["emotion"], "speaker").slices["confirmed"].any()
    table["speaker"] = np.where(np.arange(800) < 700, "known", None)
    best = find_slices(table, loss, ["emotion"], "speaker").slices.iloc[0]
    assert best["confirmed"]
    assert len(best["rows"]) == inside.sum()


def test_the_speaker_column_may_be_a_feature():
    table = utterances(17, speakers=8)
    inside = (table["speaker"] == "s3").to_numpy()
    loss = errors(17, table, inside)
    found = find_slices(table, loss, ["speaker", "emotion"], "speaker").slices
    assert not found["confirmed"].any()  # one speaker: nothing to compare within, too few across
    inside &= (table["emotion"] == "anger").to_numpy()
    best = find_slices(
        table, errors(17, table, inside, 0.7), ["speaker", "emotion"], "speaker"
    ).slices
    assert best["rule"].iloc[0] == "speaker = s3 & emotion = anger"
    assert best["confirmed"].iloc[0]


@pytest.mark.slow
def test_every_dtype_and_a_repeated_index():
    base = utterances(18, rows=600)
    rng = np.random.default_rng(18)
    flag = rng.random(600) < 0.3
    table = pd.DataFrame(
        {
            "text": base["emotion"],
            "category": pd.Categorical(base["gender"]),
            "flag": flag,
            "maybe": pd.array(np.where(rng.random(600) < 0.1, None, flag), dtype="boolean"),
            "whole": pd.array([None, *base["age"][1:]], dtype="Int64"),
            "float": base["snr"].astype("float32"),
            "string": pd.array(rng.choice(["größer", "näher & 遠い"], 600), dtype="string"),
            "endless": np.where(rng.random(600) < 0.3, np.inf, base["snr"]),
            "mixed": np.where(rng.random(600) < 0.5, base["gender"], 7),
        }
    ).set_axis([0] * 600)
    features = list(table.columns)
    with np.errstate(all="raise"):
        found = find_slices(table, errors(18, table, flag), features, depth=2).slices
    assert found["rule"].iloc[0] == "flag = True"
    np.testing.assert_array_equal(found["rows"].iloc[0], np.flatnonzero(flag))


def test_unicode_labels_stay_as_they_are():
    table = utterances(19)
    table["emotion"] = table["emotion"].replace({"anger": "Ärger 😠"})
    loss = errors(19, table, (table["emotion"] == "Ärger 😠").to_numpy())
    assert find_slices(table, loss, ["emotion"]).slices["rule"].iloc[0] == "emotion = Ärger 😠"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"features": ["gender", "accent"]}, "no column 'accent'.*speaker, gender, age, emotion"),
        ({"speaker": "voice"}, "no column 'voice'"),
        ({"features": "gender"}, r"\['gender'\]"),
        ({"loss": [-1.0] + [0] * 799}, "at least 0: 1 are not, the first at row 0"),
        ({"loss": [0, np.nan] * 400}, "finite and at least 0: 400 are not, the first at row 1"),
        ({"loss": [np.inf] + [0] * 799}, "finite"),
        ({"loss": ["wrong"] * 800}, "as numbers"),
        ({"loss": [0, 1]}, r"800 rows.*\(2,\)"),
        ({"loss": [1j] * 800}, "as numbers"),
        ({"depth": 0}, "depth to a whole number of at least 1"),
        ({"depth": 2.0}, "depth to a whole number"),
        ({"min_support": 0}, "min_support to a whole number of at least 1"),
        ({"seed": -1}, "seed to a whole number of at least 0"),
        ({"seed": None}, "seed to a whole number"),
        ({"alpha": 0.0}, "alpha to a number from 0.001"),
        ({"alpha": 0.6}, "to 0.5"),
    ],
)
def test_bad_input_is_refused_in_words(change, message):
    arguments = {"loss": np.zeros(800), "features": FEATURES, "speaker": None} | change
    with pytest.raises(ValueError, match=message):
        find_slices(utterances(20), **arguments)


def test_a_name_that_two_columns_have_is_refused():
    table = pd.DataFrame(np.zeros((20, 2)), columns=["x", "x"])
    with pytest.raises(ValueError, match="2 columns 'x'"):
        find_slices(table, np.zeros(20), ["x"])


# properties


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("speaker", [None, "speaker"])
def test_the_order_of_rows_changes_nothing_but_positions(seed, speaker):
    table = utterances(30 + seed, rows=500)
    rng = np.random.default_rng(seed)
    inside = (table["emotion"] == "anger").to_numpy()
    loss = errors(seed, table, inside) * rng.integers(1, 4, 500)
    order = rng.permutation(500)
    one = find_slices(table, loss, FEATURES, speaker).slices
    other = find_slices(table.iloc[order], loss[order], FEATURES, speaker).slices
    assert len(one)
    pd.testing.assert_frame_equal(
        one.drop(columns="rows"), other.drop(columns="rows"), check_exact=True
    )
    for rows, moved in zip(one["rows"], other["rows"], strict=True):
        np.testing.assert_array_equal(rows, np.sort(order[moved]))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_and_another_one_other_p_values():
    table = utterances(40)
    loss = errors(40, table, (table["emotion"] == "anger").to_numpy(), 0.13)
    texts = [
        find_slices(table, loss, FEATURES, "speaker", seed=s).slices.to_csv() for s in (0, 0, 1)
    ]
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_the_rows_of_every_rule_follow_from_its_text(seed):
    table = utterances(50 + seed, rows=300)
    rng = np.random.default_rng(seed)
    table["snr"] = table["snr"].mask(rng.random(300) < 0.1) * 10.0 ** rng.integers(-6, 6)
    table["age"] = table["age"].astype("Int64").mask(rng.random(300) < 0.1)
    table["few"] = rng.choice([-1.5, 0.1, 0.7, 2.0], 300)
    table["flag"] = rng.random(300) < 0.5
    features = [*FEATURES, "few", "flag"]
    space = rule_space.RuleSpace(table, features, 3, 10)
    ones = np.bincount(space.cell)[:, None].astype(np.float32)
    counted = np.concatenate([sums[:, 0] for _, sums in space.sums(ones)])
    np.testing.assert_array_equal(counted, space.support)
    for rule in rng.choice(space.searched, 300, replace=False):
        members = space.members(rule)
        np.testing.assert_array_equal(members, holds(table, space.text(rule)), space.text(rule))
        assert members.sum() == space.support[rule]


def test_every_rule_of_the_depth_is_searched_once():
    table = utterances(60, rows=400)[["gender", "emotion"]].assign(level=np.arange(400) % 3)
    space = rule_space.RuleSpace(table, list(table.columns), 3, 10)
    texts = [space.text(rule) for rule in range(space.searched)]
    singles = [
        [f"gender = {x}" for x in ("female", "male")],
        [f"emotion = {x}" for x in ("anger", "joy", "neutral")],
        ["level = 0", "level = 1", "level = 2", "level at most 1", "level at least 1"],
    ]
    every = [
        " & ".join(rule)
        for size in (1, 2, 3)
        for columns in itertools.combinations(singles, size)
        for rule in itertools.product(*columns)
    ]
    kept = [text for text in every if holds(table, text).sum() >= 10]
    assert sorted(texts) == sorted(kept)


@pytest.mark.slow
def test_in_a_wide_table_rules_of_several_conditions_have_wider_bins():
    rng = np.random.default_rng(61)
    table = pd.DataFrame(rng.normal(size=(300, 40)), columns=[f"x{i}" for i in range(40)])
    wide = rule_space.RuleSpace(table, list(table.columns), 2, 10)
    narrow = rule_space.RuleSpace(table, ["x0", "x1"], 2, 10)
    assert wide.searched <= rule_space.TARGET_RULES and wide.depth == 2

    def count(space, names):
        texts = map(space.text, range(space.searched))
        return sum([part.split()[0] for part in text.split(" & ")] == names for text in texts)

    assert count(wide, ["x0"]) == count(narrow, ["x0"])
    assert 0 < count(wide, ["x0", "x1"]) < count(narrow, ["x0", "x1"])


@pytest.mark.slow
def test_categories_that_hardly_ever_meet_leave_numbers_their_bins():
    rng = np.random.default_rng(64)
    names = ["text", "place"]
    table = pd.DataFrame({name: rng.integers(0, 300, 3000).astype(str) for name in names})
    table["snr"] = rng.normal(size=3000)
    inside = (table["snr"] > 1.2).to_numpy()
    found = find_slices(table, errors(64, table, inside), [*names, "snr"]).slices
    rows = found["rows"].iloc[0]
    assert found["confirmed"].iloc[0]
    assert inside[rows].sum() / len(np.union1d(rows, np.flatnonzero(inside))) > 0.8


@pytest.mark.parametrize("kind", ["category", "number"])
def test_where_rules_are_too_many_they_have_fewer_conditions(monkeypatch, kind):
    rng = np.random.default_rng(65)
    table = pd.DataFrame(rng.integers(0, 3, (500, 12)), columns=[f"x{i}" for i in range(12)])
    table = table.astype(str) if kind == "category" else table
    loss = rng.random(500) < 0.2
    monkeypatch.setattr(rule_space, "TARGET_RULES", 1000)
    monkeypatch.setattr(rule_space, "MAX_RULES", 1000)
    with pytest.warns(UserWarning, match="at most 2 of 3 conditions.*on 12 columns"):
        found = find_slices(table, loss, list(table.columns))
    assert found.searched > 12 * 3 and found.depth == 2
    monkeypatch.setattr(rule_space, "MAX_RULES", 1)
    with pytest.warns(UserWarning, match="at most 1 of 3"):
        find_slices(table, loss, list(table.columns))


def test_a_subset_of_the_rules_has_their_sums():
    table = utterances(62, rows=300)
    space = rule_space.RuleSpace(table, FEATURES, 2, 10)
    chosen = np.random.default_rng(62).random(space.searched) < 0.1
    few = space.subset(chosen)
    values = np.random.default_rng(63).normal(size=(len(space.codes), 3))
    every = np.concatenate([sums for _, sums in space.sums(values)])
    some = np.concatenate([sums for _, sums in few.sums(values)])
    np.testing.assert_allclose(some, every[chosen], atol=1e-12)
    assert few.text(0) == space.text(int(np.flatnonzero(chosen)[0]))
    np.testing.assert_array_equal(few.rivals, space.rivals[chosen])


def test_rules_on_the_same_columns_with_the_same_category_are_siblings():
    levels = {"condition": ["clean", "phone"], "gender": ["f", "m"], "topic": list("abc")}
    table = pd.MultiIndex.from_product(levels.values(), names=list(levels)).to_frame(index=False)
    space = rule_space.RuleSpace(table, list(levels), 3, 1)
    space = space.subset(space.named(0))
    texts = map(space.text, range(space.searched))
    siblings = dict(zip(texts, space.siblings(0), strict=True))
    assert siblings["condition = phone"] == 1
    assert siblings["condition = phone & gender = m"] == 2
    assert siblings["condition = phone & topic = a"] == 3
    assert siblings["condition = phone & gender = m & topic = a"] == 6


def test_rules_on_the_same_columns_are_rivals():
    table = utterances(73, rows=300)
    space = rule_space.RuleSpace(table, FEATURES, 2, 10)
    texts = [space.text(rule) for rule in range(space.searched)]
    columns = [
        tuple(part.removesuffix(" missing").split(" ")[0] for part in text.split(" & "))
        for text in texts
    ]
    assert space.rivals.tolist() == [columns.count(some) for some in columns]


def test_overlaps_are_those_of_the_rows(monkeypatch):
    monkeypatch.setattr(
        rule_space, "MAX_BLOCK_VALUES", 1000
    )  # so that the cells come in several blocks
    table = utterances(74, rows=300)
    space = rule_space.RuleSpace(table, FEATURES, 2, 10)
    rules = np.random.default_rng(74).choice(space.searched, 40, replace=False)
    members = np.array([space.members(rule) for rule in rules])
    both = (members[:, None] & members).sum(axis=2)
    either = (members[:, None] | members).sum(axis=2)
    np.testing.assert_allclose(space.overlaps(rules), both / either, rtol=1e-6)


# the statistics


@pytest.mark.parametrize("loss", [[0, 1, 0, 0, 0, 1, 1, 0, 1], [0, 2.5, 1, 0, 0, 7, 0.5, 0, 3]])
def test_the_moments_are_those_of_all_permutations(loss):
    loss = np.array(loss, dtype=float)
    speakers = np.array([0, 0, 0, 1, 1, 1, 1, 2, 2])
    table = pd.DataFrame({"x": list("abbaabbab"), "y": [1, 2, 3, 3, 2, 1, 1, 2, 3]})
    space = rule_space.RuleSpace(table, ["x", "y"], 2, 1)
    moments = max_tests.permutation_moments(space, loss, speakers)
    each = [itertools.permutations(loss[speakers == stratum]) for stratum in range(3)]
    shuffled = np.array([np.concatenate(parts) for parts in itertools.product(*each)])
    members = np.array([space.members(rule) for rule in range(space.searched)])
    sums = members @ shuffled.T
    assert sums.shape == (space.searched, 6 * 24 * 2)
    np.testing.assert_allclose(sums.mean(axis=1), moments.mean, atol=1e-9)
    np.testing.assert_allclose(sums.var(axis=1), moments.variance, atol=1e-9)
    third = ((sums - sums.mean(axis=1)[:, None]) ** 3).mean(axis=1)
    some = moments.variance > 0
    unit = np.maximum(third[some] / moments.variance[some], 0)
    np.testing.assert_allclose(unit, moments.unit[some], atol=1e-9)
    assert (unit > 0).any()


def test_the_statistic_is_plain_without_skew_and_the_poisson_deviance_with():
    assert max_tests.signed_root(np.array(6.0), np.array(4.0), np.array(0.0)) == pytest.approx(3)
    deviance = 2 * (8 * np.log(8 / 2) - (8 - 2))
    poisson = max_tests.signed_root(np.array(6.0), np.array(2.0), np.array(1.0))
    assert poisson == pytest.approx(deviance**0.5)
    assert max_tests.signed_root(np.array(-6.0), np.array(2.0), np.array(1.0)) == 0
    assert max_tests.signed_root(np.array(6.0), np.array(0.0), np.array(1.0)) == 0


def test_permuted_losses_stay_with_their_speaker():
    strata = np.array([1, 0, 1, 1, 0, 2, 2, 2, 2, 1])
    loss = np.array([1, 0, 0, 2, 3, 0, 0, 0, 5, 0.0])
    rng = np.random.default_rng(0)
    drawn = []
    for columns, slots, weights in max_tests._permutations(loss, strata, 40, 16, rng):
        assert slots.shape == (4, columns.stop - columns.start)
        for stratum in range(3):
            expected = np.sort(loss[(strata == stratum) & (loss > 0)])
            for column in slots.T:
                inside = strata[column] == stratum
                np.testing.assert_array_equal(np.sort(weights[inside]), expected)
        assert all(len(set(column)) == 4 for column in slots.T)
        drawn.append(slots)
    every = np.concatenate(drawn, axis=1)
    assert every.shape == (4, 40)
    assert {frozenset(column) for column in every.T} > {frozenset(every.T[0])}


@pytest.mark.parametrize("differ", [0.0, 1.0])
def test_contrasts_are_weighted_correlations_and_maxima_those_of_exchanged_speakers(differ):
    table = utterances(71, rows=300, speakers=12)
    rng = np.random.default_rng(71)
    speakers = np.unique(table["speaker"], return_inverse=True)[1]
    loss = rng.gamma(2, 1, 300) + differ * rng.gamma(2, 1, 12)[speakers]
    space = rule_space.RuleSpace(table, FEATURES, 2, 10)
    found = max_tests.speaker_contrasts(space, loss, speakers, np.zeros_like(speakers))
    maxima = max_tests.exchanged_maxima(space, found, speakers, 50, np.random.default_rng(1))
    n = np.bincount(speakers)
    mean = np.bincount(speakers, loss) / n
    within, spread = max_tests.components(loss - loss.mean(), speakers)
    weight = 1 / (spread + within / n)
    rest = np.sqrt(weight) * (mean - np.average(mean, weights=weight))
    members = np.array([space.members(rule) for rule in range(space.searched)])
    held = np.array([np.bincount(speakers, row) for row in members]) / n
    held = (held - np.average(held, axis=1, weights=weight)[:, None]) * np.sqrt(weight)
    length = np.sqrt((held**2).sum(axis=1)) * np.sqrt((rest**2).sum() / 11)
    np.testing.assert_allclose(found.statistic, np.maximum(0, held @ rest / length), atol=1e-5)
    drawn = np.random.default_rng(1).permuted(np.tile(rest, (50, 1)), axis=1).T
    np.testing.assert_allclose(maxima, (held @ drawn / length[:, None]).max(axis=0), rtol=1e-4)
    assert (spread > 0) == (differ > 0)


def test_components_of_variance_are_those_that_were_drawn():
    rng = np.random.default_rng(76)
    speakers = np.repeat(np.arange(400), rng.integers(2, 40, 400))
    values = rng.normal(0, 2, len(speakers)) + rng.normal(0, 0.5, 400)[speakers]
    within, spread = max_tests.components(values - values.mean(), speakers)
    assert within == pytest.approx(4, rel=0.05)
    assert spread == pytest.approx(0.25, rel=0.2)


def test_membership_is_split_between_and_within_speakers():
    table = utterances(72, rows=2000, speakers=20)
    speakers = np.unique(table["speaker"], return_inverse=True)[1]
    space = rule_space.RuleSpace(table, FEATURES, 1, 10)
    share, count = max_tests.between_speakers(space, speakers)
    texts = [space.text(rule) for rule in range(space.searched)]
    assert share[texts.index("gender = male")] == pytest.approx(1)
    assert share[texts.index("emotion = anger")] < 0.05
    males = table.loc[table["gender"] == "male", "speaker"].nunique()
    assert count[texts.index("gender = male")] == males


def test_adjusted_p_values_are_upper_confidence_limits():
    maxima = np.arange(1.0, 100.0)
    values = max_tests.adjusted_p(np.array([0.5, 50.0, 97.5, 200.0]), maxima)
    # of 99 resamples, 99, 50, 2 and none are as large
    expected = [1, *(stats.beta.ppf(0.95, k + 1, 99 - k) for k in (50, 2, 0))]
    np.testing.assert_allclose(values, expected)
    assert values[3] == pytest.approx(1 - 0.05 ** (1 / 99))
    # never below the p-value that is exact over all seeds
    assert (values >= (np.array([99, 50, 2, 0]) + 1) / 100).all()


def test_losses_in_units_of_a_speakers_spread_keep_their_order_and_permutations():
    rng = np.random.default_rng(73)
    speakers = np.repeat([0, 1, 2], [50, 50, 1])
    loss = np.r_[rng.gamma(2, 1, 50), rng.gamma(2, 9, 50), 4.0]
    scaled = max_tests.standardised(loss, speakers)
    weight = scaled / loss
    for stratum in range(3):
        assert np.ptp(weight[speakers == stratum]) < 1e-12
    assert weight[0] > 1 > weight[50]
    # 81 times the variance, shrunk a little: the spreads are nearly alike afterwards
    assert 1 < scaled[50:100].std() / scaled[:50].std() < loss[50:100].std() / loss[:50].std() / 2
    # the order of a speaker's losses does not matter
    moved = np.r_[rng.permutation(50), 50 + rng.permutation(50), 100]
    np.testing.assert_allclose(max_tests.standardised(loss[moved], speakers), scaled[moved])
    for same in (np.zeros(101), np.r_[np.ones(50), np.full(51, 2.0)]):
        np.testing.assert_array_equal(max_tests.standardised(same, speakers), same)


@pytest.mark.parametrize("width", [1, 3])
def test_the_mixed_model_is_generalised_least_squares(width):
    table = utterances(74, rows=240, speakers=12)
    rng = np.random.default_rng(74)
    speakers = np.unique(table["speaker"], return_inverse=True)[1]
    patterns = rng.integers(0, width, 240)
    loss = rng.gamma(2, 1, 240) + rng.gamma(2, 1, 12)[speakers]
    space = rule_space.RuleSpace(table, ["gender", "emotion", "age"], 2, 10)
    plain = np.zeros(space.searched)
    values = max_tests.mixed_model_statistic(space, loss, speakers, patterns, plain)
    # the components of variance, then the textbook's formula with the whole covariance
    rest = loss - np.array([loss[patterns == i].mean() for i in range(width)])[patterns]
    groups = [rest[speakers == i] for i in range(12)]
    n = np.array([len(group) for group in groups])
    within = sum(((group - group.mean()) ** 2).sum() for group in groups) / (240 - 12)
    outer = sum(len(group) * group.mean() ** 2 for group in groups) / 11
    spread = max(0, (outer - within) / ((240 - (n**2).sum() / 240) / 11))
    inverse = np.linalg.inv(within * np.eye(240) + spread * (speakers[:, None] == speakers))
    fixed = (patterns[:, None] == np.arange(width)).astype(float)
    expected = []
    for rule in range(space.searched):
        design = np.column_stack([fixed, space.members(rule)])
        covariance = np.linalg.pinv(design.T @ inverse @ design)
        effect = covariance @ design.T @ inverse @ rest
        expected.append(max(0, effect[-1] / covariance[-1, -1] ** 0.5))
    assert spread > 0
    np.testing.assert_allclose(values, expected, atol=1e-4)


def test_given_slices_are_tested_together():
    table = utterances(75, rows=1000)
    anger, joy = (table["emotion"].eq(name).to_numpy() for name in ("anger", "joy"))
    none, every = np.zeros(1000, bool), np.ones(1000, bool)
    loss = errors(75, table, anger)
    tested = assess_slices([joy, none, anger, every], loss, table["speaker"], seed=0)
    assert tested[1] == tested[3] == (1.0, "")
    assert tested[0][0] > 0.5
    assert tested[2][0] < 0.01 and tested[2][1] == "within speakers"
    # the same as for the slice alone, and as for the rule in a search
    alone = assess_slices([anger], loss, table["speaker"], seed=0)[0]
    assert alone == (pytest.approx(tested[2][0]), "within speakers")
    assert assess_slices([anger], np.ones(1000), table["speaker"], seed=0) == [(1.0, "")]
    assert assess_slices([], loss, table["speaker"], seed=0) == []


def test_a_given_slice_that_is_better_than_the_rest_has_no_p_value():
    """Anger is worse within speakers, but the speakers with most errors are never angry."""
    rng = np.random.default_rng(0)
    who = rng.integers(0, 20, 3000)
    anger = (rng.random(3000) < 0.33) & (who >= 4)
    loss = rng.random(3000) < np.where(who < 4, 0.9, np.where(anger, 0.15, 0.02))
    assert loss[anger].mean() < loss[~anger].mean()
    assert assess_slices([anger], loss, who, seed=0) == [(1.0, "")]
    # were it not for those four
    rest = who >= 4
    assert assess_slices([anger[rest]], loss[rest], who[rest], seed=0)[0][1] == "within speakers"


@pytest.mark.slow
def test_given_slices_get_no_evidence_within_rows_without_a_speaker():
    """Half of the speakers are unknown and speakers differ, but no attribute of them is a slice."""
    rejected = 0
    for seed in range(40):
        table = utterances(800 + seed, rows=1000, speakers=60)
        who = table["speaker"].str[1:].astype(int)
        rate = np.random.default_rng(900 + seed).beta(0.6, 9.4, 60)[who]
        loss = np.random.default_rng(950 + seed).random(1000) < rate
        masks = [table["gender"].eq("male").to_numpy(), (table["age"] > 50).to_numpy()]
        speakers = table["speaker"].mask(who < 30)
        rejected += min(p for p, _ in assess_slices(masks, loss, speakers, seed=seed)) <= 0.05
    assert rejected <= stats.binom.ppf(0.99, 40, 0.05)


@pytest.mark.slow
def test_p_values_of_given_slices_keep_their_level():
    rejected = 0
    for seed in range(100):
        table = utterances(600 + seed, rows=300, speakers=12)
        rng = np.random.default_rng(700 + seed)
        rate = rng.uniform(0, 0.2, 12)[np.unique(table["speaker"], return_inverse=True)[1]]
        masks = [table["snr"].to_numpy() > edge for edge in (20, 25, 30)]
        masks.append(table["gender"].eq("male").to_numpy())
        tested = assess_slices(masks, rng.random(300) < rate, table["speaker"], seed=seed)
        rejected += min(p for p, _ in tested) <= 0.1
    assert rejected <= stats.binom.ppf(0.99, 100, 0.1)


# the interval


def test_the_interval_of_independent_rows_is_newcombes():
    loss = np.repeat([1, 0, 1, 0], [56, 14, 48, 32]).astype(float)
    inside = np.arange(150) < 70
    low, high = drop_intervals.drop_interval(loss, inside, None)
    # 56/70 against 48/80, example of method 10 in Newcombe (1998): 0.0524 to 0.3339
    assert (low, high) == (pytest.approx(0.0524, abs=3e-3), pytest.approx(0.3339, abs=3e-3))


@pytest.mark.parametrize("real", [False, True])
def test_the_interval_covers_the_true_value_with_speakers(real):
    covered = 0
    for seed in range(300):
        rng = np.random.default_rng(seed)
        speakers = np.repeat(np.arange(40), 20)
        inside = (speakers < 15) & (rng.random(800) < 0.8)
        rate = rng.beta(2, 18, 40)[speakers] + 0.2 * inside
        loss = rng.gamma(2, rate) if real else (rng.random(800) < rate).astype(float)
        low, high = drop_intervals.drop_interval(loss, inside, speakers)
        covered += low <= (0.4 if real else 0.2) <= high
    assert 0.92 <= covered / 300 <= 0.99


def test_the_documented_limits_of_the_search_are_those_of_the_code():
    """The limits in the docstring of the search are those of the code."""
    text = " ".join((find_slices.__doc__ or "").split())
    assert f"{rule_space.TARGET_RULES:,} rules" in text and f"than {rule_space.MAX_RULES:,}" in text
    assert search.MAX_SUGGESTIONS == 3 and "at most three suggestions" in text


@pytest.mark.slow
def test_the_note_of_a_rule_explained_by_other_slices():
    """The note tells whether the slices above may explain the errors of a rule."""
    table = utterances(80, rows=1500)
    inside = table["age"].between(30, 45).to_numpy()
    found = find_slices(table, errors(80, table, inside, 0.3), FEATURES).slices
    assert found["confirmed"].iloc[0]
    assert (found["q"].diff().dropna() >= 0).all()
    for row in found[~found["confirmed"]].itertuples():
        assert row.evidence == ""
        expected = "other slices may explain its errors" if row.p <= 0.05 else "rules were searched"
        assert expected in row.note


@pytest.mark.slow
def test_only_differences_between_speakers_need_more_speakers():
    """Only attributes of speakers get the note that more speakers are needed."""
    notes = []
    for seed in range(12):
        table = utterances(500 + seed, rows=2000, speakers=80)
        inside = (table["gender"] == "male").to_numpy()
        rate = np.random.default_rng(520 + seed).beta(0.6, 9.4, 80)
        chance = rate[table["speaker"].str[1:].astype(int)] + 0.25 * inside
        loss = np.random.default_rng(540 + seed).random(2000) < chance
        found = find_slices(table, loss, FEATURES, "speaker", seed=seed).slices
        for row in found[~found["confirmed"]].itertuples():
            notes.append(row.note)
            assert (row.note == "other slices may explain its errors") == (row.p <= 0.05)
            if row.note.endswith("more are needed"):
                assert {part.split()[0] for part in row.rule.split(" & ")} & {"gender", "age"}
    endings = {note.split()[-1] for note in notes}
    assert endings >= {"needed", "searched"}


@pytest.mark.slow
@pytest.mark.parametrize("speakers", [10, 40])
@pytest.mark.parametrize("even", [True, False])
def test_different_speakers_alone_confirm_no_attribute(speakers, even):
    """The level is kept with few speakers, few utterances of some speakers, and unequal groups."""
    alarms = 0
    for seed in range(200):
        rng = np.random.default_rng(400 + seed)
        share = np.ones(speakers) if even else rng.pareto(1.2, speakers) + 0.05
        who = rng.choice(speakers, 600, p=share / share.sum())
        male = rng.random(speakers) < 0.4
        rate = rng.beta(0.6, 9.4, speakers)
        if not even:  # men differ more than women do, and fail as often
            rate = np.where(male, rng.beta(0.3, 4.7, speakers), rng.beta(6, 94, speakers))
        table = pd.DataFrame({"gender": male[who], "age": rng.integers(18, 81, speakers)[who]})
        table["speaker"] = who.astype(str)
        loss = rng.random(600) < rate[who]
        found = find_slices(table, loss, ["gender", "age"], "speaker", seed=seed).slices
        alarms += bool(found["confirmed"].any())
    assert alarms <= stats.binom.ppf(0.99, 200, 0.05)


def test_digits_that_are_categories_are_no_interval():
    digits = pd.Series(np.tile(["0", "3", "7", "10"], 60), dtype="string", name="digit")
    texts = rule_space.read_feature(digits, 16).texts
    assert sorted(texts) == ["digit = 0", "digit = 10", "digit = 3", "digit = 7"]
    numbers = rule_space.read_feature(digits.astype(int), 16).texts
    assert "digit at most 3" in numbers


def test_only_rules_that_name_a_column_are_searched_and_speakers_may_be_other_groups():
    rng = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "condition": np.tile(["clean", "phone"], 300),
            "gender": np.repeat(rng.choice(["female", "male"], 300), 2),
            "utterance": np.repeat(np.arange(300), 2).astype(str),
        }
    )
    hit = (table["condition"] == "phone") & (table["gender"] == "female")
    loss = np.where(hit, 0.9, 0.1) > rng.random(600)
    options = {"features": ["condition", "gender"], "speaker": "utterance"}
    found = find_slices(table, loss, **options, across=False, naming="condition")
    assert found.slices["rule"][0] == "condition = phone & gender = female"
    assert found.searched == 6  # two conditions, and their pairs with two genders
    assert find_slices(table, loss, **options).searched == 8
    assert set(found.slices["evidence"]) <= {"within speakers", ""}


@pytest.mark.parametrize(("women", "named"), [(0.3, False), (0.7, True)])
def test_a_group_adds_to_its_condition_only_if_it_is_worse_there_than_others(women, named):
    """The phone costs men 0.3. It costs women the same, or more."""
    rng = np.random.default_rng(1)
    table = pd.DataFrame(
        {
            "condition": np.tile(["clean", "phone", "noise"], 300),
            "gender": np.repeat(rng.choice(["female", "male"], 300), 3),
        }
    )
    phone = (table["condition"] == "phone").to_numpy()
    cost = np.where(table["gender"] == "female", women, 0.3) * phone
    loss = (rng.random(900) < 0.1 + cost).astype(float)
    space = rule_space.RuleSpace(table, list(table), 2, 1)
    space = space.subset(space.named(0))
    utterances = np.repeat(np.arange(300), 3)
    made = search._Search(space, loss, utterances, np.ones(900, dtype=bool), 0, 0.05, across=False)
    made.explain_by(0, pd.factorize(table["condition"])[0], [], [])
    rules = [space.text(rule) for rule in range(space.searched)]
    group = rules.index("condition = phone & gender = female")
    assert made.p(made.first.tests)[0, group] <= 0.01  # the phone is worse for women, too
    assert (made.p_added[group] <= 0.05) == named
    assert made.p_added[rules.index("condition = phone")] == 0
