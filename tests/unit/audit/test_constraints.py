"""Contradictions in the metadata are found, and only those."""

import numpy as np
import pandas as pd
import pytest
from voxslice.audit.constraints import (
    check_file_names,
    check_overlaps,
    check_speakers,
    check_splits,
    count_unnamed,
)
from voxslice.errors import InputError


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
    assert found.file == "3.wav"
    assert found.detail == "age of speaker a is 45 here and 30 to 31 elsewhere"


@pytest.mark.parametrize(
    ("ages", "wrong", "usual"),
    [
        ([30, 30, 31, 32], [3], "30 to 31"),
        ([30, 31, 32], [0, 2], "30 to 31 or 31 to 32"),
        ([20, 40], [0, 1], "20 or 40"),
        ([30, 31, 30.5], [], None),
    ],
)
def test_ages_that_differ_by_more_than_a_year(ages, wrong, usual):
    found = list(check_speakers(table(speaker=["a"] * len(ages), age=ages), ["age"]))
    assert [one.file for one in found] == [f"{row}.wav" for row in wrong]
    assert all(one.detail.endswith(f"here and {usual} elsewhere") for one in found)


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


NAMES = {
    "speaker": {"pattern": r"^(?P<value>\d+)_", "map": {}},
    "emotion": {"pattern": r"_(?P<value>[A-Z])[.]wav$", "map": {"W": "anger", "T": "sadness"}},
}


def test_values_that_contradict_the_file_name():
    metadata = pd.DataFrame(
        {
            "file": ["03_W.wav", "03_T.wav", "08_W.wav", "08_N.wav", "other.wav"],
            "start": 0.0,
            "end": 1.0,
            "speaker": [3, 3, 9, 8, 8],
            "emotion": pd.Categorical(["anger", "anger", None, "N", "anger"]),
        }
    )
    found = list(check_file_names(metadata, NAMES))
    assert [(one.issue, one.file, one.detail) for one in found] == [
        ("file name", "08_W.wav", "speaker is 9 here and 08 in the name of the file"),
        ("file name", "03_T.wav", "emotion is anger here and sadness in the name of the file"),
    ]
    assert count_unnamed(metadata, NAMES["emotion"]["pattern"]) == 1


def test_a_pattern_that_fits_no_file_is_refused():
    with pytest.raises(InputError, match=r"fits no file name, such as 0\.wav: correct audit"):
        list(check_file_names(table(emotion=["anger"]), {"emotion": NAMES["emotion"]}))
    assert list(check_file_names(table(emotion=[]), {"emotion": NAMES["emotion"]})) == []
