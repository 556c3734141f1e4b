"""A config without columns has measures of the audio, and a search over them."""

import copy

import pytest
import yaml
from snakemake_cli import ROOT
from voxslice.config.complete import complete
from voxslice.config.default_measures import COLUMNS
from voxslice.data.measures import MEASURES
from voxslice.errors import InputError

SCHEMA = yaml.safe_load((ROOT / "config/schema.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def labels_alone(config):
    """Return the config of a table with labels, without columns and searches."""
    config["datasets"] = {"table": {"csv": {"path": "mine.csv", "audio": "a"}, "license": "MIT"}}
    config["models"] = {name: config["models"][name] for name in ("small", "tiny")}
    del config["searches"]
    return config


def test_labels_alone_are_searched_by_all_measures(labels_alone):
    full = complete(labels_alone, SCHEMA)
    columns = full["datasets"]["table"]["columns"]
    assert columns == {
        "gender": {"column": "gender", "type": "category"},
        "age": {"column": "age"},
        **{name: {"measure": measure} for name, measure in COLUMNS.items()},
    }
    assert full["searches"] == {
        "sound": {
            "finder": "subgroups",
            "features": list(COLUMNS),
            "min_support": 10,
            "depth": 3,
        }
    }


def test_labels_of_a_database_are_read_from_its_table(labels_alone):
    labels_alone["datasets"]["table"] = {
        "audformat": {"path": "db"},
        "table": "files",
        "license": "MIT",
    }
    columns = complete(labels_alone, SCHEMA)["datasets"]["table"]["columns"]
    assert columns["age"] == {"table": "files", "column": "age"}


def test_columns_alone_change_nothing(config):
    before = copy.deepcopy(config)
    full = complete(config, SCHEMA)
    assert list(full["searches"]) == list(before["searches"])
    for name, dataset in before["datasets"].items():
        assert list(full["datasets"][name]["columns"]) == list(dataset["columns"])


def test_measures_can_be_added_to_columns(config):
    columns = config["datasets"]["calls"]["columns"]
    columns["tone"] = {"measure": "pitch"}
    config["datasets"]["calls"]["measures"] = "default"
    full = complete(config, SCHEMA)
    added = [name for name in COLUMNS if name != "pitch"]
    assert list(full["datasets"]["calls"]["columns"]) == ["speaker", "gender", "tone", *added]
    assert full["searches"]["sound"]["features"] == ["length", "tone", *added[1:]]


def test_a_search_over_measures_is_kept_alone(config):
    config["datasets"]["calls"]["measures"] = "default"
    config["searches"]["mine"] = {"finder": "subgroups", "features": ["snr"]}
    assert "sound" not in complete(config, SCHEMA)["searches"]


def test_a_search_called_sound_is_kept(config):
    config["datasets"]["calls"]["measures"] = "default"
    config["searches"]["sound"] = {"finder": "subgroups", "features": ["gender"]}
    assert complete(config, SCHEMA)["searches"]["sound"]["features"] == ["gender"]


def test_measures_can_be_turned_off(labels_alone):
    labels_alone["datasets"]["table"]["measures"] = "none"
    with pytest.raises(InputError, match=r"^searches: this key is missing: name at least one"):
        complete(labels_alone, SCHEMA)
    labels_alone["searches"] = {"own": {"finder": "subgroups", "features": ["age"]}}
    full = complete(labels_alone, SCHEMA)
    assert list(full["datasets"]["table"]["columns"]) == ["gender", "age"]
    assert list(full["searches"]) == ["own"]


def test_a_column_with_the_name_of_a_measure_is_refused(config):
    config["datasets"]["table"]["columns"]["level"] = {"column": "grade"}
    complete(config, SCHEMA)
    config["datasets"]["table"]["measures"] = "default"
    with pytest.raises(InputError, match=r"^datasets\.table\.columns\.level: this is also the"):
        complete(config, SCHEMA)


def test_default_measures_exist():
    allowed = SCHEMA["$defs"]["measured_column"]["properties"]["measure"]["enum"]
    assert set(allowed) == {"duration", *MEASURES}
    assert set(COLUMNS.values()) < set(allowed)
