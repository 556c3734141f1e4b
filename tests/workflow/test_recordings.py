"""Long recordings are divided into segments by config, and everything behind them follows."""

import copy
import hashlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from calls import call, utterances
from small_inputs import write_audio
from small_study import GENDER, write_models
from snakemake_cli import ROOT, command, planned, snakemake, write_config
from voxslice.files import read_csv

pytestmark = pytest.mark.workflow

SEGMENT = {"by": "silero", "min": 3, "max": 10, "join": 0.5}
TABLES = ["resources/calls/metadata.parquet", "results/scores/calls/gender/first.parquet"]


def study(folder):
    """Write four stereo calls, in which two people speak in turn; return a config."""
    signals, rows, turns = utterances(6), [], []
    for number in range(4):
        mono, times = call([0.8, 6.0], signals[number : number + 2])
        middle = round((times[0, 1] + 2) * 16000)
        hum = 1e-4 * np.sin(np.arange(len(mono)))
        early = np.arange(len(mono)) < middle
        stereo = np.stack([np.where(early, mono, hum), np.where(early, hum, mono)], axis=1)
        write_audio(folder / "calls" / f"{number}.wav", stereo)
        rows.append([f"{number}.wav", ["female", "male"][number % 2]])
        for (start, end), name in zip(times, ("zoe", f"customer-{number}"), strict=True):
            turns.append(f"SPEAKER {number} 1 {start:.3f} {end - start:.3f} <NA> <NA> {name} <NA>")
    pd.DataFrame(rows, columns=["file", "gender"]).to_csv(folder / "calls.csv", index=False)
    (folder / "turns.rttm").write_text("\n".join(turns) + "\n")
    models = {"first": write_models(folder, ["first"])["first"] | {"tasks": ["gender"]}}
    return {
        "resamples": 100,
        "datasets": {
            "calls": {
                "csv": {"path": str(folder / "calls.csv"), "audio": str(folder / "calls")},
                "columns": {"gender": {"column": "gender"}},
                "segment": SEGMENT,
                "license": "CC0-1.0",
            }
        },
        "models": models,
        "tasks": {"gender": GENDER},
        "searches": {"metadata": {"finder": "subgroups", "features": ["gender"]}},
    }


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    return study(tmp_path_factory.mktemp("inputs"))


def with_dataset(config, folder, **settings):
    """Write a config whose dataset has further settings; None removes one."""
    changed = copy.deepcopy(config)
    dataset = changed["datasets"]["calls"] | settings
    changed["datasets"]["calls"] = {key: own for key, own in dataset.items() if own is not None}
    return [write_config(folder / "study.yaml", changed)]


@pytest.fixture(scope="module")
def finished(config, tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    snakemake(folder, *TABLES, configfiles=with_dataset(config, folder))
    return folder


def digests(folder):
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for top in ("resources/calls", "results")
        for path in sorted((folder / top).rglob("*"))
        if path.is_file()
    }


def rules(jobs):
    return {job.split()[0] for job in jobs}


def test_segments_are_the_utterances(finished):
    metadata = pd.read_parquet(finished / "resources/calls/metadata.parquet")
    assert list(metadata.groupby("file").size()) == [2, 2, 2, 2]
    assert list(metadata["gender"][::2]) == ["female", "male", "female", "male"]
    assert list(metadata["speaker"]) == list(metadata["file"])
    scores = pd.read_parquet(finished / TABLES[1])
    assert len(scores) == len(metadata)
    overview = read_csv(finished / "results/recordings/calls.csv")
    assert list(overview["segments"]) == [2, 2, 2, 2]


def test_other_lengths_do_not_read_the_audio_again(finished, config, tmp_path):
    files = with_dataset(config, tmp_path, segment={**SEGMENT, "min": 2})
    jobs = rules(planned(finished, *TABLES, configfiles=files))
    assert "segment_recordings" in jobs
    assert not {"list_recordings", "split_recordings", "detect_speech"} & jobs
    assert planned(finished, *TABLES, configfiles=with_dataset(config, tmp_path)) == []


def recipe(number, inputs, folder, table):
    """Follow a recipe of docs/recordings.md in a folder; return the metadata."""
    text = (ROOT / "docs/recordings.md").read_text("utf-8")
    block = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)[number]
    (folder / "recipe.yaml").write_text(block)
    (folder / "calls.csv").write_text(table)
    (folder / "recordings").symlink_to(inputs / "calls")
    (folder / "turns.rttm").write_text((inputs / "turns.rttm").read_text())
    snakemake(folder, TABLES[0], configfiles=[inputs / "base.yaml", folder / "recipe.yaml"])
    return pd.read_parquet(folder / TABLES[0])


@pytest.fixture(scope="module")
def inputs(config):
    folder = Path(config["datasets"]["calls"]["csv"]["path"]).parent
    base = {key: value for key, value in config.items() if key != "datasets"}
    write_config(folder / "base.yaml", base | {"datasets": {}})
    return folder


def test_the_recipe_of_labels_per_file(inputs, tmp_path):
    rows = [f"{number}.wav,female,s{number}\n" for number in range(4)]
    metadata = recipe(0, inputs, tmp_path, "file,gender,speaker\n" + "".join(rows))
    assert list(metadata["speaker"]) == [f"s{number}" for number in range(4) for _ in range(2)]


def test_the_recipe_of_turns(inputs, tmp_path):
    rows = [f"{number}.wav,female\n" for number in range(4)]
    metadata = recipe(1, inputs, tmp_path, "file,gender\n" + "".join(rows))
    assert list(metadata["speaker"]) == [
        name for number in range(4) for name in ("zoe", f"customer-{number}")
    ]


def test_the_recipe_of_channels(inputs, tmp_path):
    rows = [f"{number}.wav,female,male,zoe\n" for number in range(4)]
    head = "file,gender.agent,gender.customer,speaker.agent\n"
    metadata = recipe(2, inputs, tmp_path, head + "".join(rows))
    assert list(metadata["channel"]) == ["agent", "customer"] * 4
    assert list(metadata["gender"]) == ["female", "male"] * 4
    assert metadata["speaker"].nunique() == 5
    assert (metadata["start"] < 2).sum() == 4


def test_a_run_that_is_killed_during_segmentation_has_the_same_results(finished, config, tmp_path):
    files = with_dataset(config, tmp_path)
    with (tmp_path / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            command(tmp_path, *TABLES, configfiles=files),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=ROOT,
        )
        while process.poll() is None and not list(tmp_path.glob("logs/detect_speech/*/*.log")):
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert not (tmp_path / "resources/calls/segments.parquet").exists()
    snakemake(tmp_path, "--unlock", configfiles=files)
    snakemake(tmp_path, "--rerun-incomplete", *TABLES, configfiles=files)
    assert digests(tmp_path) == digests(finished)
