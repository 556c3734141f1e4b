"""The tables of speakers."""

import numpy as np
import pandas as pd
import pytest
from voxslice.comparison.by_speaker import (
    PAIR_COLUMNS,
    SPEAKER_COLUMNS,
    UNKNOWN,
    pair_table,
    speaker_table,
)
from voxslice.comparison.compare import compare
from voxslice.table_specs import TABLES, problems
from voxslice.task import Task

LABELS = ["f", "m"]
COUNT, SPEAKERS = 240, 8
CLASSES, VALUES = Task("classification"), Task("regression")


def metadata(unknown=0):
    """Speakers 0 to 7, who are men and women in turn; the first utterances have no speaker."""
    number = np.arange(COUNT) % SPEAKERS
    speaker = pd.Series(number.astype(str), dtype=object).where(np.arange(COUNT) >= unknown, None)
    return pd.DataFrame(
        {
            "file": [f"{i:03}.wav" for i in range(COUNT)],
            "start": 0.0,
            "end": 1.0,
            "speaker": speaker,
            "gender": np.array(LABELS)[number % 2],
        }
    )


def scores(wrong):
    """Scores of a model that is wrong on the given utterances."""
    table = metadata().drop(columns="speaker").rename(columns={"gender": "label"})
    loss = np.isin(np.arange(COUNT), wrong).astype(float)
    other = np.where(table["label"] == "f", "m", "f")
    prediction = pd.Categorical(np.where(loss > 0, other, table["label"]), LABELS)
    return table.assign(prediction=prediction, loss=loss)


def values(errors):
    table = metadata().drop(columns=["speaker", "gender"])
    label = np.linspace(20, 60, COUNT)
    return table.assign(label=label, prediction=label + errors, loss=np.abs(errors))


def of_speaker(number, count):
    """The first utterances of a speaker."""
    return list(range(number, COUNT, SPEAKERS))[:count]


def speakers_of(tables, task=CLASSES, data=None):
    data = metadata() if data is None else data
    return speaker_table(tables, data, task=task, resamples=499, seed=0)


def pairs_of(tables, data=None, **changes):
    settings = {"metrics": ["uar"], "margin": None} | changes
    data = metadata() if data is None else data
    return pair_table(tables, data, resamples=499, seed=0, **settings)


def test_a_speaker_has_a_metric_errors_and_shares():
    table = speakers_of({"a": scores([*of_speaker(3, 12), *of_speaker(1, 3)])})
    assert table["speaker"].to_list() == [str(number) for number in range(SPEAKERS)]
    row = table[table["speaker"] == "3"].iloc[0]
    assert (row["support"], row["errors"]) == (30, 12)
    assert row["value"] == pytest.approx(18 / 30)
    # Clopper and Pearson, as published tables give it for 18 of 30
    assert (row["low"], row["high"]) == (
        pytest.approx(0.406, abs=1e-3),
        pytest.approx(0.773, abs=1e-3),
    )
    assert row["share_of_errors"] == pytest.approx(12 / 15)
    assert row["share_of_utterances"] == pytest.approx(1 / 8)
    assert row["p"] < 0.01
    assert table.groupby("model")[["share_of_errors", "share_of_utterances"]].sum().eq(1).all(None)
    perfect = table[table["speaker"] == "5"].iloc[0]
    assert perfect["value"] == perfect["high"] == 1 and 0.88 < perfect["low"] < 0.89


def test_a_regression_has_sums_of_absolute_errors():
    errors = np.random.default_rng(0).normal(0, 2, COUNT)
    errors[::SPEAKERS] *= 5
    table = speakers_of({"a": values(errors)}, VALUES)
    own = np.abs(errors[::SPEAKERS])
    row = table.iloc[0]
    assert row["value"] == pytest.approx(own.mean())
    assert row["errors"] == pytest.approx(own.sum())
    assert row["low"] < row["value"] < row["high"] and row["p"] < 0.01
    half = 2.045 * own.std(ddof=1) / np.sqrt(30)  # the quantile of Student's t with 29 degrees
    assert row["high"] - row["value"] == pytest.approx(half, rel=1e-3)


def test_unknown_speakers_are_one_row_without_an_interval():
    table = speakers_of({"a": scores(range(20))}, data=metadata(unknown=40))
    row = table.iloc[-1]
    assert row["speaker"] == UNKNOWN and not row["known"] and table["known"].sum() == SPEAKERS
    assert (row["support"], row["errors"]) == (40, 20)
    assert pd.isna(row[["low", "high", "p"]]).all()


def test_a_model_without_errors_has_no_shares_of_errors():
    table = speakers_of({"a": scores([])})
    assert table["share_of_errors"].isna().all() and (table["p"] == 1).all()


def test_who_carries_a_difference():
    # model b fixes twelve errors of speaker 3 and makes five errors on the others
    a, b = scores(of_speaker(3, 12)), scores([*range(64, 64 + 3), *range(72, 72 + 2)])
    table = pairs_of({"a": a, "b": b}, metrics=["accuracy"]).set_index("speaker")
    assert table["difference"].to_numpy() == pytest.approx(7 / COUNT)
    assert table.loc["3", "contribution"] == pytest.approx(12 / COUNT)
    assert table.loc["3", "share"] == pytest.approx(12 / 7)
    assert table.loc["3", "without"] == pytest.approx(-5 / 210)
    assert table.loc["3", "p"] < 0.01
    assert table["contribution"].sum() == pytest.approx(7 / COUNT)
    assert (table["speakers"] == SPEAKERS - 1).all()


def test_verdicts_without_a_speaker_know_which_way_is_better():
    worse = np.random.default_rng(0).normal(0, 8, COUNT)
    tables = {"a": values(worse), "b": values(worse / 4)}
    table = pairs_of(tables, metrics=["mae", "ccc"])
    assert (table["verdict"] == "better").all()
    assert (table.loc[table["metric"] == "mae", "high"] < 0).all()
    turned = pairs_of(dict(reversed(tables.items())), metrics=["mae"])
    assert (turned["verdict"] == "worse").all()
    few = metadata()
    few["speaker"] = np.arange(COUNT) % 5  # four are left
    assert set(pairs_of(tables, few, metrics=["mae"])["verdict"]) == {"undecided"}


def test_a_verdict_is_that_of_comparing_the_other_speakers():
    rng = np.random.default_rng(3)
    tables = {
        name: scores(np.flatnonzero(rng.random(COUNT) < share))
        for name, share in {"a": 0.3, "b": 0.12, "c": 0.25}.items()
    }
    found = pairs_of(tables, margin=0.02).set_index("speaker")
    task = Task("classification", margin=0.02, overall="uar")
    for speaker in ("1", "6"):
        rest = metadata()["speaker"].ne(speaker).to_numpy()
        left = {name: table[rest].reset_index(drop=True) for name, table in tables.items()}
        names = metadata()["speaker"][rest].to_numpy(str)
        expected = compare(left, {}, names, task=task, resamples=499, seed=0)
        own = found.loc[speaker]
        for name, other in {"without": "difference", "q": "q"}.items():
            np.testing.assert_allclose(own[name].to_numpy(), expected[other].to_numpy())
        assert own["verdict"].to_list() == expected["verdict"].to_list()
    assert len(set(found["verdict"])) > 1


def test_units_beside_the_speaker_make_a_verdict_less_certain():
    sentence = np.arange(COUNT) // SPEAKERS % 8
    better = np.flatnonzero(sentence < 3)  # model b makes these errors no more
    tables = {"a": scores([*better, *range(0, COUNT, 7)]), "b": scores(range(0, COUNT, 7))}
    data = metadata().assign(sentence=sentence)
    plain, named = pairs_of(tables, data), pairs_of(tables, data, units=["sentence"])
    assert (plain["verdict"] == "better").all() and (named["verdict"] == "undecided").all()
    assert (named["low"] < plain["low"]).all() and (named["q"] > plain["q"]).all()
    for name in ("difference", "contribution", "p", "without"):
        np.testing.assert_array_equal(named[name], plain[name])


@pytest.mark.parametrize(("margin", "verdict"), [(0.05, "undecided"), (0.5, "equivalent")])
def test_equal_models_are_equivalent_and_have_no_interval(margin, verdict):
    tables = {"a": scores(range(0, COUNT, 7)), "b": scores(range(0, COUNT, 7))}
    table = pairs_of(tables, margin=margin)  # eight speakers are too few for a small margin
    assert (table["verdict"] == verdict).all()
    assert table[["low", "high", "share"]].isna().all(None)
    assert (table["p"] == 1).all()


def test_only_utterances_that_all_models_scored_are_compared():
    tables = {"a": scores([0]), "b": scores([1]).iloc[80:], "c": scores([2]).iloc[::-1]}
    table = pairs_of(tables)
    assert table[["model_a", "model_b"]].drop_duplicates().to_numpy().tolist() == [
        ["a", "b"], ["a", "c"], ["b", "c"],
    ]  # fmt: skip
    assert (table.groupby(["model_a", "model_b"])["support"].sum() == COUNT - 80).all()
    assert len(pairs_of(tables, pairs=[("c", "a")])) == SPEAKERS


@pytest.mark.parametrize("data", [metadata().drop(columns="speaker"), metadata(unknown=COUNT)])
def test_without_speakers_the_tables_name_nobody(data):
    tables = {"a": scores([0]), "b": scores([1])}
    results, pairs = speakers_of(tables, data=data), pairs_of(tables, data)
    assert list(results) == SPEAKER_COLUMNS and list(pairs) == PAIR_COLUMNS
    assert not results["known"].any() and not pairs["known"].any()


def test_one_model_has_no_pairs():
    table = pairs_of({"a": scores([0])})
    assert len(table) == 0 and list(table) == PAIR_COLUMNS


def test_tables_are_as_specified():
    specs = {spec.path: spec for spec in TABLES}
    tables = {"a": scores([0]), "b": scores([1])}
    data = metadata(unknown=10)
    place = "results/speakers/{dataset}/{task}"
    assert problems(speakers_of(tables, data=data), specs[f"{place}.csv"]) == []
    assert problems(pairs_of(tables, data), specs[f"{place}.pairs.csv"]) == []
