"""What to collect next: lists of utterances that a classifier finds, and its test."""

import dataclasses

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from voxslice.decisions.collect import (
    LIST_COLUMNS,
    SUMMARY_COLUMNS,
    Features,
    collect_next,
    unseen_precision,
)
from voxslice.decisions.collect_features import read_features
from voxslice.speakers import UNKNOWN_SPEAKER
from voxslice.utterance_keys import KEY

pytestmark = pytest.mark.slow  # many classifiers are trained


def make(count=600, seed=0, name="u"):
    """Embeddings in which a fifth of the utterances differs in one direction."""
    rng = np.random.default_rng(seed)
    files = [f"{name}{i:03}.wav" for i in range(count)]
    keys = pd.DataFrame({"file": files, "start": 0.0, "end": 1.0})
    inside = rng.random(count) < 0.2
    vectors = rng.normal(size=(count, 30)).astype(np.float32)
    vectors[:, 3] += 3 * inside
    return Features(keys, vectors, pd.DataFrame(index=keys.index)), inside


def collect(pools, inside_of=None):
    labelled, inside = make()
    metadata = labelled.keys.assign(
        speaker=[f"s{i % 20:02}" for i in range(len(inside))],
        emotion=np.where(inside, "anger", "neutral"),
    )
    modes = pd.DataFrame(
        {"mode": ["1", "2", "3"], "model": "m", "name": ["anger", "few", "open"],
         "rule": ["emotion = anger", "", ""], "confirmed": [True, True, False]}
    )  # fmt: skip
    members = pd.concat(
        [
            labelled.keys[inside].assign(mode="1"),
            labelled.keys.head(5).assign(mode="2"),
            labelled.keys.assign(mode="3"),
        ]
    )
    labelled = dataclasses.replace(labelled, speakers=metadata["speaker"].to_numpy(str))
    return collect_next(labelled, metadata, modes, members, pools, seed=0), inside


def test_the_list_begins_with_members_of_the_mode():
    pool, truth = make(seed=1, name="p")
    other, _ = make(count=50, seed=2, name="q")
    (summary, lists), inside = collect({"calls": pool, "talks": other})
    assert list(summary.columns) == SUMMARY_COLUMNS
    row = summary.set_index("mode").loc["1"]
    assert (row["name"], row["members"], row["listed"]) == ("anger", inside.sum(), 500)
    assert row["share"] == pytest.approx(inside.mean())
    assert row["precision"] > 0.9
    assert row["splits"] == 20
    assert row["best_possible"] == 1
    assert row["hardest"] == "anger"
    assert row["hardest_known"] == 1
    assert not row["by_speaker"]  # the pools do not name their speakers
    table = lists["1"]
    assert list(table.columns) == LIST_COLUMNS
    assert table["rank"].tolist() == list(range(1, 501))
    assert table["probability"].is_monotonic_decreasing
    assert set(table["dataset"]) == {"calls", "talks"}
    first = table[table["dataset"] == "calls"].head(20)
    found = pool.keys.assign(inside=truth).merge(first, on=KEY)["inside"]
    assert found.mean() > 0.9


@pytest.mark.slow
def test_modes_with_few_members_and_unconfirmed_modes_have_no_list():
    (summary, lists), _ = collect({"calls": make(seed=1)[0]})
    assert summary["mode"].tolist() == ["1", "2"]
    assert not len(lists["2"])
    assert np.isnan(summary.set_index("mode").loc["2", "precision"])


@pytest.mark.slow
def test_without_a_pool_the_classifier_is_still_tested():
    (summary, lists), _ = collect({})
    assert summary.set_index("mode").loc["1", "precision"] > 0.9
    assert summary["listed"].tolist() == [0, 0]
    assert list(lists["1"].columns) == LIST_COLUMNS


def test_what_one_speaker_alone_has_is_not_found_for_others():
    rng = np.random.default_rng(0)
    speakers = np.repeat([f"s{i:02}" for i in range(10)], 40)
    voice = rng.normal(size=(10, 30))[np.repeat(np.arange(10), 40)] * 3
    vectors = voice + rng.normal(size=voice.shape)
    inside = (rng.random(400) < 0.5) & np.isin(speakers, ["s00", "s01"])
    known = unseen_precision(vectors, [inside], None, seed=0)
    unseen = unseen_precision(vectors, [inside], speakers, seed=0)
    assert unseen.precision < known.precision


def test_without_members_on_both_sides_there_is_no_precision():
    vectors = np.zeros((4, 2))
    inside = np.array([True, False, False, False])
    found = unseen_precision(vectors, [inside], np.array(["a", "a", "b", "b"]), seed=0)
    assert np.isnan(found.precision) and found.splits == 0


def test_few_members_limit_the_precision():
    vectors = np.arange(200.0)[:, None]
    inside = np.arange(200) >= 192
    found = unseen_precision(vectors, [inside], None, seed=0)
    assert found.precision == pytest.approx(found.best_possible)
    assert found.best_possible == pytest.approx(4 / 20)  # eight members in two halves


LOUD_AND_OLD = pd.DataFrame(
    {"mode": ["1"], "model": "m", "name": "loud, old", "confirmed": True,
     "rule": "level = loud & age at least 70"}
)  # fmt: skip
"""A confirmed failure mode with two conditions."""


def two_conditions():
    """Half of the utterances are loud and half are old; a part of both is the mode."""
    rng = np.random.default_rng(0)
    keys = pd.DataFrame({"file": [f"{i:03}.wav" for i in range(400)], "start": 0.0, "end": 1.0})
    loud, old = rng.random(400) < 0.3, rng.random(400) < 0.3
    vectors = rng.normal(size=(400, 10)).astype(np.float32)
    vectors[:, 0] += 4 * loud
    metadata = keys.assign(
        speaker=[f"s{i % 20:02}" for i in range(400)],
        level=np.where(loud, "loud", "quiet"),
        age=np.where(old, 70.0, 20.0),
    )
    return keys, vectors, metadata, LOUD_AND_OLD, keys[loud & old].assign(mode="1"), old


def test_the_condition_that_no_feature_shows_is_named():
    keys, vectors, metadata, modes, members, _ = two_conditions()
    labelled = Features(keys, vectors, pd.DataFrame(index=keys.index))
    summary, _ = collect_next(labelled, metadata, modes, members, {}, seed=0)
    [row] = summary.to_dict("records")
    assert row["hardest"] == "age at least 70"
    assert row["hardest_known"] > 0.8 * row["best_possible"]
    assert row["precision"] < 0.5


def test_outputs_of_models_help_where_the_embedding_knows_nothing():
    keys, vectors, metadata, modes, members, old = two_conditions()
    outputs = pd.DataFrame({"m.age": np.where(old, 60.0, 30.0), "m.other": 0.0})
    outputs.loc[:9, "m.age"] = np.nan  # the model failed
    labelled = Features(keys, vectors, outputs)
    pool = Features(keys.replace(".wav", ".flac", regex=True), vectors, outputs[["m.age"]])
    summary, lists = collect_next(labelled, metadata, modes, members, {"pool": pool}, seed=0)
    assert summary["precision"].item() > 0.8 * summary["best_possible"].item()
    first = lists["1"].head(20)["file"].str.replace(".flac", ".wav")
    assert first.isin(members["file"]).mean() > 0.7
    # without its output for the pool, the age is not known
    pool = Features(pool.keys, vectors, outputs[["m.other"]])
    summary, _ = collect_next(labelled, metadata, modes, members, {"pool": pool}, seed=0)
    assert summary["precision"].item() < 0.5


def test_a_rule_that_does_not_describe_the_mode_is_not_used():
    keys, vectors, metadata, modes, members, _ = two_conditions()
    labelled = Features(keys, vectors, pd.DataFrame(index=keys.index))
    for rule in ("no rule", "level = loud"):
        summary, _ = collect_next(labelled, metadata, modes.assign(rule=rule), members, {}, seed=0)
        assert summary["hardest"].item() == "loud, old"


def test_a_condition_that_holds_for_all_utterances_needs_no_classifier():
    keys, vectors, _, _, members, _ = two_conditions()
    inside = keys["file"].isin(members["file"]).to_numpy()
    always = np.ones(len(inside), bool)
    alone = unseen_precision(vectors, [inside], None, seed=0)
    both = unseen_precision(vectors, [inside, always], None, seed=0)
    assert both.precision == alone.precision
    assert both.if_known == pytest.approx([both.best_possible, both.precision])


def by_speaker():
    """Speakers who are old or young, which an embedding shows with much noise."""
    rng = np.random.default_rng(0)
    speaker = np.repeat([f"s{i:02}" for i in range(20)], 20)
    keys = pd.DataFrame({"file": [f"{i:03}.wav" for i in range(400)], "start": 0.0, "end": 1.0})
    old, loud = speaker < "s10", rng.random(400) < 0.3
    vectors = rng.normal(size=(400, 10)).astype(np.float32)
    vectors[:, 0] += 4 * loud
    vectors[:, 1] += 1 * old
    metadata = keys.assign(
        speaker=speaker,
        level=np.where(loud, "loud", "quiet"),
        age=np.where(old, 70.0, 20.0),
    )
    labelled = Features(keys, vectors, pd.DataFrame(index=keys.index), speaker)
    return labelled, metadata, LOUD_AND_OLD, keys[loud & old].assign(mode="1")


def test_the_utterances_of_a_speaker_are_judged_together():
    labelled, metadata, modes, members = by_speaker()
    pool = Features(
        labelled.keys.replace(".wav", ".flac", regex=True),
        labelled.embedding,
        labelled.outputs,
        labelled.speakers,
    )
    found = {}
    some = np.where(np.arange(400) < 5, UNKNOWN_SPEAKER, labelled.speakers)
    for name, one in (("together", pool), ("alone", dataclasses.replace(pool, speakers=some))):
        summary, lists = collect_next(labelled, metadata, modes, members, {"p": one}, seed=0)
        [found[name]] = summary.to_dict("records")
        assert found[name]["by_speaker"] == (name == "together")
        found[name]["listed"] = lists["1"].set_index("file")["probability"]
    assert found["together"]["precision"] > found["alone"]["precision"] + 0.05
    # the level differs within speakers, so it is still judged for each utterance
    assert found["together"]["listed"].iloc[:100].nunique() == 100


def test_features_are_read_in_the_order_of_the_embedding(tmp_path):
    keys = pd.DataFrame({"file": ["a.wav", "b.wav", "c.wav"], "start": 0.0, "end": 1.0})
    keys.assign(embedding=[[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]).to_parquet(tmp_path / "e.parquet")
    table = pq.read_table(tmp_path / "e.parquet")
    vectors = table["embedding"].cast(pa.list_(pa.float32(), 2))
    pq.write_table(table.set_column(3, "embedding", vectors), tmp_path / "e.parquet")
    other = keys.iloc[[2, 0]].assign(female=[0.3, 0.1], text="x")
    other.to_parquet(tmp_path / "m.parquet")
    metadata = keys.assign(speaker=["x", None, "y"])
    found = read_features(
        [str(tmp_path / "e.parquet")], {"m": [str(tmp_path / "m.parquet")]}, metadata
    )
    assert list(found.speakers) == ["x", UNKNOWN_SPEAKER, "y"]
    assert found.embedding.tolist() == [[0, 1], [2, 3], [4, 5]]
    assert list(found.outputs) == ["m.female"]
    np.testing.assert_array_equal(found.outputs["m.female"], [0.1, np.nan, 0.3])
    assert found.matrix(["m.female"])[2].tolist() == pytest.approx([4, 5, 0.3])
