"""Units that the data give away: in columns, names of files, copies and durations."""

import numpy as np
import pandas as pd
import pytest
import yaml
from voxslice.audit.finding import Finding
from voxslice.data.computed_columns import add_columns
from voxslice.slices.unit_candidates import is_function, partition, unit_candidates
from voxslice.units import COPIES, number_units
from voxslice.utterance_keys import KEY

SENTENCES = [f"{letter}{number:02}" for letter in "ab" for number in range(1, 5)]
EMOTIONS = {"A": "anger", "N": "neutral"}


def corpus():
    """Four speakers read eight sentences in two emotions, named as in emodb."""
    rows = [
        (f"{speaker:02}", sentence, emotion)
        for speaker in range(1, 5)
        for sentence in SENTENCES
        for emotion in EMOTIONS
    ]
    table = pd.DataFrame(rows, columns=["speaker", "sentence", "emotion"])
    table.insert(0, "file", [f"wav/{who}{text}{mood}.wav" for who, text, mood in rows])
    seconds = 1 + 0.137 * np.arange(len(table))
    table = table.assign(start=0.0, end=seconds, duration=seconds)
    return table.assign(emotion=table["emotion"].map(EMOTIONS))


FINDINGS = pd.DataFrame(columns=Finding._fields)


def candidates(table, *, columns=("speaker", "emotion"), units=(), more=None, findings=FINDINGS):
    settings = (
        columns if isinstance(columns, dict) else {name: {"column": name} for name in columns}
    )
    return unit_candidates(
        table,
        columns=settings,
        units=units,
        target="emotion",
        unit_columns=table[KEY] if more is None else more,
        findings=findings,
    )


def by_clue(found):
    return {(candidate.source, candidate.clue): candidate for candidate in found}


def test_parts_of_file_names_with_enough_units_are_candidates():
    found, fixed = candidates(corpus())
    # the emotion and the speaker alone are known; a or b is no unit, because there are only two
    assert set(by_clue(found)) == {
        ("file name", "01a"), ("file name", "01a01"), ("file name", "a01"),
    }  # fmt: skip
    assert [len(np.unique(unit)) for unit in fixed] == [2, 4]  # a, 01


def test_parts_with_a_word_that_repeats_a_column_are_left_out():
    table = corpus()
    clues = {candidate.clue for candidate in candidates(table)[0]}
    assert not any(clue.endswith("A") for clue in clues)
    # without the column, the emotion may be a part of a unit
    clues = {candidate.clue for candidate in candidates(table, columns=["speaker"])[0]}
    assert "a01A" in clues


@pytest.mark.parametrize(
    ("columns", "units", "name"),
    [
        ({"speaker": {"column": "x"}}, [], "unit"),
        ({"speaker": {"column": "x"}, "unit": {"column": "y"}}, ["unit"], "unit_2"),
    ],
)
def test_the_settings_give_the_same_units(columns, units, name):
    table = corpus()
    table["unit"] = np.arange(len(table)) % 3
    found, _ = candidates(table, columns=columns, units=units)
    names = [candidate for candidate in found if candidate.source == "file name"]
    assert names
    for candidate in names:
        settings = yaml.safe_load(candidate.config)
        assert settings["units"] == [*units, name]
        made = add_columns(table, settings["columns"], measures=None, predictions={})
        assert partition(number_units(made[name])) == partition(candidate.unit)


def test_columns_are_candidates_by_their_name():
    table = corpus()
    table["take"] = np.arange(len(table)) // 4
    more = table[KEY].assign(**{"{column: Text ID}": table["sentence"]})
    columns = ["speaker", "emotion", "take"]
    found = by_clue(candidates(table, columns=columns, more=more)[0])
    assert found["column", "take"].config == "{units: [take]}"
    new = found["column", "Text ID"]
    assert yaml.safe_load(new.config) == {
        "columns": {"text_id": {"column": "Text ID"}},
        "units": ["text_id"],
    }
    assert ("file name", "a01") not in found  # it is the same as the text
    # a column that is a unit already, or that holds the labels, is none
    assert ("column", "take") not in by_clue(candidates(table, columns=columns, units=["take"])[0])


def test_what_follows_from_a_category_is_no_unit():
    table = corpus()
    table["text"] = table["sentence"]
    table["genre"] = table["sentence"]
    known = ["speaker", "emotion", "text", "genre"]
    assert ("column", "text") not in by_clue(candidates(table, columns=known)[0])


def test_ids_of_utterances_and_speakers_hide_no_unit():
    table = corpus()
    expected = set(by_clue(candidates(table)[0]))
    table["id"] = [f"x{row}" for row in range(len(table))]
    table["name"] = table["speaker"] + " Smith"
    known = ["speaker", "emotion", "id", "name"]
    assert set(by_clue(candidates(table, columns=known)[0])) == expected


def test_segments_of_a_file_share_it():
    table = corpus()
    table["file"] = table["speaker"].radd("s") + "-" + table["sentence"] + ".wav"
    table["start"] = np.arange(len(table)) % 2 * 1.0
    found = by_clue(candidates(table)[0])
    recording = found["file", "file"]
    assert len(np.unique(recording.unit)) == 32
    settings = yaml.safe_load(recording.config)["columns"]
    made = add_columns(table, settings, measures=None, predictions={})
    assert partition(number_units(made["recording"])) == partition(recording.unit)


def finding(table, issue, first, second):
    return Finding.of(issue, table.iloc[first], table.iloc[second], detail="")


def test_copies_of_the_audit_are_units_also_by_way_of_other_copies():
    table = corpus()
    pairs = [(0, 1), (1, 2), (5, 4), *((index, index + 1) for index in range(10, 18, 2))]
    findings = pd.DataFrame(
        [
            *(finding(table, "near copy", *pair) for pair in pairs),
            finding(table, "splits", 30, 31),
        ]
    )
    copies = by_clue(candidates(table, findings=findings)[0])["copies", "copies"]
    unit = copies.unit
    assert unit[0] == unit[1] == unit[2] != unit[3]
    assert unit[4] == unit[5]
    assert copies.config == ""
    assert unit[30] != unit[31]
    assert (np.bincount(unit) >= 2).sum() == 6


def test_exact_copies_are_known_but_their_near_copies_are_not():
    table = corpus()
    pairs = [(index, index + 1) for index in range(0, 14, 2)]
    findings = pd.DataFrame([finding(table, "exact copy", *pair) for pair in pairs])
    table[COPIES] = [str(index // 2) if index < 14 else None for index in range(len(table))]
    assert ("copies", "copies") not in by_clue(candidates(table, findings=findings)[0])
    findings.loc[len(findings)] = finding(table, "near copy", 0, 20)
    unit = by_clue(candidates(table, findings=findings)[0])["copies", "copies"].unit
    assert unit[0] == unit[1] == unit[20]


def test_equal_durations_are_units_that_are_compared_with_similar_ones():
    table = corpus()
    table["duration"] = np.repeat(1 + 0.1 * np.arange(32), 2)
    table.loc[0, "duration"] = 0.0  # cannot be read
    found = by_clue(candidates(table)[0])["duration", "duration"]
    assert yaml.safe_load(found.config) == {
        "columns": {"length": {"measure": "duration"}},
        "units": ["length"],
    }
    assert found.unit[2] == found.unit[3]
    assert found.unit[0] != found.unit[1]
    assert is_function(found.similar, found.unit)
    columns = {"speaker": {"column": "speaker"}, "seconds": {"measure": "duration"}}
    table["seconds"] = table["duration"].round(1)
    found = by_clue(candidates(table, columns=columns)[0])["duration", "duration"]
    assert found.config == "{units: [seconds]}"


def test_divisions_are_equal_whatever_the_numbers_are():
    assert partition(np.array([3, 3, 1])) == partition(np.array([0, 0, 7]))
    assert partition(np.array([3, 3, 1])) != partition(np.array([0, 1, 1]))


def test_one_number_may_follow_from_another():
    assert is_function(np.array([0, 0, 1]), np.array([5, 5, 6]))
    assert not is_function(np.array([0, 1, 1]), np.array([5, 5, 6]))
