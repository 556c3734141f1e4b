"""Values that the validator of JSON schemas would accept by mistake."""

import re

import pytest
import yaml
from project import SCHEMA
from voxslice.config.complete import complete
from voxslice.errors import InputError


def study(changes=""):
    """A small config as a user writes it, with further lines at its end."""
    return yaml.safe_load(
        """
datasets:
  calls:
    csv: {path: calls.csv, audio: calls}
    columns: {gender: {column: gender}}
    license: MIT
models:
  mine: {path: mine, tasks: [gender], license: MIT}
tasks:
  gender: {type: classification, target: gender, output: gender, labels: [female, male]}
searches:
  metadata: {finder: subgroups, features: [gender]}
"""
        + changes
    )


def refused(config, match):
    with pytest.raises(InputError, match=match) as error:
        complete(config, SCHEMA)
    assert "\n" not in str(error.value)


def test_the_study_of_these_tests_is_valid():
    complete(study(), SCHEMA)


@pytest.mark.parametrize("value", [".nan", ".inf", "-.inf"])
@pytest.mark.parametrize(
    "key",
    [
        "alpha",
        "gate",
        "failures_tolerated",
        "longest_seconds",
        "limits.model_seconds",
        "limits.download_megabytes",
        "costs.seconds",
        "report.max_megabytes",
    ],
)
def test_nan_and_infinity_are_refused(key, value):
    *outer, name = key.split(".")
    line = f"{name}: {value}"
    refused(study(f"{outer[0]}: {{{line}}}" if outer else line), f"^{re.escape(key)}: (nan|-?inf)")


def test_nan_and_infinity_are_refused_inside_of_lists():
    refused(study("costs: {durations: [1, .nan]}"), r"^costs\.durations\.1: nan is not of type")
    refused(study("costs: {durations: [.inf]}"), r"^costs\.durations\.0: inf is not of type")


def test_very_large_integers_are_numbers():
    assert complete(study(f"seed: {10**400}"), SCHEMA)["seed"] == 10**400


@pytest.mark.parametrize("node", ["datasets", "models", "tasks", "searches"])
@pytest.mark.parametrize("suffix", ["\n", "\r\n", "\u2028", " "])
def test_an_id_that_ends_in_a_newline_is_refused(node, suffix):
    config = study()
    name, value = config[node].popitem()
    config[node][name + suffix] = value
    refused(config, f"^{node}: .* does not fit; expected: An id")


def test_other_texts_that_end_in_a_newline_are_refused():
    config = study()
    config["models"]["mine"] = {
        "url": "https://example.org/mine.zip",
        "sha256": "0" * 64 + "\n",
        "tasks": ["gender"],
        "license": "MIT",
    }
    refused(config, r"^models\.mine\.sha256: .* does not fit")
    config["models"]["mine"] = {
        "predictions": {"calls": "calls.csv\n"},
        "tasks": ["gender"],
        "license": "MIT",
    }
    refused(config, r"^models\.mine\.predictions\.calls: .* does not fit")
