import tracemalloc
from itertools import product

import numpy as np
import pandas as pd
import pytest
from scipy.stats import permutation_test
from voxslice.comparison.compare import (
    COMPARISON_COLUMNS,
    Slice,
    align,
    category_slices,
    compare,
    compare_with_references,
    found_slices,
    is_equivalent,
    mcnemar,
    regressions,
    sign_flip,
)
from voxslice.scores import bootstrap
from voxslice.task import Task
from voxslice.utterance_keys import KEY


def compared(
    losses,
    slices=None,
    speakers=None,
    kind="classification",
    margin=0.02,
    seed=0,
    resamples=500,
):
    losses = {name: np.asarray(loss, float) for name, loss in losses.items()}
    slices = {
        name: Slice("slice", f"rule of {name}", np.asarray(mask, bool))
        for name, mask in (slices or {}).items()
    }
    return compare(
        losses,
        slices,
        speakers,
        task=Task(kind, margin=margin),
        resamples=resamples,
        seed=seed,
    )


def test_counts_by_hand():
    losses = {"a": [0, 0, 1, 1, 1, 0, 0, 0], "b": [0, 1, 0, 0, 1, 0, 0, 0]}
    table = compared(losses, {"s": [0, 1, 1, 1, 1, 0, 0, 0]})
    assert list(table) == COMPARISON_COLUMNS
    assert table["slice"].to_list() == ["all", "s"]
    assert table["kind"].to_list() == ["all", "slice"]
    assert table["rule"].to_list() == ["all utterances", "rule of s"]
    assert table["support"].to_list() == [8, 4]
    assert table["both_right"].to_list() == [4, 0]
    assert table["only_a_wrong"].to_list() == [2, 2]
    assert table["only_b_wrong"].to_list() == [1, 1]
    assert table["both_wrong"].to_list() == [1, 1]
    assert table["value_a"].to_list() == [5 / 8, 1 / 4]
    assert table["value_b"].to_list() == [6 / 8, 2 / 4]
    assert table["difference"].to_list() == [1 / 8, 1 / 4]
    assert table["p"].to_list() == [1, 1]
    assert table["speakers"].isna().all()


def test_mcnemar():
    assert mcnemar(15, 0) == pytest.approx(2 * 0.5**15, rel=1e-12)
    assert f"{mcnemar(15, 0):.1e}" == "6.1e-05"
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 5) == 1
    assert mcnemar(1, 3) == pytest.approx(2 * (1 + 4) / 16)
    for a, b in product(range(6), repeat=2):
        assert mcnemar(a, b) == mcnemar(b, a)


def brute_force(values):
    observed = abs(sum(values))
    flips = [
        abs(sum(s * v for s, v in zip(signs, values, strict=True)))
        for signs in product([1, -1], repeat=len(values))
    ]
    return np.mean([flip >= observed - 1e-9 for flip in flips])


@pytest.mark.parametrize("seed", range(5))
def test_sign_flips_are_all_looked_at(seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(0.5, 1, 9)
    found = sign_flip(values, resamples=0, seed=0)
    assert found == pytest.approx(brute_force(values), abs=1e-12)
    other = permutation_test(
        (values,), np.sum, permutation_type="samples", n_resamples=np.inf, alternative="two-sided"
    )
    assert found == pytest.approx(other.pvalue, abs=1e-12)
    assert sign_flip(-values, resamples=0, seed=0) == found
    assert sign_flip(rng.permutation(values), resamples=0, seed=0) == found


def test_sign_flips_with_ties_and_zeros():
    assert sign_flip([0.1] * 10, resamples=0, seed=0) == 2 * 0.5**10
    assert sign_flip([0.1, 0.2, 0.3], resamples=0, seed=0) == 0.25
    assert sign_flip([0.1, 0.0, 0.2, 0.0, 0.3], resamples=0, seed=0) == 0.25
    assert sign_flip([0.1, 0.2, -0.3], resamples=0, seed=0) == 1
    assert sign_flip([0.0, 0.0], resamples=0, seed=0) == 1
    assert sign_flip([], resamples=0, seed=0) == 1
    assert sign_flip([5.0], resamples=0, seed=0) == 1


def test_random_sign_flips_come_near_all_of_them(monkeypatch):
    values = np.random.default_rng(0).normal(0.4, 1, 14)
    exact = sign_flip(values, resamples=0, seed=0)
    monkeypatch.setattr("voxslice.comparison.compare.EXACT_SPEAKERS", 5)
    found = sign_flip(values, resamples=20_000, seed=1)
    assert 0.01 < exact < 0.9
    assert found == pytest.approx(exact, abs=0.01)
    assert found == sign_flip(values, resamples=20_000, seed=1)
    assert found != sign_flip(values, resamples=20_000, seed=2)


def test_random_sign_flips_are_never_zero():
    assert sign_flip(np.ones(40), resamples=999, seed=0) == 1 / 1000


def test_random_sign_flips_are_drawn_in_blocks(monkeypatch):
    values = np.random.default_rng(0).normal(0.02, 1, 2003)
    whole = sign_flip(values, resamples=1001, seed=3)
    monkeypatch.setattr(bootstrap, "MAX_NUMBERS_PER_BLOCK", 2003 * 10)
    tracemalloc.start()
    blocks = sign_flip(values, resamples=1001, seed=3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert blocks == whole and 0.05 < whole < 0.95
    assert peak < 8 * 2003 * 10 * 5  # all flips at once are twenty times that


def test_sign_flips_hold_their_level():
    rng = np.random.default_rng(0)
    ps = [sign_flip(rng.normal(0, 1, 12), resamples=0, seed=0) for _ in range(400)]
    assert 0.02 <= np.mean(np.array(ps) <= 0.05) <= 0.085


def adjusted(p):
    """Benjamini and Hochberg, as they wrote it: the smallest p_j * m / j over all j from i on."""
    p = np.asarray(p)
    order = np.argsort(p)
    scaled = p[order] * len(p) / np.arange(1, len(p) + 1)
    q = np.empty(len(p))
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1)
    return q


def test_q_adjusts_over_all_slices_and_pairs():
    rng = np.random.default_rng(0)
    losses = {
        name: rng.random(200) < rate for name, rate in zip("abc", (0.1, 0.3, 0.35), strict=True)
    }
    slices = {f"s{i}": rng.random(200) < 0.3 for i in range(4)}
    table = compared(losses, slices)
    assert len(table) == 3 * 5
    assert table["slice"].to_list()[:4] == ["all", "all", "all", "s0"]
    pairs = list(zip(table["model_a"], table["model_b"], strict=True))[:3]
    assert pairs == [("a", "b"), ("a", "c"), ("b", "c")]
    np.testing.assert_allclose(table["q"], adjusted(table["p"]), rtol=1e-12)
    assert (table["q"] >= table["p"]).all() and table["q"].min() < 0.01


def test_references_have_a_q_of_their_own():
    rng = np.random.default_rng(0)
    rates = {"a": 0.1, "b": 0.3, "chance": 0.5, "majority": 0.4}
    losses = {name: (rng.random(200) < rate).astype(float) for name, rate in rates.items()}
    references = {name: losses.pop(name) for name in ("chance", "majority")}
    slices = {f"s{i}": Slice("slice", "rule", rng.random(200) < 0.3) for i in range(3)}
    settings = {"resamples": 200, "seed": 0}
    table = compare_with_references(
        losses, references, slices, None, task=Task("classification", margin=0.02), **settings
    )
    assert list(table) == COMPARISON_COLUMNS
    pairs = table.groupby(["model_a", "model_b"], sort=False)["slice"].apply(list).to_dict()
    # majority is right or wrong by what the labels of a slice are
    assert pairs == {
        ("chance", "a"): ["all", "s0", "s1", "s2"],
        ("chance", "b"): ["all", "s0", "s1", "s2"],
        ("majority", "a"): ["all"],
        ("majority", "b"): ["all"],
    }
    for name, rows in table.groupby("model_a"):
        np.testing.assert_allclose(rows["q"], adjusted(rows["p"]), rtol=1e-12, err_msg=name)
    first = table.iloc[0]
    assert first["value_a"] == pytest.approx(1 - references["chance"].mean())
    assert (first["value_b"], first["verdict"]) == (1 - losses["a"].mean(), "better")
    regression = compare_with_references(
        losses, references, slices, None, task=Task("regression"), **settings
    )
    assert regression["slice"].to_list() == ["all"] * 4


def test_the_better_model_has_the_positive_difference_in_a_classification():
    table = compared({"bad": [1] * 30 + [0] * 20, "good": [0] * 40 + [1] * 10})
    row = table.iloc[0]
    assert row["difference"] == pytest.approx(row["value_b"] - row["value_a"]) == pytest.approx(0.4)
    assert 0 < row["low"] < 0.4 < row["high"]
    assert row["p"] == pytest.approx(mcnemar(30, 10))


def test_a_regression_is_compared_by_its_error():
    rng = np.random.default_rng(0)
    speakers = np.repeat(np.arange(10), 10).astype(str)
    losses = {"a": 5 + rng.random(100), "b": 3 + rng.random(100)}
    row = compared(losses, speakers=speakers, kind="regression").iloc[0]
    assert row["value_a"] == pytest.approx(losses["a"].mean())
    assert row["difference"] == pytest.approx(losses["b"].mean() - losses["a"].mean())
    assert row["low"] < row["difference"] < row["high"] < 0
    assert row["p"] == 2 * 0.5**10  # every speaker is estimated better
    assert row["speakers"] == 10
    counts = ["both_right", "only_a_wrong", "only_b_wrong", "both_wrong"]
    assert row[counts].isna().all()


def test_intervals_draw_speakers():
    speakers = np.repeat(np.arange(20), 10).astype(str)
    a = np.repeat(np.arange(20) % 2, 10)
    losses = {"a": a, "b": np.zeros(200)}
    by_speaker, alone = (compared(losses, speakers=s).iloc[0] for s in (speakers, None))
    assert by_speaker["high"] - by_speaker["low"] > 2 * (alone["high"] - alone["low"])


def test_a_slice_without_a_common_utterance():
    table = compared({"a": [0, 1], "b": [1, 0]}, {"s": [0, 0]})
    row = table.iloc[1]
    assert row["support"] == 0 and row["p"] == 1
    assert pd.isna(row[["value_a", "value_b", "difference", "low", "high"]]).all()


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_no_slices_and_one_model(kind):
    table = compared({"a": [0, 1], "b": [1, 1]}, kind=kind)
    assert table["slice"].to_list() == ["all"]
    table = compared({"a": [0, 1]}, {"s": [1, 0]}, kind=kind)
    assert list(table) == COMPARISON_COLUMNS and len(table) == 0


def scored(files, loss):
    table = pd.DataFrame({"file": files, "start": 0.0, "end": 1.0, "loss": np.asarray(loss, float)})
    return table[[*KEY, "loss"]]


def members(name, files):
    return scored(files, [0] * len(files))[KEY].assign(slice=name)


def table_of(*names):
    return pd.DataFrame({"slice": names, "rule": [f"rule of {name}" for name in names]})


def test_models_are_compared_on_common_utterances():
    scores = {"a": scored(list("wxyz"), [0, 1, 2, 3]), "b": scored(list("zyxv"), [30, 20, 10, 9])}
    keys, losses = align(scores)
    assert keys["file"].to_list() == ["x", "y", "z"]
    assert losses["a"].tolist() == [1, 2, 3]
    assert losses["b"].tolist() == [10, 20, 30]
    slices = found_slices(
        keys,
        [table_of("s"), table_of("t", "s")],
        [members("s", ["x", "w"]), pd.concat([members("t", ["v", "z"]), members("s", ["x", "w"])])],
    )
    assert {name: part.mask.tolist() for name, part in slices.items()} == {
        "s": [True, False, False],
        "t": [False, False, True],
    }
    assert {(part.kind, part.rule) for part in slices.values()} == {
        ("slice", "rule of s"),
        ("slice", "rule of t"),
    }
    table = compare(losses, slices, None, task=Task("regression"), resamples=100, seed=0)
    assert table["slice"].to_list() == ["all", "s", "t"]


@pytest.mark.parametrize("name", ["file", "start", "end", "loss", "a_x"])
def test_models_may_have_any_id(name):
    keys, losses = align(
        {name: scored(list("xyz"), [1, 2, 3]), "b": scored(list("xyz"), [4, 5, 6])}
    )
    assert list(keys) == KEY and keys["file"].to_list() == list("xyz")
    assert losses[name].tolist() == [1, 2, 3]
    assert losses["b"].tolist() == [4, 5, 6]


def test_no_common_utterance():
    keys, losses = align({"a": scored(["x"], [1]), "b": scored(["y"], [1])})
    assert len(keys) == 0
    slices = found_slices(keys, [table_of("s")], [members("s", ["x"])])
    slices |= category_slices(pd.DataFrame({"age": pd.Series(dtype=float)}), slices)
    table = compare(
        losses, slices, None, task=Task("classification", margin=0.1), resamples=100, seed=0
    )
    assert table["support"].to_list() == [0, 0]
    assert table["p"].to_list() == [1, 1]
    assert table["verdict"].to_list() == ["undecided", "undecided"]


def test_each_category_is_a_slice():
    metadata = pd.DataFrame(
        {
            "emotion": pd.Categorical(["anger"] * 20 + ["fear"] * 9 + ["joy"] * 21),
            "clean": [True] * 10 + [None] * 30 + [False] * 10,
        }
    )
    slices = category_slices(metadata, {})
    assert list(slices) == [
        "emotion=anger", "emotion=joy", "clean=False", "clean=True", "clean=missing",
    ]  # fmt: skip
    assert slices["emotion=joy"].rule == "emotion = joy"
    assert slices["emotion=joy"].kind == "category"
    assert slices["emotion=joy"].mask.nonzero()[0].tolist() == list(range(29, 50))
    assert slices["clean=missing"].mask.sum() == 30


def test_numbers_are_compared_in_three_groups():
    ages = [21] * 12 + [26] * 13 + [30] * 14 + [31] * 10 + [34] * 10 + [35] * 11 + [np.nan] * 20
    slices = category_slices(pd.DataFrame({"age": ages}), {})
    assert list(slices) == ["age=21..26", "age=30..31", "age=34..35"]
    assert [part.rule for part in slices.values()] == [
        "age at most 26", "age in 30..31", "age at least 34",
    ]  # fmt: skip
    assert [part.mask.sum() for part in slices.values()] == [25, 24, 21]
    shuffled = np.random.default_rng(0).permutation(90)
    again = category_slices(pd.DataFrame({"age": np.array(ages)[shuffled]}), {})
    assert all((again[name].mask == slices[name].mask[shuffled]).all() for name in slices)


def test_equal_numbers_are_in_one_group():
    slices = category_slices(pd.DataFrame({"level": [0] * 80 + [5] * 20}), {})
    assert {name: part.mask.sum() for name, part in slices.items()} == {
        "level=0": 80,
        "level=5": 20,
    }
    assert slices["level=0"].rule == "level = 0"
    assert category_slices(pd.DataFrame({"level": [np.nan] * 30}), {}) == {}


def test_groups_of_many_numbers_are_of_about_the_same_size():
    values = np.random.default_rng(0).normal(size=1000)
    sizes = [part.mask.sum() for part in category_slices(pd.DataFrame({"x": values}), {}).values()]
    assert sum(sizes) == 1000 and max(sizes) - min(sizes) <= 1


def test_a_set_of_utterances_is_compared_once():
    metadata = pd.DataFrame(
        {
            "gender": ["female"] * 20 + ["male"] * 20,
            "pronoun": ["she"] * 20 + ["he"] * 20,
            "language": ["de"] * 40,
        }
    )
    found = {"1a": Slice("slice", "gender = male", np.arange(40) >= 20)}
    assert list(category_slices(metadata, found)) == ["gender=female"]
    assert list(category_slices(metadata, {})) == ["gender=female", "gender=male"]


def two_models(only_a, only_b, both_right=0):
    a = np.repeat([1, 0, 0], [only_a, only_b, both_right])
    b = np.repeat([0, 1, 0], [only_a, only_b, both_right])
    return a, b


@pytest.mark.parametrize(
    ("only_a", "only_b", "verdict", "strictly"),
    [
        (15, 0, "better", True),
        (15, 1, "better", False),
        (0, 15, "worse", True),
        (1, 15, "worse", False),
        (4, 0, "undecided", False),
        (10, 10, "undecided", False),
    ],
)
def test_verdict_of_a_classification(only_a, only_b, verdict, strictly):
    a, b = two_models(only_a, only_b, 80)
    row = compared({"a": a, "b": b}).iloc[0]
    assert (row["verdict"], row["strictly"]) == (verdict, strictly)
    assert not row["equivalent"]


def test_verdict_of_a_regression_goes_by_the_error():
    speakers = np.repeat(np.arange(10), 10).astype(str)
    high = 5 + np.random.default_rng(0).random(100)
    for a, b, verdict in [(high, high - 2, "better"), (high - 2, high, "worse")]:
        row = compared({"a": a, "b": b}, None, speakers, False, margin=3).iloc[0]
        assert (row["verdict"], row["equivalent"]) == (verdict, True)  # proven, and small
        assert pd.isna(row["strictly"])
        row = compared({"a": a, "b": b}, None, speakers, False, margin=1).iloc[0]
        assert (row["verdict"], row["equivalent"]) == (verdict, False)


def test_verdicts_go_by_q():
    a, b = two_models(6, 0, 80)
    assert compared({"a": a, "b": b}).iloc[0]["verdict"] == "better"  # p = q = 0.03
    others = {f"s{i}": np.arange(86) >= 6 + i for i in range(9)}
    row = compared({"a": a, "b": b}, others).iloc[0]
    assert row["p"] < 0.05 < row["q"]
    assert (row["verdict"], row["strictly"]) == ("undecided", False)


def test_a_verdict_needs_more_than_one_speaker_who_differs():
    a, b = two_models(15, 0, 85)
    one, many = np.repeat(np.arange(5), 20).astype(str), (np.arange(100) % 20).astype(str)
    row = compared({"a": a, "b": b}, speakers=one).iloc[0]
    assert row["q"] < 1e-4 and row["low"] == 0  # all fixed errors are one speaker's
    assert row["verdict"] == "undecided"
    assert compared({"a": a, "b": b}, speakers=many).iloc[0]["verdict"] == "better"
    alone = compared({"a": a, "b": b}, {"first": one == "0"}, speakers=one).iloc[1]
    assert alone["q"] < 1e-3 and alone["verdict"] == "undecided"
    assert compared({"b": b, "a": a}, speakers=many).iloc[0]["verdict"] == "worse"


@pytest.mark.parametrize(
    ("names", "count", "verdict"),
    [([*"abcde"], 5, "better"), ([*"abcd"], 4, "undecided"), (["", *"abcd"], 4, "undecided")],
)
def test_a_verdict_needs_five_speakers_with_a_name(names, count, verdict):
    a, b = two_models(41, 0, 159)
    speakers = np.array(names)[np.arange(200) % len(names)]
    row = compared({"a": a, "b": b}, speakers=speakers, resamples=2000).iloc[0]
    assert row["q"] < 1e-9 and row["low"] > 0
    assert (row["speakers"], row["reliable"], row["verdict"]) == (count, count == 5, verdict)


def test_equivalence_needs_a_margin_speakers_and_utterances():
    a, b = two_models(2, 2, 996)
    losses, ten = {"a": a, "b": b}, np.repeat(np.arange(10), 100).astype(str)
    few = np.repeat(np.arange(4), 250).astype(str)
    assert compared(losses, speakers=ten).iloc[0]["verdict"] == "equivalent"
    assert compared(losses).iloc[0]["verdict"] == "equivalent"
    row = compared(losses, speakers=ten, margin=None).iloc[0]
    assert row["verdict"] == "undecided" and pd.isna(row["equivalent"])
    row = compared(losses, speakers=few).iloc[0]
    assert row["verdict"] == "undecided" and not row["equivalent"] and not row["reliable"]
    # models that agree on few utterances may differ on the next ones
    row = compared({"a": a[-140:], "b": b[-140:]}).iloc[0]
    assert pd.isna(row["low"]) and pd.isna(row["high"])
    assert row["verdict"] == "undecided"
    assert compared({"a": a[-150:], "b": b[-150:]}).iloc[0]["verdict"] == "equivalent"


def test_equivalence_is_an_interval_within_the_margin():
    assert is_equivalent((-0.02, 0.01), 0.02, support=200)
    assert not is_equivalent((-0.021, 0.01), 0.02, support=200)
    assert not is_equivalent((-0.01, 0.021), 0.02, support=200)
    assert not is_equivalent((-0.01, 0.01), 0.02, support=148)
    assert is_equivalent((-0.01, 0.01), 0.02, support=149)
    assert is_equivalent((-1, 1), 2, support=None)
    assert not is_equivalent((np.nan, np.nan), 2, support=None)


def test_equivalence_is_rarely_said_of_models_that_differ_by_the_margin():
    rng, said = np.random.default_rng(0), []
    speakers = np.repeat(np.arange(60), 10).astype(str)
    for _ in range(200):
        a = rng.random(600) < 0.20
        b = a & (rng.random(600) < 0.5)  # 10 points better, which is the margin
        table = compared({"a": a, "b": b}, speakers=speakers, margin=0.1)
        said.append(table.iloc[0]["equivalent"])
    assert 0.005 <= np.mean(said) <= 0.05


def test_equivalence_is_rarely_said_by_ten_speakers_of_models_that_differ_by_the_margin():
    """The 90 % interval of a bootstrap that is not expanded says it of 0.11."""
    said = []
    speakers = np.repeat(np.arange(10), 100)
    for seed in range(400):
        rng = np.random.default_rng(seed)
        chance = rng.random(1000)
        worse = 0.1 + rng.normal(0.05, 0.02, 10)[speakers]
        losses = {"a": chance < 0.1, "b": chance < worse}
        table = compared(losses, None, speakers, margin=0.05, seed=seed, resamples=2000)
        said.append(table.iloc[0]["equivalent"])
    assert 0.02 <= np.mean(said) <= 0.07


def test_models_that_are_equally_good_are_rarely_told_apart_by_ten_speakers():
    """The bootstrap that is not expanded tells 0.10 apart."""
    apart = []
    speakers = np.repeat(np.arange(10), 50)
    for seed in range(400):
        rng = np.random.default_rng(seed)
        losses = {name: rng.random(500) < rng.beta(1, 6, 10)[speakers] for name in "ab"}
        table = compared(losses, None, speakers, seed=seed, resamples=2000)
        apart.append(table.iloc[0]["verdict"] in ("better", "worse"))
    assert 0.02 <= np.mean(apart) <= 0.07


def test_intervals_of_few_speakers_are_marked():
    speakers = np.repeat(np.arange(5), 20).astype(str)
    a, b = two_models(10, 5, 85)
    table = compared({"a": a, "b": b}, {"four": speakers != "0"}, speakers)
    assert table["speakers"].to_list() == [5, 4]
    assert table["reliable"].to_list() == [True, False]
    assert not compared({"a": a, "b": b}).iloc[0]["reliable"]  # nobody knows whose they are


def test_a_difference_on_every_utterance_is_a_verdict_without_an_interval():
    speakers = (np.arange(40) % 10).astype(str)
    row = compared({"a": np.ones(40), "b": np.zeros(40)}, speakers=speakers).iloc[0]
    assert (row["difference"], row["verdict"], row["strictly"]) == (1, "better", True)
    assert pd.isna(row["low"]) and pd.isna(row["high"])


@pytest.mark.parametrize("kind", ["classification", "regression"])
def test_regressions_are_where_the_later_model_is_worse(kind):
    a = np.repeat([0, 1, 0], [10, 30, 60])
    b = np.repeat([1, 0, 0], [10, 30, 60])
    slices = {
        "worst": np.arange(100) < 10,
        "bad": np.arange(100) < 15,
        "good": np.arange(100) >= 10,
        "same": np.arange(100) >= 50,
    }
    table = compared({"a": a, "b": b}, slices, kind=kind)
    found = regressions(table, Task(kind))
    assert list(found) == COMPARISON_COLUMNS
    assert found["slice"].to_list() == ["worst", "bad"]
    sign = -1 if kind == "classification" else 1
    assert found["difference"].to_list() == pytest.approx([sign * 1, sign * 5 / 15])
    if kind == "classification":
        assert found["only_b_wrong"].to_list() == [10, 10]
        assert found["verdict"].to_list() == ["worse", "undecided"]
    better = compared({"b": np.ones(100), "a": a}, slices, kind=kind)
    assert len(regressions(better, Task(kind))) == 0
    none = compared({"a": a}, slices, kind=kind)
    assert len(regressions(none, Task(kind))) == 0


def test_groups_of_large_and_close_numbers_are_told_apart():
    when = 1_600_000_000 + np.arange(300)
    slices = category_slices(pd.DataFrame({"when": when}), {})
    assert list(slices) == [
        "when=1600000000..1600000099",
        "when=1600000100..1600000199",
        "when=1600000200..1600000299",
    ]
    assert slices["when=1600000100..1600000199"].rule == "when in 1600000100..1600000199"
    assert sum(part.mask for part in slices.values()).tolist() == [1] * 300
