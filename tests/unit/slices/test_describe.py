"""A rule in words is found for a set of utterances."""

import numpy as np
import pandas as pd
import pytest
from voxslice.names import NO_RULE
from voxslice.slices.describe import describe


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "emotion": pd.Categorical(rng.choice(["anger", "fear", "joy", "neutral"], 400)),
            "gender": rng.choice(["female", "male"], 400),
            "age": rng.integers(20, 70, 400),
            "clean": rng.random(400) < 0.5,
        }
    )


FEATURES = ["emotion", "gender", "age", "clean"]


def exact(table, members, text, features=FEATURES):
    """Check that the text of the rule describes exactly the members."""
    rule = describe(np.asarray(members, bool), table, features)
    assert (rule.text, rule.precision, rule.recall) == (text, 1, 1)


def test_one_category(table):
    exact(table, table["emotion"] == "anger", "emotion = anger")


def test_several_categories_are_sorted(table):
    exact(table, table["emotion"].isin(["joy", "anger"]), "emotion in {anger, joy}")


def test_a_boolean_is_a_category(table):
    exact(table, table["clean"], "clean = True")
    exact(table, ~table["clean"], "clean = False")


def test_an_interval(table):
    exact(table, table["age"].between(30, 42), "age in 30..42")
    exact(table, table["age"] == 33, "age = 33")


def test_a_conjunction_in_the_order_of_the_features(table):
    members = (table["emotion"] == "fear") & (table["gender"] == "male")
    exact(table, members, "gender = male & emotion = fear", ["gender", "emotion"])
    members &= table["age"].between(30, 42)
    first, last = table.loc[members, "age"].agg(["min", "max"])
    exact(table, members, f"emotion = fear & gender = male & age in {first}..{last}")


def test_a_narrower_category_within_another_condition(table):
    # within anger all members are female or male: a condition on gender would be redundant
    table["copy"] = table["emotion"].astype(str)
    members = table["emotion"] == "anger"
    exact(table, members, "emotion = anger", ["emotion", "copy"])
    exact(table, members, "copy = anger", ["copy", "emotion"])


def test_a_condition_that_later_ones_make_redundant_is_dropped():
    # the members are b & c; alone, the coarser a describes them best and is chosen first
    rows = [(1, 1, 1)] * 10 + [(1, 1, 0)] * 3 + [(1, 0, 1)] * 3
    rows += [(0, 1, 0)] * 12 + [(0, 0, 1)] * 12 + [(0, 0, 0)] * 10
    table = pd.DataFrame(rows, columns=["a", "b", "c"], dtype=bool)
    members = (table["b"] & table["c"]).to_numpy()
    assert describe(members, table, ["a"]).precision > describe(members, table, ["b"]).precision
    exact(table, members, "b = True & c = True", ["a", "b", "c"])


def test_missing_values(table):
    table.loc[table.index % 5 == 0, "gender"] = None
    exact(table, table["gender"].isna(), "gender missing")
    age = table["age"].astype("Int64").mask(table.index % 7 == 0)
    table["age"] = age
    exact(table, age.between(30, 42).fillna(False), "age in 30..42")
    table["age"] = pd.array([pd.NA] * 400, dtype="Int64")
    exact(table.assign(age=age), age.isna(), "age missing")
    assert describe((table["clean"]).to_numpy(), table, ["age"]).text == NO_RULE


def test_missing_numbers_beside_another_condition():
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"snr": rng.normal(20, 8, 300), "clean": rng.random(300) < 0.5})
    table.loc[::3, "snr"] = np.nan
    exact(table, table["snr"].isna() & table["clean"], "snr missing & clean = True", list(table))


def test_a_rule_tells_large_and_close_numbers_apart():
    """The numbers in the text select exactly the utterances of the slice."""
    when = 1_600_000_000 + np.arange(300)
    table = pd.DataFrame({"when": when})
    exact(table, (when >= 1_600_000_100) & (when < 1_600_000_200),
          "when in 1600000100..1600000199", ["when"])  # fmt: skip
    exact(table, when == 1_600_000_007, "when = 1600000007", ["when"])
    rng = np.random.default_rng(0)
    for scale in (1e-7, 1, 1e9):
        for base in (0, 1000):
            snr = scale * (base + rng.normal(size=200))
            middle = np.sort(snr)[50:120]
            members = np.isin(snr, middle)
            text = describe(members, pd.DataFrame({"snr": snr}), ["snr"]).text
            low, high = map(float, text.removeprefix("snr in ").split(".."))
            np.testing.assert_array_equal((snr >= low) & (snr <= high), members)


def test_outliers_do_not_spoil_an_interval():
    age = np.arange(200.0)
    members = (age >= 50) & (age < 100)
    members[199] = True
    rule = describe(members, pd.DataFrame({"age": age}), ["age"])
    assert rule.precision == 1
    assert 0.85 < rule.recall < 1
    assert rule.text.startswith("age in 5")


def test_no_rule_for_a_random_set(table):
    members = np.random.default_rng(1).random(400) < 0.1
    rule = describe(members, table, FEATURES)
    assert rule.text == NO_RULE
    assert 2 * rule.precision * rule.recall / (rule.precision + rule.recall) < 0.5


@pytest.mark.parametrize("share, named", [(0.85, True), (0.75, False)])
def test_a_rule_is_a_name_only_if_it_fits(table, share, named):
    """A rule whose precision is too small contains other utterances than the slice."""
    anger = np.flatnonzero(table["emotion"] == "anger")
    members = np.zeros(400, dtype=bool)
    members[anger[: round(share * len(anger))]] = True
    rule = describe(members, table, ["emotion"])
    assert rule.recall == 1 and rule.precision == pytest.approx(share, abs=0.01)
    assert (rule.text == "emotion = anger") is named
    # a rule that misses too many utterances of the slice
    members = (table["emotion"] == "anger").to_numpy()
    others = np.flatnonzero(~members)
    members[others[: round(len(anger) * (1 / share - 1))]] = True
    rule = describe(members, table, ["emotion"])
    assert rule.precision == 1 and rule.recall == pytest.approx(share, abs=0.01)
    assert (rule.text == "emotion = anger") is named


def test_no_rule_without_features_or_rows(table):
    members = np.ones(400, dtype=bool)
    assert describe(members, table, []).text == NO_RULE
    assert describe(members, table, FEATURES).text == NO_RULE  # all utterances are not a slice
    empty = describe(~members, table, FEATURES)
    assert (empty.text, empty.precision, empty.recall) == (NO_RULE, 0, 0)
    assert describe(members[:0], table.iloc[:0], FEATURES).text == NO_RULE


def test_precision_and_recall_are_those_of_the_text(table):
    rng = np.random.default_rng(2)
    members = ((table["emotion"] == "anger") & (rng.random(400) < 0.9)).to_numpy()
    members |= rng.random(400) < 0.02
    rule = describe(members, table, FEATURES)
    assert rule.text == "emotion = anger"
    selected = (table["emotion"] == "anger").to_numpy()
    assert rule.precision == (selected & members).sum() / selected.sum()
    assert rule.recall == (selected & members).sum() / members.sum()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_the_rows_does_not_matter(seed):
    # few rows with many ties
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "a": rng.choice(list("uvwxyz"), 24),
            "b": rng.choice(list("uvw"), 24),
            "n": rng.integers(0, 4, 24),
        }
    )
    members = rng.random(24) < 0.4
    expected = describe(members, table, ["a", "b", "n"])
    for _ in range(5):
        order = rng.permutation(24)
        shuffled = table.iloc[order].reset_index(drop=True)
        assert describe(members[order], shuffled, ["a", "b", "n"]) == expected


def test_the_index_of_the_table_does_not_matter(table):
    members = (table["emotion"] == "anger").to_numpy()
    exact(table.set_index(table.index[::-1] + 7), members, "emotion = anger")
