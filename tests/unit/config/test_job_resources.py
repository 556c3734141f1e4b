"""Requested memory and time grow with the inputs of a job and with each attempt."""

from pathlib import Path

import pytest
from project import SCHEMA
from snakemake.iocontainers import Wildcards
from voxslice import workload
from voxslice.config.complete import complete
from voxslice.config.job_resources import (
    costs_memory,
    growing,
    listing_memory,
    predict_memory,
    predict_minutes,
    size_mb,
)
from voxslice.config.study_config import StudyConfig

JOB = Wildcards(fromdict={"dataset": "calls", "model": "small", "shard": "0"})


@pytest.fixture
def study(config, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config["costs"] = {"durations": [1, 5]}
    return StudyConfig(complete(config, SCHEMA))


def write(path, megabytes):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(int(megabytes * 1e6))


def test_sizes(study):
    assert size_mb("none") == 0
    write("some", 3)
    assert size_mb("some") == 3


def test_amounts_grow_with_the_file_and_the_attempt(study):
    amount = growing(study, 100, 10)
    assert amount(JOB, 1) == 100
    write("resources/calls/utterances.parquet", 2.5)
    assert (amount(JOB, 1), amount(JOB, 2)) == (125, 250)
    assert growing(study, 100)(JOB, 3) == 300
    write("resources/models/small/model.onnx", 5)
    assert growing(study, 30, 2, "resources/models/{model}/model.onnx")(JOB, 1) == 40


def test_memory_of_listing_grows_with_the_tables(study):
    write("resources/calls/audio/db.a.csv", 10)
    write("resources/calls/audio/db.b.parquet", 2)
    write("resources/calls/audio/wav.zip", 500)
    assert listing_memory(study)(JOB, 1) == 1000 + 30 * 20
    table = Wildcards(fromdict={"dataset": "table"})
    write("mine.csv", 4)
    assert listing_memory(study)(table, 2) == 2 * (1000 + 30 * 4)


def test_inference_requests_the_estimates_of_the_workload(study):
    write("resources/models/small/model.onnx", 300)
    write("resources/calls/none", 0)
    Path("resources/calls/shards.csv").write_text("seconds,longest,state\n7200,20,abc\n")
    memory = workload.memory_mb(20, model_mb=300, threads=4)
    assert predict_memory(study)(JOB, 2, 4) == 2 * memory
    minutes = workload.minutes(7200, longest=20, model_mb=300, threads=4)
    assert predict_minutes(study)(JOB, 1, 4) == minutes
    assert costs_memory(study)(JOB, 1) == workload.memory_mb(5, model_mb=300, threads=1)
