"""Contradictions in the metadata are found, and only those."""

import numpy as np
import pandas as pd
import pytest
from voxslice.audit.constraints import check_overlaps, check_speakers, check_splits


def table(**columns):
    """Return metadata of utterances that are whole files."""
    size = len(next(iter(columns.values())))
    files = [f"{number}.wav" for number in range(size)]
    return pd.DataFrame({"file": files, "start": 0.0, "end": 1.0, **columns})


def test_a_speaker_with_two_genders():
    metadata = table(
        speaker=["a", "a", "a", "b", "b", None], gender=["f", "f", "m", "m", "m", "f"]
    ).astype({"gender": "category"})
    (found,) = check_speakers(metadata, ["gender", "age"])
    assert (found.issue, found.file) == ("speaker", "2.wav")
    assert found.detail == "gender of speaker a is m here and f elsewhere"


def test_two_genders_that_are_equally_frequent():
    metadata = table(speaker=["a", "a", "b"], gender=["f", "m", "m"])
    found = list(check_speakers(metadata, ["gender"]))
    assert [one.file for one in found] == ["0.wav", "1.wav"]
    assert found[0].detail == "gender of speaker a is f here and f or m elsewhere"


def test_ages_may_differ_by_a_year():
    metadata = table(speaker=["a"] * 4 + ["b"] * 2, age=[30, 31, 31, 45, 20, 21])
    (found,) = check_speakers(metadata, ["age"])
    assert found.file == "3.wav" and found.detail == "age of speaker a is 45 here and 31 elsewhere"


def test_missing_values_contradict_nothing():
    metadata = table(speaker=["a", "a", None], age=[30.0, np.nan, 60.0], gender=["f", None, "m"])
    assert list(check_speakers(metadata, ["age", "gender"])) == []
    assert list(check_speakers(metadata.drop(columns="speaker"), ["age"])) == []


def test_planted_flips_of_a_label_are_found():
    rng = np.random.default_rng(0)
    speaker = np.repeat(np.arange(20), 30)
    gender = np.where(speaker % 2, "f", "m")
    flipped = rng.random(len(speaker)) < 0.05
    gender[flipped] = np.where(gender[flipped] == "f", "m", "f")
    found = check_speakers(table(speaker=speaker, gender=gender), ["gender"])
    assert [one.file for one in found] == [f"{row}.wav" for row in np.flatnonzero(flipped)]


def test_a_speaker_in_two_splits():
    metadata = table(speaker=["a", "a", "b", "b"], split=["test", "train", "test", "test"])
    (found,) = check_splits(metadata, "split")
    assert (found.file, found.other_file) == ("0.wav", "1.wav")
    assert found.detail == "speaker a is in several splits: test (1), train (1)"
    assert list(check_splits(metadata, "fold")) == []


@pytest.mark.parametrize(
    ("times", "rows"),
    [
        ([(0, 1), (1, 2), (0.95, 2)], [1]),
        ([(0, 1), (0.95, 2)], []),
        ([(0, 10), (1, 2), (3, 4), (10, 12)], [1, 2]),
    ],
)
def test_parts_of_a_file_that_overlap(times, rows):
    metadata = pd.DataFrame(times, columns=["start", "end"]).assign(file="a.wav")
    metadata.loc[len(metadata)] = [0, 9, "b.wav"]
    found = list(check_overlaps(metadata))
    assert [one.issue for one in found] == ["listed twice"] * len(rows)
    assert sorted(one.start for one in found) == [times[row][0] for row in rows]
