"""A study that is killed at any moment and started again has the same results."""

import hashlib
import os
import re
import signal
import subprocess
import time
import zipfile
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from endless_models import write_endless
from small_inputs import write_audio
from small_study import study_config
from snakemake_cli import command, planned, snakemake, write_config

pytestmark = pytest.mark.workflow

OF_SHARDS = {"predict", "measure_speech", "examine_audio"}
"""Rules with one job per shard."""
MOMENTS = [  # while a job of the rule runs, as soon as such a file is there
    ("fetch_model", "logs/fetch_model/*.log"),
    ("fetch_model", "temporary/*/model/*/large"),  # while an archive is unpacked
    ("list_utterances", "logs/list_utterances/*.log"),
    ("predict", "logs/predict/*/*/*.log"),
    ("find_slices", "logs/find_slices/*/*/*.log"),
    ("compare", "logs/compare/*/*.log"),
    ("make_report", "logs/make_report/*/*.log"),
]


@pytest.fixture(scope="module")
def configfiles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inputs")
    config = study_config(folder)
    del config["tasks"]["age"]
    for name, model in config["models"].items():
        model["tasks"] = ["gender"]
        with zipfile.ZipFile(folder / f"{name}.zip", "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{name}/large", bytes(90_000_000))  # takes a moment to unpack
    return [write_config(folder / "study.yaml", config)]


def results(folder):
    """Digests of the results, except costs, which are measured, and reports, which show costs."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for top in ("resources", "results")
        for path in sorted((folder / top).rglob("*"))
        if path.is_file() and not {"costs", "report"} & set(path.parts)
    }


def processes(folder):
    """Processes that work in a folder or name it on their command line."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                line = (process / "cmdline").read_bytes()
                place = (process / "cwd").readlink()
            except OSError:
                continue  # it has ended
            if str(folder).encode() in line or place.is_relative_to(folder):
                found.append(process.name)
    return found


def kill_during(folder, files, configfiles):
    """Start a study, kill all its processes when a file of the job appears, return its output."""
    already, output = set(folder.glob(files)), folder / "output.txt"
    (folder / "temporary").mkdir(exist_ok=True)
    with output.open("wb") as file:
        process = subprocess.Popen(
            command(folder, configfiles=configfiles),
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "TMPDIR": str(folder / "temporary")},
        )
        begin = time.monotonic()
        while set(folder.glob(files)) <= already:
            assert process.poll() is None, output.read_text()[-3000:]
            assert time.monotonic() - begin < 300
            time.sleep(0.002)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    while processes(folder):
        time.sleep(0.05)
    return output.read_text()


def by_rule(jobs):
    return Counter(job.split()[0] for job in jobs)


def test_killed_at_every_step(tmp_path, configfiles):
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    undisturbed.mkdir()
    killed.mkdir()
    snakemake(undisturbed, configfiles=configfiles)
    todo = by_rule(planned(killed, configfiles=configfiles))
    for rule, files in MOMENTS:
        output = kill_during(killed, files, configfiles)
        finished = Counter(re.findall(r"^Finished jobid: \d+ \(Rule: (\w+)\)", output, re.M))
        snakemake(killed, "--unlock", configfiles=configfiles)
        rest = by_rule(planned(killed, configfiles=configfiles))
        assert rest[rule] >= 1
        todo -= finished
        # what has ended is not done again; jobs of shards are planned once the shards are known
        again = [name for name in rest if rest[name] > todo[name]]
        assert [name for name in again if name not in OF_SHARDS or todo[name]] == []
        todo = rest
    snakemake(killed, configfiles=configfiles)
    assert results(killed) == results(undisturbed)
    assert planned(killed, configfiles=configfiles) == []


@pytest.fixture(scope="module")
def long_study(tmp_path_factory):
    """Config of a study with a model that never ends on audio, and with ten minutes of costs."""
    folder = tmp_path_factory.mktemp("long")
    names = [f"{number}.wav" for number in range(4)]
    for name in names:
        write_audio(folder / "audio" / name, np.full(1600, 0.5, np.float32))
    rows = [f"{name},{label}" for name, label in zip(names, ["female", "male"] * 2, strict=True)]
    (folder / "calls.csv").write_text("\n".join(["file,gender", *rows]) + "\n")
    write_endless(folder / "model", above=0.2)
    config = {
        "costs": {"durations": [1], "seconds": 600},
        "datasets": {
            "calls": {
                "csv": {"path": str(folder / "calls.csv"), "audio": str(folder / "audio")},
                "columns": {"gender": {"column": "gender"}},
                "license": "MIT",
            }
        },
        "models": {"mine": {"path": str(folder / "model"), "tasks": ["gender"], "license": "MIT"}},
        "tasks": {
            "gender": {
                "type": "classification",
                "target": "gender",
                "output": "level",
                "labels": ["female", "male"],
            }
        },
        "searches": {"metadata": {"finder": "subgroups", "features": ["gender"]}},
    }
    return write_config(folder / "study.yaml", config)


@pytest.mark.parametrize(
    ("target", "log", "is_group", "signals"),
    [
        ("predictions", "logs/predict/calls/mine/0.log", True, 1),
        ("predictions", "logs/predict/calls/mine/0.log", True, 2),
        ("predictions", "logs/predict/calls/mine/0.log", False, 2),
        ("costs", "logs/measure_costs/mine.log", True, 2),
        ("costs", "logs/measure_costs/mine.log", False, 2),
    ],
)
def test_ctrl_c_leaves_no_process(tmp_path, long_study, target, log, is_group, signals):
    """A terminal interrupts all processes of a group; `kill -INT` interrupts only the main one."""
    with (tmp_path / "output.txt").open("wb") as file:
        process = subprocess.Popen(
            command(tmp_path, target, configfiles=[long_study]),
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            # a shell lets jobs in the background ignore Ctrl-C, and tests may be one
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
    begin = time.monotonic()
    while not (tmp_path / log).exists():
        assert process.poll() is None, (tmp_path / "output.txt").read_text()[-3000:]
        assert time.monotonic() - begin < 120
        time.sleep(0.05)
    time.sleep(4)  # the model computes
    assert len(processes(tmp_path)) >= 2
    for _ in range(signals):
        with suppress(ProcessLookupError):  # it may have ended by the first one
            (os.killpg if is_group else os.kill)(process.pid, signal.SIGINT)
        time.sleep(1)
    begin = time.monotonic()
    try:
        while processes(tmp_path):
            process.poll()  # else it stays as a zombie
            assert time.monotonic() - begin < 20
            time.sleep(0.1)
    finally:
        for left in processes(tmp_path):
            os.kill(int(left), signal.SIGKILL)
    assert process.wait() != 0
    assert not list((tmp_path / "results").rglob("*.parquet"))
