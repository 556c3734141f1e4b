"""Parts of the names of files: values by a pattern, and the patterns that divide names."""

import random
import re
from itertools import product

import pandas as pd
import pytest
from voxslice.data.name_parts import MAX_WORDS, column_of_names, named_values, parts_of_names

EMODB = ["wav/03a01Fa.wav", "wav/03a02W.wav", "wav/16b01Td.wav"]


def values_of(files):
    """The values of each part, by the value of the first file."""
    return {part.example: named_values(files, part.pattern) for part in parts_of_names(files)}


def test_the_group_is_the_value_and_an_empty_one_is_missing():
    assert named_values(["a1.wav", "b.wav"], r"[ab](?P<value>\d?)") == ["1", None]
    assert named_values(["a1.wav"], r"z(?P<value>\d)") == [None]


def test_the_map_names_values():
    files = pd.Series(["1f.wav", "2m.wav", "3x.wav"])
    column = column_of_names(files, r"\d(?P<value>[a-z])", {"f": "female", "m": 1}, name="gender")
    assert column.tolist() == ["female", "1", "x"]


def test_names_are_divided_into_words_and_numbers():
    values = values_of(EMODB)
    assert values["03"] == ["03", "03", "16"]
    assert values["a01"] == ["a01", "a02", "b01"]
    assert values["03a01Fa"] == ["03a01Fa", "03a02W", "16b01Td"]
    assert "wav" not in values


def test_a_pattern_names_what_all_files_share():
    patterns = {part.example: part.pattern for part in parts_of_names(EMODB)}
    assert patterns["a01"] == r"^wav/\d+(?P<value>[A-Za-z]+\d+)"
    ses = ["Ses01/i1_F0.wav", "Ses02/i1_F1.wav"]
    assert parts_of_names(ses)[0].pattern == r"^Ses(?P<value>\d+)"


def test_names_of_different_length_are_divided_at_other_characters():
    files = ["Ses01F_impro01_F000.wav", "Ses01F_script01_1_M001.wav", "Ses02M_impro05a_F003.wav"]
    values = values_of(files)
    assert values["Ses01F_impro01"] == ["Ses01F_impro01", "Ses01F_script01", "Ses02M_impro05a"]
    assert values["F000"] == ["F000", "1", "F003"]


def test_words_know_their_place():
    words = {part.example: list(part.words) for part in parts_of_names(EMODB)}
    assert words == {
        "03": [0], "03a": [0, 1], "03a01": [0, 1, 2], "03a01Fa": [0, 1, 2, 3],
        "a": [1], "a01": [1, 2], "a01Fa": [1, 2, 3], "01": [2], "01Fa": [2, 3], "Fa": [3],
    }  # fmt: skip


@pytest.mark.parametrize("files", [[], ["a.wav"], ["a.wav"] * 3, ["-.wav", "_.wav"]])
def test_names_that_do_not_differ_have_no_parts(files):
    assert parts_of_names(files) == []


def test_long_names_have_a_bounded_number_of_parts():
    files = [".".join([letter] * 30) + ".wav" for letter in "ab"]
    assert len(parts_of_names(files)) == MAX_WORDS * (MAX_WORDS + 1) // 2


def test_patterns_match_in_all_files_and_give_the_words():
    rng = random.Random(1)
    words = ["a", "B", "ü", "ß", "07", "7", "٣", "x y", "(", "[", "é", "日本", "-", "__", "f/"]
    for _ in range(300):
        files = [
            "".join(rng.choices(words, k=rng.randint(1, 6))) + rng.choice([".wav", "", ".tar.gz"])
            for _ in range(rng.randint(2, 5))
        ]
        for part in parts_of_names(files):
            re.compile(part.pattern)
            assert None not in named_values(files, part.pattern), (files, part)


def test_every_neighbouring_part_of_a_full_design_is_found():
    files = [f"s{a}/{b}x{c}.wav" for a, b, c in product("12", ["p", "q"], "34")]
    assert {part.example for part in parts_of_names(files)} == {
        "1", "1/px", "1/px3", "px", "px3", "3",
    }  # fmt: skip
