"""Changes of local data that run inference again, and changes that do not."""

import os

import audformat
import pandas as pd
import pytest
import yaml
from small_inputs import noise, write_audio, write_model
from small_study import GENDER
from snakemake_cli import move, planned, snakemake, write_config

pytestmark = pytest.mark.workflow

GOALS = ["datasets", "predictions"]
FILES = {"table": ["a.wav", "b c.wav", "other.wav"], "database": ["wav/a.wav", "wav/b.flac"]}


@pytest.fixture(scope="module")
def config():
    column = {"table": "files", "column": "speaker"}
    return {
        "datasets": {
            "table": {
                "csv": {"path": "mine.csv", "audio": "table"},
                "columns": {"speaker": {"column": "who"}, "split": {"column": "split"}},
                "filter": {"split": ["test"]},
                "license": "MIT",
            },
            "database": {
                "audformat": {"path": "database"},
                "table": "files",
                "columns": {"speaker": column},
                "license": "MIT",
            },
        },
        "models": {"tiny": {"path": "model", "tasks": ["who"], "license": "MIT"}},
        "tasks": {"who": GENDER | {"target": "speaker"}},
        "searches": {},
    }


@pytest.fixture(scope="module")
def study(tmp_path_factory, config):
    folder = tmp_path_factory.mktemp("local data")
    write_model(folder / "model")
    for name, files in FILES.items():
        for number, file in enumerate(files):
            write_audio(folder / name / file, noise(0.3, seed=number))
    table = pd.DataFrame({"file": FILES["table"], "who": ["male", "female", "male"]})
    table.assign(split=["test", "test", "dev"]).to_csv(folder / "mine.csv", index=False)
    db = audformat.Database("mine")
    db["files"] = audformat.Table(audformat.filewise_index(FILES["database"]))
    db["files"]["speaker"] = audformat.Column()
    db["files"]["speaker"].set(["male", "female"])
    db.save(str(folder / "database"))
    write_config(folder / "study.yaml", config)
    snakemake(folder, *GOALS, configfiles=[folder / "study.yaml"])
    return folder


@pytest.fixture
def plan(study):
    """A function that plans the study. Changes of a test are undone after the test."""
    paths = [path for path in study.glob("[mtd]*/**/*") if path.is_file()] + [study / "mine.csv"]
    before = {path: (path.read_bytes(), path.stat()) for path in paths}
    # whatever their size: Snakemake itself compares the content of small inputs
    goals = [*GOALS, "--max-checksum-file-size", "1"]
    yield lambda: planned(study, *goals, configfiles=[study / "study.yaml"])
    for path, (content, state) in before.items():
        path.write_bytes(content)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def listed_again(jobs, dataset):
    """Whether the utterances of a dataset are listed again, which may rerun all further steps."""
    one = all(job.split()[1] == f"dataset={dataset}" for job in jobs)
    return one and f"list_utterances dataset={dataset}" in jobs


def test_utterances_are_those_of_the_filter_and_nothing_is_copied(study, plan):
    for name, files in {**FILES, "table": FILES["table"][:2]}.items():
        scored = pd.read_parquet(study / f"results/predictions/{name}/tiny/0.parquet")
        assert scored["file"].to_list() == files
        assert not list(study.glob("resources/**/*.wav"))
    assert plan() == []


def test_metadata_of_a_csv_reruns_no_inference(study, plan):
    text = (study / "mine.csv").read_text(encoding="utf-8")
    (study / "mine.csv").write_text(text.replace("female", "other") + "new.wav,me,train\n")
    (study / "table/other.wav").write_bytes(b"not in the filter")
    assert plan() == ["read_metadata dataset=table"]


@pytest.mark.parametrize(
    ("dataset", "file"), [("table", "table/b c.wav"), ("database", "database/wav/b.flac")]
)
def test_audio_that_changes_is_scored_again(study, plan, dataset, file):
    write_audio(study / file, noise(0.2))
    assert listed_again(plan(), dataset)


def test_audio_that_is_touched_or_copied_is_not_scored_again(study, plan):
    (study / "table/b c.wav").touch()
    path = study / "database/wav/b.flac"
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    assert plan() == []


def test_local_data_that_moves_with_its_study_is_the_same(study, tmp_path):
    moved = move(study, tmp_path / "moved")
    assert planned(moved, *GOALS, configfiles=[moved / "study.yaml"]) == []


def test_a_model_that_is_touched_is_the_same_and_one_that_changes_is_not(study, plan):
    for path in study.glob("model/*"):
        path.touch()
    assert plan() == []
    write_model(study / "model", labels={"logits_gender": ["a", "b", "c"]})
    jobs = plan()
    assert "fetch_model model=tiny" in jobs and "predict dataset=table model=tiny shard=0" in jobs
    assert not any(job.startswith("list_utterances") for job in jobs)


def test_a_new_row_of_a_csv_is_scored(study, plan):
    text = (study / "mine.csv").read_text(encoding="utf-8")
    (study / "mine.csv").write_text(text.replace("dev", "test"))
    assert listed_again(plan(), "table")


def test_changed_audio_has_new_predictions(study):
    path = study / "results/predictions/table/tiny/0.parquet"
    before = pd.read_parquet(path).set_index("file")["male"]
    write_audio(study / "table/a.wav", noise(0.2, seed=9))
    (study / "table/b c.wav").unlink()
    config = yaml.safe_load((study / "study.yaml").read_text(encoding="utf-8"))
    path_of_config = write_config(study / "study.yaml", {**config, "failures_tolerated": 0.5})
    snakemake(study, *GOALS, configfiles=[path_of_config])
    after = pd.read_parquet(path).set_index("file")["male"]
    assert list(after.index) == ["a.wav"] and after["a.wav"] != before["a.wav"]
