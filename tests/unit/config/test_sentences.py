"""Errors of the schema become sentences that say what to change."""

import re

import jsonschema
import pytest
import yaml
from project import SCHEMA
from voxslice.config.sentences import sentence

STUDY = """
datasets:
  calls:
    csv: {path: calls.csv}
    columns: {gender: {column: sex}}
    license: MIT
models:
  mine: {path: models/mine, tasks: [gender], license: MIT}
tasks:
  gender: {type: classification, target: gender, output: logits, labels: [f, m], min_drop: 0.1}
searches: {}
"""


def message(**edits):
    """The error sentence for `STUDY` after parts of its YAML text were replaced."""
    text = STUDY
    for old, new in edits.items():
        assert old in text
        text = text.replace(old, new)
    config = yaml.safe_load(text)
    errors = list(jsonschema.Draft202012Validator(SCHEMA).iter_errors(config))
    return sentence(jsonschema.exceptions.best_match(errors))


@pytest.mark.parametrize(
    ("labels", "quoted"),
    [
        ("yes, no", '"(yes|no)"'),
        ("true, b", '"yes"'),
        ("a, off", '"no"'),
        ("Yes, b", '"yes"'),
    ],
)
def test_words_that_yaml_reads_as_booleans(labels, quoted):
    text = message(**{"[f, m]": f"[{labels}]"})
    pattern = rf"^tasks\.gender\.labels\.[01]: YAML reads yes, no, .* as booleans: .* {quoted}\.$"
    assert re.search(pattern, text)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("0, b", 'labels.0: YAML reads 0 as a number: put it in quotes, as in "0".'),
        ("a, 2.5", 'labels.1: YAML reads 2.5 as a number: put it in quotes, as in "2.5".'),
        (
            "a, 2020-02-01",
            'labels.1: YAML reads 2020-02-01 as a date: put it in quotes, as in "2020-02-01".',
        ),
        ("a, null", "labels.1: YAML reads null, ~ and nothing as a missing value: put the text in"),
    ],
)
def test_other_values_that_yaml_does_not_read_as_text(labels, expected):
    text = message(**{"[f, m]": f"[{labels}]"})
    assert text.startswith(f"tasks.gender.{expected}")


def test_every_key_with_text_explains_how_to_quote_it():
    assert message(**{"license: MIT\nmodels": "license: no\nmodels"}).startswith(
        "datasets.calls.license: YAML reads yes, no, on, off"
    )
    text = message(**{"labels: [f, m]": "labels: [f, m], classes: {yes: f}"})
    assert text.startswith("tasks.gender.classes: YAML reads yes, no, on, off")
    text = message(**{"path: models/mine": "onnx: a.onnx, outputs: {logits: [0, f]}"})
    assert text == (
        'models.mine.outputs.logits.0: YAML reads 0 as a number: put it in quotes, as in "0".'
    )


def test_a_list_instead_of_a_text_needs_no_quotes():
    assert "quotes" not in message(**{"path: calls.csv": "path: [calls.csv]"})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("path: models/mine", "url: https://a.org/m.zip, path: m", "models.mine: url and path exc"),
        ("path: models/mine", "onnx: m, path: m, url: https://m", "mine: url, path and onnx exclu"),
        (
            "csv: {path: calls.csv}",
            "csv: {path: a}\n    audb: {name: a, version: '1'}",
            "csv and a",
        ),
    ],
)
def test_two_ways_to_give_one_thing_are_named(old, new, expected):
    text = message(**{old: new})
    assert expected in text and "remove all but one (a config file adds its keys to" in text


def test_no_way_is_given():
    assert message(**{"path: models/mine, ": ""}) == (
        "models.mine: give either url, path, onnx, hub, derive or predictions, and only one of"
        " them."
    )


def test_the_first_sentence_of_a_description_is_enough():
    text = message(**{"license: MIT\nmodels": "license: MIT\n    shard_hours: 0\nmodels"})
    assert text == (
        "datasets.calls.shard_hours: 0 is less than or equal to the minimum of 0"
        " (Hours of audio per shard)."
    )
