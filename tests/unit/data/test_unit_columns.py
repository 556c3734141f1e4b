"""Columns whose names describe a unit are kept beside the metadata."""

import pandas as pd
import pytest
import yaml
from voxslice.data.csv_tables import select_unit_columns
from voxslice.data.unit_columns import as_text, names_unit
from voxslice.utterance_keys import KEY


@pytest.mark.parametrize(
    "name",
    [
        "sentence",
        "Sentence_ID",
        "transcription",
        "promptText",
        "session2",
        "SOURCE",
        "items",
        "site",
    ],
)
def test_names_of_units(name):
    assert names_unit(name)


@pytest.mark.parametrize("name", ["", "speaker", "emotion", "context", "wordiness", "age", "7"])
def test_names_of_other_columns(name):
    assert not names_unit(name)


def test_settings_are_yaml_of_one_line():
    for settings in (
        {"table": "files", "column": "transcription"},
        {"columns": {"x": {"file_name": r"^wav/\d+(?P<value>'[a-z]+')"}}, "units": ["a", "x"]},
        {"column": "yes: no"},
        {"column": "two\nlines and \u2028 another"},
        {"column": "a" * 300 + " " + "b" * 300},
    ):
        text = as_text(settings)
        assert len(text.splitlines()) == 1
        assert yaml.safe_load(text) == settings


def test_columns_of_a_table_that_the_config_does_not_name():
    keys = pd.DataFrame({"file": ["a.wav", "b.wav"], "start": 0.0, "end": 1.0, "duration": 1.0})
    cells = pd.DataFrame(
        {"file": ["a.wav", "b.wav"], "text": ["x", None], "sentence": ["1", "2"], "age": ["3", "4"]}
    )
    table = select_unit_columns(keys, cells, [*KEY, "sentence"])
    assert list(table) == [*KEY, "{column: text}"]
    assert table["{column: text}"].tolist() == ["x", None]
