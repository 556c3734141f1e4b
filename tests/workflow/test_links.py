"""The key `links` of a dataset: symbolic links that lead out of the folder of the audio."""

import audformat
import pandas as pd
import pytest
from small_inputs import noise, write_audio, write_model
from snakemake_cli import snakemake, write_config

pytestmark = pytest.mark.workflow

FILES = ["inside.wav", "linked.wav", "folder/private.wav"]


@pytest.fixture
def study(tmp_path):
    """A folder with two datasets, in which a file and a folder are links to a private folder."""
    write_model(tmp_path / "model")
    write_audio(tmp_path / "private/private.wav", noise(0.3, seed=1))
    for name in ("table", "database"):
        write_audio(tmp_path / name / "inside.wav", noise(0.3, seed=2))
        (tmp_path / name / "linked.wav").symlink_to(tmp_path / "private/private.wav")
        (tmp_path / name / "folder").symlink_to("../private")
    table = pd.DataFrame({"file": FILES, "who": ["male", "female", "male"]})
    table.to_csv(tmp_path / "mine.csv", index=False)
    db = audformat.Database("mine")
    db.schemes["who"] = audformat.Scheme(labels=["male", "female"])
    db["files"] = audformat.Table(audformat.filewise_index(FILES))
    db["files"]["who"] = audformat.Column(scheme_id="who")
    db["files"]["who"].set(table["who"])
    db.save(str(tmp_path / "database"))
    return tmp_path


@pytest.fixture
def config():
    who = {"column": "who"}
    return {
        "datasets": {
            "table": {
                "csv": {"path": "mine.csv", "audio": "table"},
                "columns": {"who": who},
                "license": "MIT",
            },
            "database": {
                "audformat": {"path": "database"},
                "table": "files",
                "columns": {"who": {"table": "files", **who}},
                "license": "MIT",
            },
        },
        "models": {"tiny": {"path": "model", "tasks": ["who"], "license": "MIT"}},
        "tasks": {
            "who": {
                "type": "classification",
                "target": "who",
                "output": "logits_gender",
                "labels": ["female", "male"],
                "min_drop": 0.1,
            }
        },
        "searches": {},
    }


def run(study, config, **settings):
    path = write_config(study / "config.yaml", config)
    return snakemake(study, "predictions", "--keep-going", configfiles=[path], **settings)


def predictions(study, dataset):
    paths = (study / "results/predictions" / dataset / "tiny").glob("*.parquet")
    return pd.concat(map(pd.read_parquet, paths)).set_index("file")["male"]


def test_links_out_of_the_folder_are_refused_unless_the_config_allows_them(study, config):
    process = run(study, config, check=False)
    assert process.returncode != 0 and "Traceback" not in process.stdout
    advice = f"{study / 'private/private.wav'}: copy it into the folder, or set links to anywhere"
    for source in ("mine.csv", "The table files of mine"):
        assert f"Error: {source} names " in process.stdout
    assert process.stdout.count(f"out of the folder of the audio to {advice}") >= 2
    assert not list(study.glob("resources/*/utterances.parquet"))
    assert not list(study.glob("results/predictions/**/*.parquet"))

    config["datasets"]["table"]["links"] = "anywhere"
    process = run(study, config, check=False)  # the other dataset is still refused
    assert process.returncode != 0
    found = predictions(study, "table")
    assert sorted(found.index) == sorted(FILES)
    assert found["linked.wav"] == found["folder/private.wav"] != found["inside.wav"]
    assert not list(study.glob("resources/database/utterances.parquet"))

    config["datasets"]["database"]["links"] = "anywhere"
    run(study, config)
    assert predictions(study, "database").equals(found)

    del config["datasets"]["table"]["links"]  # taking the key back is noticed
    process = run(study, config, check=False)
    assert process.returncode != 0
    assert "Error: mine.csv names " in process.stdout
