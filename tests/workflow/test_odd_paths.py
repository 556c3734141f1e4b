"""Folders and files with characters that have a special meaning in Snakemake, Python or a shell."""

import html
import re
import shlex
import subprocess
import sys

import pandas as pd
import pytest
from small_inputs import noise, write_audio
from snakemake_cli import snakemake, write_config
from voxslice.files import read_csv

pytestmark = pytest.mark.workflow


def write_study(folder, place):
    """Write a study of predictions to a path with special characters; two of eight are wrong."""
    table = pd.DataFrame({"file": [f"{n}{{x}}.wav" for n in range(8)], "gender": ["f", "m"] * 4})
    for file in table["file"]:
        write_audio(folder / place / file, noise(0.2))
    table.to_csv(folder / place / "mine.csv", index=False)
    wrong = table.assign(gender=["m"] * 3 + ["m", "f", "m", "f", "m"])
    wrong.to_csv(folder / place / "theirs.csv", index=False)
    return {
        "resamples": 100,
        "datasets": {
            "mine": {
                "csv": {"path": f"{place}/mine.csv", "audio": place},
                "columns": {"gender": {"column": "gender"}},
                "license": "MIT",
            }
        },
        "models": {
            "theirs": {
                "predictions": {"mine": f"{place}/theirs.csv"},
                "tasks": ["gender"],
                "license": "MIT",
            }
        },
        "tasks": {"gender": {"type": "classification", "target": "gender", "labels": ["f", "m"]}},
        "searches": {},
    }


@pytest.mark.parametrize("place", ["a b/'q' \"d\" {}", "x*[1]? $y & ;#%(1)\\z/ü{a b}"])
def test_a_study_in_an_odd_place_is_measured(tmp_path, place):
    path = write_config(tmp_path / "config.yaml", write_study(tmp_path, place))
    snakemake(tmp_path, "metrics", configfiles=[path])
    metrics = read_csv(tmp_path / "results/metrics/mine/gender.csv").set_index(["model", "metric"])
    assert metrics.loc[("theirs", "accuracy"), "n"] == 8
    assert metrics.loc[("theirs", "accuracy"), "value"] == 6 / 8
    utterances = pd.read_parquet(tmp_path / "resources/mine/utterances.parquet")
    assert utterances["duration"].to_list() == [0.2] * 8


def test_the_command_of_a_report_works_where_the_results_are(tmp_path):
    study, elsewhere = tmp_path / "a study", tmp_path / "config's"
    study.mkdir(), elsewhere.mkdir()
    path = write_config(elsewhere / "config.yaml", write_study(study, "data"))
    target = "results/report/mine/gender.html"
    process = snakemake(study, target, configfiles=[path])
    assert f"Report: {study / target}\n" in process.stdout  # where a run ends
    page = (study / target).read_text(encoding="utf-8")
    command = html.unescape(re.search("<pre><code>(.*?)</code></pre>", page, re.DOTALL)[1])
    assert str(tmp_path) not in page  # the page may be sent to others
    assert not any(word.startswith("/") for word in shlex.split(command))
    words = [sys.executable, "-m", *shlex.split(command), "--dry-run", "--profile", "none"]
    again = subprocess.run(words, cwd=study, capture_output=True, text=True, check=False)
    assert again.returncode == 0 and "Nothing to be done" in again.stdout + again.stderr, again


def test_a_wildcard_in_a_path_is_one_sentence(tmp_path):
    path = write_config(tmp_path / "config.yaml", write_study(tmp_path, "data {v1}"))
    process = snakemake(tmp_path, "metrics", configfiles=[path], check=False)
    assert process.returncode == 1 and "Traceback" not in process.stdout
    assert "datasets.mine.csv.path: 'data {v1}/mine.csv' has '{v1}', which" in process.stdout
