"""What to collect next: lists of utterances that a classifier finds, and its test."""

import numpy as np
import pandas as pd
import pytest
from voxslice.decisions.collect import (
    LIST_COLUMNS,
    SUMMARY_COLUMNS,
    Embedded,
    collect_next,
    unseen_precision,
)
from voxslice.utterance_keys import KEY


def make(count=600, seed=0, name="u"):
    """Embeddings in which a fifth of the utterances differs in one direction."""
    rng = np.random.default_rng(seed)
    files = [f"{name}{i:03}.wav" for i in range(count)]
    keys = pd.DataFrame({"file": files, "start": 0.0, "end": 1.0})
    inside = rng.random(count) < 0.2
    vectors = rng.normal(size=(count, 30)).astype(np.float32)
    vectors[:, 3] += 3 * inside
    return Embedded(keys, vectors), inside


def collect(pools, inside_of=None):
    labelled, inside = make()
    metadata = labelled.keys.assign(speaker=[f"s{i % 20:02}" for i in range(len(inside))])
    modes = pd.DataFrame(
        {"mode": ["1", "2", "3"], "model": "m", "name": ["anger", "few", "open"],
         "confirmed": [True, True, False]}
    )  # fmt: skip
    members = pd.concat(
        [
            labelled.keys[inside].assign(mode="1"),
            labelled.keys.head(5).assign(mode="2"),
            labelled.keys.assign(mode="3"),
        ]
    )
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
    table = lists["1"]
    assert list(table.columns) == LIST_COLUMNS
    assert table["rank"].tolist() == list(range(1, 501))
    assert table["probability"].is_monotonic_decreasing
    assert set(table["dataset"]) == {"calls", "talks"}
    first = table[table["dataset"] == "calls"].head(20)
    found = pool.keys.assign(inside=truth).merge(first, on=KEY)["inside"]
    assert found.mean() > 0.9


def test_modes_with_few_members_and_unconfirmed_modes_have_no_list():
    (summary, lists), _ = collect({"calls": make(seed=1)[0]})
    assert summary["mode"].tolist() == ["1", "2"]
    assert not len(lists["2"])
    assert np.isnan(summary.set_index("mode").loc["2", "precision"])


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
    known, _ = unseen_precision(vectors, inside, None, seed=0)
    unseen, _ = unseen_precision(vectors, inside, speakers, seed=0)
    assert unseen < known


def test_without_members_on_both_sides_there_is_no_precision():
    vectors = np.zeros((4, 2))
    inside = np.array([True, False, False, False])
    found, splits = unseen_precision(vectors, inside, np.array(["a", "a", "b", "b"]), seed=0)
    assert np.isnan(found) and splits == 0
