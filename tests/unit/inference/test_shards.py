"""Utterances are split into shards of similar duration."""

import numpy as np
import pandas as pd
import pytest
from voxslice.inference.shards import remove_stale, rows_of_shard, shard_states, split


def sizes(shards):
    return (shards["stop"] - shards["first"]).to_list()


def covers(shards, rows):
    assert shards["first"][0] == 0
    assert shards["stop"].iloc[-1] == rows
    assert (shards["first"][1:].to_numpy() == shards["stop"][:-1].to_numpy()).all()


def test_little_audio_is_one_shard():
    shards = split(["a", "b"], [2.0, 3.0], hours=1)
    assert shards.to_numpy().tolist() == [[0, 2, 5, 3]]


def test_no_utterances_are_one_empty_shard():
    assert split([], [], hours=1).to_numpy().tolist() == [[0, 0, 0, 0]]
    assert split(["a", "b"], [0.0, 0.0], hours=1).to_numpy().tolist() == [[0, 2, 0, 0]]


def test_shards_last_about_the_same():
    durations = np.random.default_rng(0).uniform(1, 10, 5000)
    shards = split([str(row) for row in range(5000)], durations, hours=0.5)
    covers(shards, 5000)
    assert len(shards) == np.ceil(durations.sum() / 1800)
    mean = durations.sum() / len(shards)
    assert (np.abs(shards["seconds"] - mean) <= 10).all()
    assert shards["seconds"].sum() == pytest.approx(durations.sum())


def test_the_rows_of_all_shards_are_the_table(tmp_path):
    table = pd.DataFrame({"file": [f"{row}.wav" for row in range(7)], "duration": 600.0})
    table.to_parquet(tmp_path / "utterances.parquet")
    shards = split(table["file"], table["duration"], hours=0.5)
    shards.to_csv(tmp_path / "shards.csv", index=False)
    parts = [
        rows_of_shard(tmp_path / "utterances.parquet", tmp_path / "shards.csv", shard)
        for shard in range(len(shards))
    ]
    assert [len(part) for part in parts] == sizes(shards)
    pd.testing.assert_frame_equal(pd.concat(parts), table)


def test_segments_of_a_file_stay_together():
    files = [file for file in "abcdefgh" for _ in range(7)]
    shards = split(files, [100.0] * len(files), hours=0.5)  # 5600 s in shards of 1400 s
    covers(shards, len(files))
    assert sizes(shards) == [14, 14, 14, 14]
    shards = split(files, [100.0] * len(files), hours=0.3)  # six shards of eight files
    assert len(shards) == 6
    assert all(stop % 7 == 0 for stop in shards["stop"])


def test_a_file_that_is_longer_than_a_shard_is_split():
    shards = split(["a"] * 100, [60.0] * 100, hours=0.5)
    covers(shards, 100)
    assert sizes(shards) == [25, 25, 25, 25]


def test_an_utterance_that_is_longer_than_a_shard_stays_whole():
    shards = split(["a", "b", "c"], [10_000.0, 1.0, 1.0], hours=1)
    covers(shards, 3)
    assert (shards["stop"] > shards["first"]).all()
    assert shards["longest"].to_list() == [10_000, 1]


def test_files_of_earlier_runs_are_removed_and_no_others(tmp_path):
    current = ["0.parquet", "1.parquet"]
    stale = [".1.parquet.x7_a", "10.parquet", "2.parquet", "table.parquet"]
    others = ["2.parquet.bak", ".snakemake_timestamp", "mine.parquet", "2.txt", "x2.parquet"]
    for name in [*current, *stale, *others]:
        (tmp_path / name).touch()
    (tmp_path / "3.parquet").mkdir()
    assert remove_stale(tmp_path, [tmp_path / name for name in current]) == sorted(stale)
    assert {path.name for path in tmp_path.iterdir()} == {*current, *others, "3.parquet"}
    assert remove_stale(tmp_path / "none", []) == []


@pytest.fixture
def utterances():
    return pd.DataFrame(
        {
            "file": ["a.wav", "a.wav", "b.wav", "c.wav"],
            "start": [0.0, 1.0, 0.0, 0.0],
            "end": [1.0, 2.0, 1.0, 1.0],
        }
    )


@pytest.fixture
def contents():
    return pd.DataFrame({"file": ["a.wav", "b.wav", "c.wav"], "content": ["aa", "bb", None]})


@pytest.mark.parametrize(
    ("column", "row", "value", "shard"),
    [
        ("content", 0, "cc", 0),
        ("content", 1, "cc", 1),
        ("content", 2, "cc", 1),
        ("end", 1, 1.9, 0),
        ("start", 0, 0.1, 0),
        ("file", 2, "d.wav", 1),
    ],
)
def test_a_change_in_a_shard_changes_only_the_state_of_that_shard(
    utterances, contents, column, row, value, shard
):
    shards = split(utterances["file"], utterances["end"] - utterances["start"], hours=2 / 3600)
    before = shard_states(utterances, contents, shards)
    (contents if column == "content" else utterances).loc[row, column] = value
    after = shard_states(utterances, contents, shards)
    assert len(before) == 2
    assert [old != new for old, new in zip(before, after, strict=True)] == [shard == 0, shard == 1]


def test_a_shard_that_begins_at_another_row_has_the_same_state(utterances, contents):
    shards = pd.DataFrame({"first": [0, 2], "stop": [2, 4]})
    before = shard_states(utterances, contents, shards)
    longer = pd.concat([utterances.iloc[:1].assign(file="0.wav"), utterances])
    after = shard_states(longer, contents, shards.assign(first=[0, 3], stop=[3, 5]))
    assert before[0] != after[0] and before[1] == after[1]
