"""The config of a study as the rules read it."""

import pytest
from project import SCHEMA
from snakemake.iocontainers import Wildcards
from voxslice.config.complete import complete
from voxslice.config.study_config import StudyConfig, one_of
from voxslice.errors import InputError


@pytest.fixture
def study(config):
    return StudyConfig(complete(config, SCHEMA))


def of(**names):
    return Wildcards(fromdict=names)


def test_ids_by_kind(study):
    assert study.datasets == ["calls", "ages", "table", "local"]
    assert study.downloaded_datasets == ["calls", "ages"]
    assert study.models == ["small", "big", "other", "given", "bare", "tiny"]
    assert study.given_models == ["given"]
    assert study.run_models == ["small", "big", "other", "bare", "tiny"]
    assert study.derived_models == ["tiny"]
    assert study.fetched_models == ["small", "big", "other", "bare"]
    assert study.tasks == ["gender", "age"]


def test_a_setting_is_read_at_its_place(study):
    assert study.setting("seed") == 0
    assert study.setting("costs", "durations", "none") == {"durations": [1, 3, 10]}
    assert study.setting("tasks/{task}/min_drop")(of(task="age")) == 3
    assert study.setting("datasets/{dataset}/table")(of(dataset="table")) is None
    assert study.setting("datasets/{dataset}/csv", "path", "audio")(of(dataset="calls")) is None


def test_a_rule_sees_only_the_keys_that_it_names(study):
    read = study.setting("tasks/{task}", "type", "labels", "unit")
    assert read(of(task="gender")) == {"type": "classification", "labels": ["female", "male"]}
    assert read(of(task="age")) == {"type": "regression", "unit": ""}
    before = read(of(task="age"))
    study.config["tasks"]["age"]["margin"] = 7
    assert read(of(task="age")) == before


def test_targets_of_a_study(study):
    assert study.per_task("{dataset}/{task}") == ["calls/gender", "ages/age", "table/age"]
    assert study.per_task_and_model("{dataset}/{task}/{model}")[:4] == [
        "calls/gender/small", "calls/gender/big", "calls/gender/given", "calls/gender/tiny",
    ]  # fmt: skip
    assert "calls/given" in study.per_model("{dataset}/{model}")
    assert "ages/given" not in study.per_model("{dataset}/{model}")


def test_compared_models(study):
    wildcards = of(dataset="calls", task="gender")
    names = ["small", "big", "given", "tiny"]
    assert study.compared(wildcards) == names
    assert study.of_compared("{task}/{model}.csv")(wildcards) == [f"gender/{n}.csv" for n in names]
    assert study.compared_run_models(wildcards) == ["small", "big", "tiny"]
    assert study.compared_settings(wildcards)["given"] == {"license": "MIT", "note": ""}
    assert study.sources(wildcards) == {"tiny": "small"}
    assert study.source(of(model="tiny")) == "small"


def test_a_pattern_of_compared_models_may_be_of_a_job_with_a_model(study):
    wildcards = of(dataset="ages", task="age", model="big")
    assert study.of_compared("{model}")(wildcards) == ["small", "tiny"]


def test_models_that_are_used_but_not_compared(config):
    config["datasets"]["calls"]["columns"]["tone"] = {"model": "bare", "label": "age"}
    study = StudyConfig(complete(config, SCHEMA))
    shown = study.helper_settings(of(dataset="calls", task="gender"))
    assert list(shown) == ["other", "bare"]


def test_given_predictions(study):
    assert study.is_given(of(model="given")) and not study.is_given(of(model="small"))
    assert study.given_tables(of(model="given")) == ["given.csv"]
    assert study.given_table(of(model="given", dataset="calls")) == "given.csv"
    assert study.classes_by_task(of(model="given", dataset="calls")) == {
        "gender": {"labels": ["female", "male"], "merged": {}, "excluded": []}
    }
    assert study.classes(of(task="age")) is None


def test_files_of_models(study):
    assert study.model_files(of(model="small")) == [
        "models/small/model.yaml", "models/small/model.onnx",
    ]  # fmt: skip
    assert study.model_files(of(model="bare")) == ["bare.onnx"]
    assert study.is_downloaded(of(model="big")) and not study.is_downloaded(of(model="bare"))


def test_all_files_of_a_trusted_folder_are_watched(config, tmp_path):
    (tmp_path / "inner").mkdir()
    for file in ("model.yaml", "model.onnx", "inner/more.txt"):
        (tmp_path / file).touch()
    sha256 = "a" * 64
    config["models"]["small"] |= {"path": str(tmp_path), "trust": "transform", "sha256": sha256}
    study = StudyConfig(complete(config, SCHEMA))
    assert study.model_files(of(model="small")) == [
        f"{tmp_path}/inner/more.txt", f"{tmp_path}/model.onnx", f"{tmp_path}/model.yaml",
    ]  # fmt: skip
    assert study.model_source(of(model="small")) == {
        "path": str(tmp_path), "trust": "transform", "sha256": sha256, "sampling_rate": 16000,
    }  # fmt: skip


def test_a_variant_that_is_a_file_of_a_hub_folder_is_fetched(config, tmp_path):
    for file in ("model.onnx", "model_int8.onnx", "config.json"):
        (tmp_path / file).touch()
    hub = {"hub": {"path": str(tmp_path)}, "tasks": ["gender"], "license": "MIT"}
    config["models"]["hub"] = {**hub, "outputs": {"logits_gender": ["female", "male"]}}
    config["models"]["small_hub"] = {"derive": {"from": "hub", "file": "model_int8.onnx"}}
    study = StudyConfig(complete(config, SCHEMA))
    assert study.derived_models == ["tiny"] and "small_hub" in study.fetched_models
    own, source = (study.model_source(of(model=name)) for name in ("small_hub", "hub"))
    assert own == source | {
        "hub": {"path": str(tmp_path), "file": "model_int8.onnx"},
        "derive": {"from": "hub", "file": "model_int8.onnx"},
    }
    assert source["hub"]["file"] == "model.onnx" and "derive" not in source
    assert len(study.model_files(of(model="small_hub"))) == 3
    assert study.sources(of(dataset="calls", task="gender"))["small_hub"] == "hub"
    config["models"]["small_hub"]["derive"]["file"] = "model.onnx"
    with pytest.raises(InputError, match=r"derive\.file: hub itself is this file: name another"):
        complete(config, SCHEMA)


def test_local_tables_of_datasets(config, tmp_path):
    for name in ("db.yaml", "db.b.csv", "db.a.parquet", "other.csv"):
        (tmp_path / name).touch()
    config["datasets"]["local"]["audformat"]["path"] = str(tmp_path)
    study = StudyConfig(complete(config, SCHEMA))
    assert study.tables(of(dataset="calls")) is None
    assert study.tables(of(dataset="table")) == ["mine.csv"]
    assert study.tables(of(dataset="local")) == [
        f"{tmp_path}/{name}" for name in ("db.yaml", "db.a.parquet", "db.b.csv")
    ]
    assert study.audio_folder(of(dataset="calls")) == "resources/calls/audio"
    assert study.audio_folder(of(dataset="table")) == "/data/mine"
    assert study.audio_folder(of(dataset="local")) == str(tmp_path)


def test_headers_of_the_repositories_that_the_workflow_makes(config):
    made = {"name": "repo", "host": "resources/demo/repository", "backend": "file-system"}
    mine = made | {"host": "/data"}
    config["datasets"]["calls"]["audb"]["repositories"] = [made, mine]
    study = StudyConfig(complete(config, SCHEMA))
    assert study.repository_headers(of(dataset="calls")) == [
        "resources/demo/repository/repo/calls/1.0.0/db.yaml"
    ]
    assert study.repository_headers(of(dataset="ages")) == []


def test_columns_and_filters(config):
    config["datasets"]["table"]["columns"]["tone"] = {"measure": "pitch"}
    study = StudyConfig(complete(config, SCHEMA))
    table = of(dataset="table")
    assert study.columns_read(table) == {"age": {"column": "years"}, "split": {"column": "set"}}
    assert study.columns_computed(table) == {"tone": {"measure": "pitch"}}
    assert study.column_names(table) == ["age", "split", "tone"]
    assert study.group_columns(of(dataset="calls")) == ["gender"]
    assert study.filters(table) == {"split": {"column": "set", "values": ["test", 2, True]}}
    assert study.is_filtered(table) and not study.is_filtered(of(dataset="calls"))


def test_searches_of_a_finder_with_the_keys_that_a_rule_names(study):
    wildcards = of(dataset="ages")
    assert study.searches("features", "depth")(wildcards) == {
        "metadata": {"features": ["age"]},
        "voice": {"features": []},
        "young": {"features": ["age"], "depth": 3},
    }
    assert list(study.searches(finder="sliceguard")(wildcards)) == ["metadata", "voice"]
    assert study.embedding_models(wildcards) == {"voice": "other"}
    assert study.map_model(wildcards) == "other"
    del study.config["searches"]["voice"]
    assert study.map_model(wildcards) is None


def test_settings_of_a_dataset_in_the_report(study):
    assert study.dataset_shown(of(dataset="table")) == {
        "license": "MIT",
        "note": "",
        "synthetic": False,
        "filter": {"split": ["test", 2, True]},
        "csv": {"path": "mine.csv"},
        "columns": {"age": {"column": "years"}, "split": {"column": "set"}},
        "people_columns": ["age"],
        "channel_columns": [],
    }
    assert study.dataset_shown(of(dataset="calls"))["audb"] == {"name": "calls", "version": "1.0.0"}


def test_columns_of_people_and_of_the_recording(study):
    columns = {
        "speaker": {"column": "who"},
        "sex": {"column": "sex"},
        "age": {"column": "age"},
        "band": {"measure": "bandwidth"},
        "pitch": {"measure": "pitch"},
        "device": {"column": "phone"},
    }
    audit = {"speaker_columns": ["sex"], "channel_columns": ["device", "room"]}
    table = study.config["datasets"]["table"] | {"columns": columns, "audit": audit}
    study.config["datasets"]["table"] = table
    assert study.people_columns(of(dataset="table")) == ["speaker", "sex"]
    assert study.channel_columns(of(dataset="table")) == ["band", "device"]


def test_a_wildcard_without_names_fits_nothing():
    import re

    assert re.fullmatch(one_of(["a", "b"]), "b")
    assert not re.search(one_of([]), "") and not re.search(one_of([]), "a")
