"""A study as Slurm jobs has the same results as on this machine, also after jobs were killed.

The tests need a Slurm (`sinfo`) whose nodes share the folder of the test. On one machine
`tests/cluster/slurm.sh start` sets one up.
"""

import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
import yaml
from snakemake_cli import ROOT, planned, snakemake, write_config
from voxslice.demo.corpus import publish
from voxslice.demo.practice import train

PREFIX = f"voxslicetest{os.getpid()}"
"""Prefix of the names of jobs, so that no other job is counted or cancelled."""
MODELS = ["practice_small", "practice_big"]
SHARDS = 3
INFERENCE = "rule_predict_wildcards_demo_"
"""Beginning of the comments of jobs that run a model on the original audio."""


@pytest.fixture(scope="module", autouse=True)
def slurm():
    """Cancel all jobs of these tests after the tests."""
    if not shutil.which("sinfo") or subprocess.run(["sinfo"], capture_output=True).returncode:
        pytest.skip("no Slurm answers to sinfo: try tests/cluster/slurm.sh start (as root)")
    yield
    cancel_all()


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """A small embedded study: two sentences, models with little training, three shards."""
    folder = tmp_path_factory.mktemp("made")
    publish(folder / "host", 0, sentences=["a01", "a02"])
    train(folder / "models", 0, voices_per_gender=4, sentences_per_voice=2)
    config = yaml.safe_load((ROOT / "config/demo.yaml").read_text(encoding="utf-8"))
    dataset = config["datasets"]["demo"]
    dataset["audb"]["repositories"][0]["host"] = str(folder / "host")
    dataset["shard_hours"] = 0.06  # ten minutes of audio: SHARDS shards
    del config["models"]["practice_emotion"], dataset["columns"]["arousal"]
    del dataset["columns"]["pitch"], dataset["columns"]["bandwidth"]
    # one condition, whose jobs are known after a checkpoint; the probe of the study is kept
    config["conditions"] = {"babble": {"noise": "babble", "snr": 10}}
    dataset |= {"conditions": ["babble"], "condition_models": ["practice_small"]}
    config["checks"][2]["on"] = {"gender": "female"}
    for name in MODELS:
        path = folder / "models" / name.removeprefix("practice_")
        config["models"][name] |= {"path": str(path), "tasks": ["gender"]}
    del config["tasks"]["age"]
    config["costs"] = {"durations": [1], "repetitions": 1, "seconds": 0}
    config["searches"] = {"subgroups": config["searches"]["subgroups"]}
    return write_config(folder / "demo.yaml", config)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, config):
    """Folder of the study after a run on this machine without Slurm."""
    folder = tmp_path_factory.mktemp("here")
    snakemake(folder, configfiles=[config])
    return folder


def start(folder, config):
    """Start the study on Slurm, two jobs at a time, as a process that writes to run.log."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
    command += ["--profile", "none", "--workflow-profile", ROOT / "profiles/slurm"]
    command += ["--directory", folder, "--configfile", config, "--jobs", 2, "--cores", 2]
    command += ["--slurm-jobname-prefix", PREFIX, "--latency-wait", 10]
    # a job takes about this long
    command += ["--slurm-init-seconds-before-status-checks", 8]
    with (folder / "run.log").open("w") as log:
        return subprocess.Popen(
            [str(part) for part in command], stdout=log, stderr=subprocess.STDOUT, cwd=ROOT
        )


def finish(process, seconds):
    """Wait for a run. A run that hangs is interrupted, which also ends its jobs."""
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
        raise


def jobs():
    """Id, state, and comment (rule and wildcards) of every job of these tests."""
    lines = subprocess.run(
        ["squeue", "--noheader", "--states=all", "--format=%A|%T|%j|%k"],
        capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    parts = [line.strip().split("|", 3) for line in lines]
    return [(job, state, text) for job, state, name, text in parts if name.startswith(PREFIX)]


def cancel_all():
    """Cancel the jobs of a killed run by their names, as in docs/cluster.md."""
    left = [job for job, state, _ in jobs() if state in ("PENDING", "RUNNING", "COMPLETING")]
    if left:
        subprocess.run(["scancel", *left], check=True)
    wait(lambda: all(s not in ("PENDING", "RUNNING", "COMPLETING") for _, s, _ in jobs()), 60)


def wait(true, seconds):
    """Wait until something is true, and return it."""
    end = time.monotonic() + seconds
    while not (result := true()):
        assert time.monotonic() < end, f"it did not happen within {seconds} s"
        time.sleep(0.2)
    return result


def in_state(state, text):
    return [(job, comment) for job, now, comment in jobs() if now == state and text in comment]


def cancel_inference():
    """Cancel a running job of inference, and return its comment. Others may end too early."""
    while True:
        job, what = wait(lambda: in_state("RUNNING", INFERENCE), 120)[0]
        subprocess.run(["scancel", job], check=True)
        ended = wait(
            lambda job=job: [
                state
                for other, state, _ in jobs()
                if other == job and state not in ("RUNNING", "COMPLETING")
            ],
            60,
        )
        if ended == ["CANCELLED"]:
            return what


def blocks(folder):
    """Number and name (see `planned`) of each job that was started, also in groups."""
    log = re.sub(r"^ *\[.*\]\n", "", (folder / "run.log").read_text("utf-8"), flags=re.MULTILINE)
    header = r"^ *(?:local)?(?:rule|checkpoint) (\w+):\n"
    for rule, block in re.findall(header + r"((?: +\w+: .*\n)+)", log, re.M):
        wildcards = re.search(r"^ +wildcards: (.*)$", block, re.M)
        if " output: " in block:
            name = f"{rule} {wildcards[1].replace(',', '') if wildcards else ''}".strip()
            yield re.search(r"^ +jobid: (\d+)$", block, re.M)[1], name


def started(folder):
    """How often a run started each job."""
    return Counter(name for _, name in blocks(folder))


def finished(folder):
    """The jobs that finished during a run."""
    ended = re.findall(r"^Finished jobid: (\d+) ", (folder / "run.log").read_text("utf-8"), re.M)
    return {name for number, name in blocks(folder) if number in ended}


def digests(folder):
    # costs are measurements, and the reports and their index show them
    measured = (
        "results/costs/*.csv",
        "results/report/index.html",
        "results/report/*/*.html",
        "results/report/*/*.tradeoff.csv",
    )
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted((folder / "results").rglob("*"))
        if path.is_file()
        and not any(path.relative_to(folder).match(pattern) for pattern in measured)
        and not path.name.startswith(".snakemake")
    }


def test_ended_and_started_again_gives_the_same_bytes(tmp_path, config, undisturbed):
    study = tmp_path / "study"
    study.mkdir()

    # one running job is cancelled, then, with some shards done, the main process is killed
    process = start(study, config)
    what = cancel_inference()
    wait(lambda: [comment for _, _, comment in jobs()].count(what) == 2, 300)
    wait(lambda: in_state("COMPLETED", INFERENCE) and in_state("RUNNING", INFERENCE), 300)
    process.kill()
    process.wait()

    # what docs/cluster.md tells a user to do
    cancel_all()
    snakemake(study, "--unlock", configfiles=[config])
    done = {comment for _, comment in in_state("COMPLETED", INFERENCE)}
    before, ended = started(study), finished(study)
    in_babble = {
        f"predict_in_condition dataset=demo model=practice_small condition=babble shard={shard}"
        for shard in range(SHARDS)
    }
    left = planned(study, configfiles=[config])
    process = start(study, config)
    code = finish(process, 600)
    assert code == 0, (study / "run.log").read_text(encoding="utf-8")[-6000:]

    assert digests(study) == digests(undisturbed)
    assert (study / "results/report/demo/gender.html").stat().st_size > 10_000
    # the cancelled job was tried again, and what was done before the kill was left alone
    model, shard = what.removeprefix(INFERENCE).rsplit("_", 1)
    again = f"predict dataset=demo model={model} shard={shard}"
    assert {job: count for job, count in before.items() if count > 1} == {again: 2}
    # jobs in a condition are planned after its talkers are chosen, perhaps after the kill
    ran = started(study)
    assert set(ran.values()) == {1}
    assert set(ran) - in_babble == set(left) - in_babble
    assert in_babble <= before.keys() | ran.keys()
    assert {"fetch_dataset dataset=demo", "list_utterances dataset=demo"} <= ended
    assert not ended & set(left)
    # a job that was cancelled may have written its shard, which is then not planned again
    shards = {
        re.sub(
            r"predict dataset=(.+) model=(.+) shard=(.+)", r"rule_predict_wildcards_\1_\2_\3", job
        )
        for job in left
        if job.startswith("predict ")
    }
    assert 0 < len(shards) <= len(MODELS) * SHARDS - len(done)
    assert {comment for _, comment in in_state("COMPLETED", INFERENCE)} == done | shards
    assert done and not done & shards

    # the folder may be moved, because it contains all records of Snakemake
    moved = study.rename(tmp_path / "moved")
    assert planned(moved, configfiles=[config]) == []
