"""Jobs request more memory and time for larger inputs, and more with each attempt."""

import os
import re

import pandas as pd
import pytest
from small_inputs import noise, write_audio, write_model
from small_study import GENDER
from snakemake_cli import snakemake, write_config

pytestmark = pytest.mark.workflow

UTTERANCES = {
    "few": [2.0] * 3,
    "many": [2.0] * 30_000,
    "long": [2.0, 60.0],
    "cut": [2.0, 600.0],
}


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """Datasets without audio, one shard each, and two models of which only the size matters."""
    folder = tmp_path_factory.mktemp("resources")
    datasets, models = {}, {}
    for name, seconds in UTTERANCES.items():
        table = pd.DataFrame({"file": [f"{row:06}.wav" for row in range(len(seconds))]})
        table.assign(start=0, end=seconds, who="male").to_csv(folder / f"{name}.csv", index=False)
        datasets[name] = {
            "csv": {"path": str(folder / f"{name}.csv"), "audio": str(folder)},
            "columns": {"speaker": {"column": "who"}},
            "shard_hours": 1000,
            "license": "MIT",
        }
    for name in ("small", "big"):
        models[name] = {"path": str(write_model(folder / name)), "tasks": ["who"], "license": "MIT"}
    task = GENDER | {"target": "speaker"}
    return {"datasets": datasets, "models": models, "tasks": {"who": task}, "searches": {}}


def asked(process):
    """Threads, memory (MB) and minutes of the jobs of a dry run, by rule and wildcards."""
    found = {}
    for block in re.split(r"\n(?=\[|rule )", process.stdout):
        rule = re.search(r"^rule (\w+):", block, re.MULTILINE)
        resources = re.search(r"^ +resources: (.*)$", block, re.MULTILINE)
        if rule and resources:
            wildcards = re.search(r"^ +wildcards: (.*)$", block, re.MULTILINE)
            names = re.findall(r"(?:dataset|model)=(\w+)", wildcards[1] if wildcards else "")
            values = dict(re.findall(r"(\w+)=(\d+)", resources[1]))
            threads = re.search(r"^ +threads: (\d+)", block, re.MULTILINE)
            values["threads"] = threads[1] if threads else 1
            found[" ".join([rule[1], *names])] = {key: int(n) for key, n in values.items()}
    return found


@pytest.fixture(scope="module")
def jobs(tmp_path_factory, config):
    """Requests of the jobs whose inputs exist. Models are sparse files of the right size."""
    folder = tmp_path_factory.mktemp("jobs")
    path = write_config(folder / "study.yaml", config)
    listing = snakemake(folder, "--dry-run", "datasets", configfiles=[path])
    goals = [f"resources/{name}/shards.csv" for name in UTTERANCES]
    goals += [f"resources/models/{name}/model.json" for name in config["models"]]
    snakemake(folder, *goals, configfiles=[path])
    os.truncate(folder / "resources/models/big/model.onnx", 1_000_000_000)
    made = snakemake(folder, "--dry-run", "predictions", "costs", configfiles=[path], cores=3)
    long = write_config(folder / "long.yaml", config | {"costs": {"durations": [1, 120]}})
    costs = snakemake(folder, "--dry-run", "costs", configfiles=[long], cores=3)
    return asked(listing) | asked(made) | {f"long {key}": job for key, job in asked(costs).items()}


def test_scoring_requests_memory_by_model_and_longest_utterance(jobs):
    memory = {key: job["mem_mb"] for key, job in jobs.items() if key.startswith("predict ")}
    assert len(memory) == 8
    assert memory["predict few big"] > memory["predict few small"] + 1500
    assert memory["predict many small"] == memory["predict few small"]
    assert memory["predict long small"] > memory["predict few small"] + 5000
    # utterances of more than longest_seconds (120 s) are not computed
    assert 11_000 < memory["predict cut small"] < 14_000


def test_scoring_requests_time_by_model_and_audio(jobs):
    minutes = {key: job["runtime"] for key, job in jobs.items() if key.startswith("predict ")}
    assert minutes["predict few small"] == 31
    assert minutes["predict many big"] > minutes["predict many small"] + 300
    assert minutes["predict many small"] > minutes["predict few small"]


def test_listing_requests_memory_by_the_size_of_the_table(jobs):
    assert jobs["list_utterances many"]["mem_mb"] > jobs["list_utterances few"]["mem_mb"] + 10


def test_metadata_request_memory_by_the_table_of_utterances(tmp_path, config):
    path = write_config(tmp_path / "study.yaml", config)
    for name, size in (("few", 0), ("many", 10_000_000)):
        listed = tmp_path / f"resources/{name}/utterances.parquet"
        listed.parent.mkdir(parents=True)
        listed.touch()
        os.truncate(listed, size)
    jobs = asked(snakemake(tmp_path, "--dry-run", "datasets", configfiles=[path]))
    few, many = (jobs[f"read_metadata {name}"] for name in ("few", "many"))
    assert many["mem_mb"] == few["mem_mb"] + 600
    assert many["runtime"] > few["runtime"]


def test_costs_are_measured_alone_with_memory_for_their_utterances(jobs):
    assert jobs["measure_costs small"]["threads"] == 3  # all that the run has
    assert jobs["predict few small"]["threads"] == 3
    few, long = jobs["measure_costs small"], jobs["long measure_costs small"]
    assert long["mem_mb"] > few["mem_mb"] + 10_000
    assert jobs["measure_costs big"]["mem_mb"] > few["mem_mb"] + 1500


def test_a_failed_attempt_stores_nothing_and_the_next_requests_more(tmp_path, config):
    """The disk with the audio is not mounted: its folder exists and is empty."""
    audio = tmp_path / "audio"
    for row in range(3):
        write_audio(audio / f"{row:06}.wav", noise(2, seed=row))
    dataset = config["datasets"]["few"]
    source = dataset["csv"] | {"audio": str(audio)}
    study = {"few": dataset | {"csv": source}}
    path = write_config(tmp_path / "study.yaml", config | {"datasets": study})
    goal = "results/failures/few/small.csv"
    audio.rename(tmp_path / "elsewhere")
    audio.mkdir()
    process = snakemake(tmp_path, goal, "--retries", "1", configfiles=[path], check=False)
    assert process.returncode != 0 and "Traceback" not in process.stdout
    assert f"Error: The folder of audio {audio} is gone or empty: bring it" in process.stdout
    blocks = re.findall(r"rule predict:.*?resources: (.*?)\n", process.stdout, re.DOTALL)
    first, second = (dict(re.findall(r"(\w+)=(\d+)", block)) for block in blocks)
    assert int(second["mem_mb"]) == 2 * int(first["mem_mb"])
    assert int(second["runtime"]) == 2 * int(first["runtime"])
    assert not [path for path in (tmp_path / "results").rglob("*") if path.is_file()]
    audio.rmdir()
    (tmp_path / "elsewhere").rename(audio)
    snakemake(tmp_path, goal, configfiles=[path])
    assert len(pd.read_parquet(tmp_path / "results/predictions/few/small")) == 3
