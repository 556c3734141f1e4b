"""After an edit, all tables equal those of a new study that runs on the edited inputs."""

import copy
import os
import shutil

import audformat
import pandas as pd
import pytest
from small_inputs import noise, publish, write_audio, write_model
from small_study import GENDER
from snakemake_cli import jobs_of, planned, snakemake, write_config

pytestmark = pytest.mark.workflow

MODES, HINTS = "results/modes/table/gender.csv", "results/audit/table/gender.hints.csv"
SEARCHES, FOUND_UNITS = "results/study/searches.csv", "results/units/table/gender.csv"
GOALS = [
    *("datasets", "audits", "predictions", "metrics", "slices"),
    *(SEARCHES, MODES, HINTS, FOUND_UNITS),
]
PAGES = ["results/report/table/gender.html", "results/spotlight/table/gender/table.parquet"]
SPEAKERS = {"a": "female", "b": "male", "c": "female", "d": "male"}
FILES = [f"wav/{speaker}{take}.wav" for speaker in SPEAKERS for take in range(4)]
METADATA = pd.DataFrame(
    {
        "file": FILES,
        "speaker": [file[4] for file in FILES],
        "gender": [SPEAKERS[file[4]] for file in FILES],
        "emotion": [["anger", "neutral"][int(file[5]) % 2] for file in FILES],
    }
)


def write_voices(folder, *, seed=0):
    for number, file in enumerate(FILES):
        write_audio(folder / file, (0.1 + number / 20) * noise(0.3, seed=100 * seed + number))


def database(folder, metadata=METADATA):
    db = audformat.Database("voices", license="CC0-1.0")
    db["files"] = audformat.Table(audformat.filewise_index(list(metadata["file"])))
    for name in ["speaker", "gender", "emotion"]:
        db["files"][name] = audformat.Column()
        db["files"][name].set(metadata[name].to_list())
    if folder:
        db.save(str(folder))
    return db


def write_predictions(path, wrong):
    other = METADATA["gender"].map({"female": "male", "male": "female"})
    answers = METADATA["gender"].where(~METADATA["file"].isin(wrong), other)
    pd.DataFrame({"file": FILES, "gender": answers}).to_csv(path, index=False)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Folder with all inputs, which tests edit."""
    folder = tmp_path_factory.mktemp("inputs")
    for name in ("table", "database"):
        write_voices(folder / name)
    METADATA.to_csv(folder / "table.csv", index=False)
    database(folder / "database")
    for version in range(2):
        write_voices(folder / f"build{version}", seed=version)
        publish(database(None), folder / f"build{version}", folder / f"host{version}")
    write_model(folder / "model")
    write_predictions(folder / "given.csv", FILES[:2])
    return folder


@pytest.fixture(scope="module")
def config(inputs):
    names = ["speaker", "gender", "emotion"]
    columns = {name: {"table": "files", "column": name} for name in names}
    common = {"license": "CC0-1.0", "shard_hours": 2.5 / 3600}
    level = {"level": {"measure": "snr"}}
    place = {"name": "local", "host": str(inputs / "host0"), "backend": "file-system"}
    audb = {"name": "voices", "version": "1.0.0", "repositories": [place]}
    return {
        "resamples": 200,
        "costs": {"durations": [0.3], "repetitions": 1, "seconds": 0},
        "datasets": {
            "table": {
                "csv": {"path": str(inputs / "table.csv"), "audio": str(inputs / "table")},
                "columns": {name: {"column": name} for name in names} | level,
                **common,
            },
            "database": {
                "audformat": {"path": str(inputs / "database")},
                "table": "files",
                "columns": columns | level,
                **common,
            },
            "published": {"audb": audb, "table": "files", "columns": columns, **common},
        },
        "models": {
            "tiny": {"path": str(inputs / "model"), "tasks": ["gender"], "license": "MIT"},
            "given": {
                "predictions": {"table": str(inputs / "given.csv")},
                "tasks": ["gender"],
                "license": "MIT",
            },
        },
        "tasks": {"gender": {**GENDER}},
        "searches": {
            "metadata": {
                "finder": "subgroups",
                "features": ["emotion", "level"],
                "min_support": 3,
            }
        },
    }


def keep_times(path, edit):
    """Edit a file and keep its modification time, as `cp -p`, `rsync -a` and archives do."""
    state = path.stat()
    edit(path)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def swap(first, second):
    for path in (first, second):  # as files that were unpacked in one second
        os.utime(path, (1_700_000_000,) * 2)
    spare = first.with_suffix(".spare")
    first.rename(spare)
    second.rename(first)
    spare.rename(second)


def edit_audio(inputs, config):
    """Edits of audio: swap the names of two clips, replace one clip, or replace all clips."""
    swap(inputs / "table/wav/a0.wav", inputs / "table/wav/a3.wav")
    path = inputs / "database/wav/d1.wav"
    keep_times(path, lambda path: write_audio(path, noise(0.3, seed=77)))
    place = config["datasets"]["published"]["audb"]["repositories"][0]
    place["host"] = str(inputs / "host1")


def edit_the_rest(inputs, config):
    """Edits of tables, predictions and a model with unchanged times, and of the config."""
    other = METADATA.assign(emotion=METADATA["emotion"].to_list()[::-1])
    other["gender"] = other["gender"].mask(other["speaker"] == "b", "female")
    keep_times(inputs / "table.csv", lambda path: other.to_csv(path, index=False))
    times = {path: path.stat().st_mtime_ns for path in (inputs / "database").glob("db.*")}
    database(inputs / "database", other)
    for path, time in times.items():
        os.utime(path, ns=(time, time))
    keep_times(inputs / "given.csv", lambda path: write_predictions(path, FILES[3:9]))

    def write(path):
        write_model(inputs / "model", labels={"logits_gender": ["female", "male", "child"]})

    keep_times(inputs / "model/model.onnx", write)
    config["searches"]["metadata"]["min_support"] = 4


STEPS = [edit_audio, edit_the_rest]


def tables(folder):
    """Content by path of all tables of a study, except tables that not every run writes."""
    found = [*folder.glob("results/**/*.*"), *folder.glob("resources/*/metadata.parquet")]
    kinds = {".csv", ".parquet", ".json"}
    skipped = {"abstention", "checks", "comparison", "costs", "report", "speakers", "spotlight"}
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in found
        if path.suffix in kinds and path.relative_to(folder).parts[1] not in skipped
    }


@pytest.fixture(scope="module")
def run(tmp_path_factory, inputs, config):
    """Run a study, edit its inputs, and run it again with and without the default profile.

    Returns:
        For each edit and each of the two studies: its tables, the tables of a new study, and the
        jobs that ran after the edit.
    """
    config, results = copy.deepcopy(config), []
    studies = {profile: tmp_path_factory.mktemp("edited") for profile in (True, False)}
    path = inputs / "study.yaml"
    write_config(path, config)
    snakemake(studies[True], *GOALS, *PAGES, configfiles=[path])
    shutil.copytree(studies[True], studies[False], dirs_exist_ok=True)
    for step in STEPS:
        step(inputs, config)
        write_config(path, config)
        fresh = tmp_path_factory.mktemp("fresh")
        snakemake(fresh, *GOALS, configfiles=[path])
        for profile, study in studies.items():
            goals = [*GOALS, *PAGES] if profile and step is edit_audio else GOALS
            jobs = jobs_of(snakemake(study, *goals, configfiles=[path], profile=profile))
            left = planned(study, *goals, configfiles=[path], profile=profile)
            results.append((step, profile, tables(study), tables(fresh), jobs, left))
        shutil.rmtree(fresh)
    return results


def test_all_tables_are_those_of_a_fresh_study(run):
    for step, profile, edited, fresh, _, _ in run:
        different = [name for name in fresh if edited.get(name) != fresh[name]]
        assert different == [] and edited.keys() == fresh.keys(), (step.__name__, profile)
    assert len(run[0][3]) > 25


def test_nothing_is_left_to_do(run):
    assert [left for *_, left in run] == [[] for _ in run]


@pytest.mark.parametrize(("dataset", "shard"), [("table", 0), ("database", 1)])
def test_only_the_shard_whose_audio_changed_is_scored_and_measured_again(run, dataset, shard):
    for *_, jobs, _ in run[:2]:
        measured = [job for job in jobs if job.startswith(f"measure_speech dataset={dataset}")]
        assert measured == [f"measure_speech dataset={dataset} shard={shard}"]
        scored = [job for job in jobs if job.startswith(f"predict dataset={dataset}")]
        assert scored == [f"predict dataset={dataset} model=tiny shard={shard}"]


def test_other_steps_that_read_audio_run_again(run):
    jobs = run[0][4]
    assert "make_report dataset=table task=gender" in jobs
    assert "make_view dataset=table task=gender" in jobs
