"""Long recordings are divided into segments by config, and everything behind them follows."""

import copy
import hashlib
import os
import re
import shutil
import signal
import subprocess
import time

import numpy as np
import pandas as pd
import pytest
import yaml
from calls import call, utterances
from small_inputs import write_audio
from small_study import GENDER, write_models
from snakemake_cli import ROOT, command, planned, snakemake, write_config
from voxslice.files import read_csv

pytestmark = pytest.mark.workflow

NUMBERS = range(4)
RECIPES = ["files", "turns", "channels"]
"""Ids of the datasets of the recipes of docs/recordings.md, in their order."""
TABLES = {
    "files": ["file,gender,speaker", *(f"{number}.wav,female,s{number}" for number in NUMBERS)],
    "turns": ["file,gender", *(f"{number}.wav,female" for number in NUMBERS)],
    "channels": [
        "file,gender.agent,gender.customer,speaker.agent",
        *(f"{number}.wav,female,male,zoe" for number in NUMBERS),
    ],
}
"""Lines of the table of recordings of each recipe."""
METADATA = [f"resources/{name}/metadata.parquet" for name in RECIPES]
SCORES = "results/scores/files/gender/first.parquet"


def write_calls(folder):
    """Write four stereo calls, in which two people speak in turn, and their turns."""
    signals, turns = utterances(6), []
    for number in NUMBERS:
        mono, times = call([0.8, 6.0], signals[number : number + 2])
        middle = round((times[0, 1] + 2) * 16000)
        hum = 1e-4 * np.sin(np.arange(len(mono)))
        early = np.arange(len(mono)) < middle
        stereo = np.stack([np.where(early, mono, hum), np.where(early, hum, mono)], axis=1)
        write_audio(folder / "recordings" / f"{number}.wav", stereo)
        for (start, end), name in zip(times, ("zoe", f"customer-{number}"), strict=True):
            turns.append(f"SPEAKER {number} 1 {start:.3f} {end - start:.3f} <NA> <NA> {name} <NA>")
    (folder / "turns.rttm").write_text("\n".join(turns) + "\n")


def recipes():
    """The datasets of docs/recordings.md, each with an id and a table of its own."""
    text = (ROOT / "docs/recordings.md").read_text("utf-8")
    blocks = re.findall(r"```yaml\n(datasets:.*?)```", text, re.DOTALL)
    datasets = {}
    for name, block in zip(RECIPES, blocks, strict=True):
        datasets[name] = yaml.safe_load(block.replace("calls.csv", f"{name}.csv"))["datasets"][
            "calls"
        ]
    return datasets


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A finished study of all recipes, and its config."""
    folder = tmp_path_factory.mktemp("study")
    write_calls(folder)
    for name, lines in TABLES.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    config = {
        "datasets": recipes(),
        "models": {"first": write_models(folder, ["first"])["first"] | {"tasks": ["gender"]}},
        "tasks": {"gender": GENDER},
        "searches": {"metadata": {"finder": "subgroups", "features": ["gender"]}},
    }
    configfile = write_config(folder / "study.yaml", config)
    snakemake(folder, *METADATA, SCORES, configfiles=[configfile])
    return folder, config


def metadata_of(study, name):
    return pd.read_parquet(study[0] / f"resources/{name}/metadata.parquet")


def digests(folder):
    paths = sorted((folder / "resources/files").rglob("*"))
    paths.append(folder / "results/recordings/files.csv")
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in paths
        if path.is_file() and path.name != "seen.json"  # has the times of the copied recordings
    }


def test_the_recipe_of_labels_per_file(study):
    metadata = metadata_of(study, "files")
    assert list(metadata["speaker"]) == [f"s{number}" for number in NUMBERS for _ in range(2)]
    assert set(metadata["gender"]) == {"female"}


def test_the_recipe_of_turns(study):
    metadata = metadata_of(study, "turns")
    assert list(metadata["speaker"]) == [
        name for number in NUMBERS for name in ("zoe", f"customer-{number}")
    ]


def test_the_recipe_of_channels(study):
    metadata = metadata_of(study, "channels")
    assert list(metadata["channel"]) == ["agent", "customer"] * 4
    assert list(metadata["gender"]) == ["female", "male"] * 4
    # without `speaker.customer`, each customer is a separate speaker
    assert metadata["speaker"].nunique() == 5
    assert (metadata["start"] < 2).sum() == 4


def test_segments_are_the_utterances(study):
    metadata = metadata_of(study, "files")
    assert list(metadata.groupby("file").size()) == [2, 2, 2, 2]
    scores = pd.read_parquet(study[0] / SCORES)
    assert len(scores) == len(metadata)
    overview = read_csv(study[0] / "results/recordings/files.csv")
    assert list(overview["segments"]) == [2, 2, 2, 2]


def test_other_lengths_do_not_read_the_audio_again(study, tmp_path):
    folder, config = study
    changed = copy.deepcopy(config)
    changed["datasets"]["files"]["segment"]["min"] = 2
    configfile = write_config(tmp_path / "study.yaml", changed)
    jobs = {job.split()[0] for job in planned(folder, SCORES, configfiles=[configfile])}
    assert "segment_recordings" in jobs
    assert not {"list_recordings", "split_recordings", "detect_speech"} & jobs
    configfile = write_config(tmp_path / "study.yaml", config)
    assert planned(folder, *METADATA, SCORES, configfiles=[configfile]) == []


def test_a_run_that_is_killed_during_segmentation_has_the_same_results(study, tmp_path):
    folder = tmp_path / "study"
    shutil.copytree(study[0], folder, symlinks=True)
    for name in ("speech", "segments.parquet", "utterances.parquet", "metadata.parquet"):
        path = folder / "resources/files" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.rmtree(folder / "logs/detect_speech/files")
    settings = {"configfiles": [folder / "study.yaml"]}
    with (tmp_path / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            command(folder, METADATA[0], **settings),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=ROOT,
        )
        while process.poll() is None and not list(folder.glob("logs/detect_speech/files/*.log")):
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert not (folder / "resources/files/segments.parquet").exists()
    assert not list(folder.glob("resources/files/speech/*.parquet"))
    snakemake(folder, "--nolock", "--rerun-incomplete", METADATA[0], **settings)
    assert digests(folder) == digests(study[0])
