"""Filters select utterances, and the files that they need."""

import audformat
import numpy as np
import pandas as pd
import pytest
from voxslice.data.selection import files_needed, kept
from voxslice.errors import InputError

VALUES = pd.DataFrame(
    {
        "split": pd.Categorical(["test", "dev", "test", None]),
        "fold": pd.array([1, 1, 2, 2], dtype="Int64"),
        "clean": pd.array([True, False, None, True], dtype="boolean"),
        "snr": [0.5, np.nan, 10.0, 1.0],
    }
)


@pytest.mark.parametrize(
    ("filters", "rows"),
    [
        ({}, [0, 1, 2, 3]),
        ({"split": ["test"]}, [0, 2]),
        ({"split": ["test", "dev"]}, [0, 1, 2]),
        ({"fold": [2]}, [2, 3]),
        ({"fold": ["2"]}, [2, 3]),
        ({"clean": [True]}, [0, 3]),
        ({"clean": ["false"]}, [1]),
        ({"snr": [10, 0.5]}, [0, 2]),
        ({"split": ["test"], "fold": [2]}, [2]),
    ],
)
def test_filter(filters, rows):
    assert np.flatnonzero(kept(VALUES, filters, "t")).tolist() == rows


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"split": ["test", "train"]}, r"filter of split names 'train', .*in t: .* dev, test\.$"),
        ({"fold": [3]}, r"filter of fold names 3, .* 1, 2\.$"),
        ({"split": ["dev"], "fold": [2]}, r"^The filter leaves no utterance of t: widen it\.$"),
    ],
)
def test_filters_that_keep_nothing(filters, message):
    with pytest.raises(InputError, match=message):
        kept(VALUES, filters, "t")


def test_many_values_are_not_all_listed():
    values = pd.DataFrame({"id": [f"{number:02}" for number in range(50)]})
    with pytest.raises(InputError, match=r"00, 01, .*, 09, \.\.\.\.$"):
        kept(values, {"id": ["x"]}, "t")


@pytest.fixture
def db():
    db = audformat.Database("calls")
    names = ["a.wav", "b.wav", "c.wav", "d.wav"]
    db["files"] = audformat.Table(audformat.filewise_index(names))
    db["files"]["split"] = audformat.Column()
    db["files"]["split"].set(["test", "dev", "test", "test"])
    index = audformat.segmented_index(
        ["a.wav", "a.wav", "b.wav", "c.wav"], ["0s", "1s", "0s", "0s"]
    )
    db["turns"] = audformat.Table(index)
    db["turns"]["who"] = audformat.Column()
    db["turns"]["who"].set(["agent", "caller", "caller", "agent"])
    return db


SPLIT = {"table": "files", "column": "split"}
WHO = {"table": "turns", "column": "who"}


@pytest.mark.parametrize(
    ("table", "filters", "files"),
    [
        ("files", {}, "abcd"),
        ("turns", {}, "abc"),
        ("files", {"split": SPLIT | {"values": ["test"]}}, "acd"),
        ("turns", {"split": SPLIT | {"values": ["test"]}}, "ac"),
        ("turns", {"who": WHO | {"values": ["caller"]}}, "ab"),
        (
            "turns",
            {"split": SPLIT | {"values": ["test"]}, "who": WHO | {"values": ["caller"]}},
            "a",
        ),
    ],
)
def test_files_that_a_filter_needs(db, table, filters, files):
    assert files_needed(db, table, filters) == [f"{name}.wav" for name in files]


@pytest.mark.parametrize(
    ("table", "filters", "message"),
    [
        ("x", {}, "no table in the database calls called 'x'"),
        ("turns", {"split": SPLIT | {"values": ["train"]}}, r"'train', which .* files of calls"),
        (
            "turns",
            {"new": SPLIT | {"column": "new", "values": [1]}},
            "no column in the table files",
        ),
        ("turns", {"split": SPLIT | {"map": "x", "values": [1]}}, "has no map 'x'.* split in the"),
        (
            "turns",
            {
                "split": SPLIT | {"values": ["dev"]},
                "who": WHO | {"values": ["agent"]},
            },
            r"^The filter leaves no utterance of the table turns: widen it\.$",
        ),
    ],
)
def test_a_filter_is_checked_before_audio_is_fetched(db, table, filters, message):
    with pytest.raises(InputError, match=message):
        files_needed(db, table, filters)
