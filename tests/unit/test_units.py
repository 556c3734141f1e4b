"""Units beside the speaker are numbered from the columns of the metadata."""

import pandas as pd
from voxslice.units import COPIES, number_overlaps, number_units, units_of, units_of_groups


def test_units_are_numbered_and_a_missing_one_is_of_its_own():
    column = pd.Series(["b", None, "a", "b", None])
    assert number_units(column).tolist() == [1, 2, 0, 1, 3]


def test_units_of_utterances_are_in_the_order_of_the_utterances():
    metadata = pd.DataFrame({"file": list("abc"), "start": 0.0, "end": 1.0, "text": [7, 8, 7]})
    keys = metadata.iloc[[2, 1]]
    assert [unit.tolist() for unit in units_of(keys, metadata, ["text"])] == [[0, 1]]
    assert units_of(keys, metadata, []) == []


def test_overlapping_segments_of_a_file_are_a_unit():
    rows = [("a", 2.0, 3.0), ("b", 0, 5), ("a", 0, 1.5), ("a", 1, 2), ("a", 1.2, 1.3), ("b", 5, 6)]
    keys = pd.DataFrame(rows, columns=["file", "start", "end"], index=[5, 4, 3, 2, 1, 0])
    assert number_overlaps(keys).tolist() == [1, 2, 0, 0, 0, 3]
    assert [unit.tolist() for unit in units_of(keys, keys, [])] == [[1, 2, 0, 0, 0, 3]]
    # segments that touch share no audio, and files do not matter to each other
    assert number_overlaps(keys.iloc[[0, 1, 2, 5]]) is None


def test_units_of_recordings_are_those_that_all_their_segments_share():
    keys = pd.DataFrame({"file": list("aabbc"), "start": [0.0, 1, 0, 1, 0], "end": 9.0})
    metadata = keys.assign(
        site=["x", "x", "y", "y", "x"], sentence=[1, 2, 1, 1, 1], room=["r", "r", None, None, "r"]
    )
    groups = pd.factorize(keys["file"])[0]
    found = units_of_groups(keys, metadata.iloc[::-1], ["site", "sentence", "room"], groups)
    assert [unit.tolist() for unit in found] == [[0, 1, 0], [0, 1, 0]]  # site and room
    assert units_of_groups(keys, metadata, ["sentence"], groups) == []


def test_exact_copies_are_a_unit_without_a_name():
    metadata = pd.DataFrame({"file": list("abcd"), "start": 0.0, "end": 1.0, "text": [7, 8, 7, 7]})
    metadata[COPIES] = ["f0", None, "f0", None]
    keys = metadata.iloc[[3, 2, 1, 0]]
    text, copies = units_of(keys, metadata, ["text"])
    assert text.tolist() == [0, 0, 1, 0]
    assert copies[1] == copies[3] and len(set(copies)) == 3
    assert len(units_of(keys, metadata, [])) == 1


def test_recordings_are_copies_if_all_their_segments_are():
    keys = pd.DataFrame({"file": list("aabbcc"), "start": [0.0, 1] * 3, "end": 9.0})
    groups = pd.factorize(keys["file"])[0]
    metadata = keys.assign(**{COPIES: ["x", "y", "x", "y", "x", None]})
    (copies,) = units_of_groups(keys, metadata.iloc[::-1], [], groups)
    assert copies.tolist() == [0, 0, 1]
    metadata[COPIES] = ["x", None, "x", "y", "x", None]
    assert units_of_groups(keys, metadata, [], groups) == []
