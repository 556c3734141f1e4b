"""Planning many shards calls only the lookups of this workflow that each job needs."""

import pstats
import re
import subprocess
from collections import Counter

import pandas as pd
import pytest
from small_inputs import write_model
from small_study import GENDER
from snakemake_cli import command, snakemake, write_config

pytestmark = pytest.mark.workflow

SHARDS = {"few": 10, "many": 60}


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    """Two datasets of segments with one segment per shard. Planning them reads no audio."""
    folder = tmp_path_factory.mktemp("planning")
    write_model(folder / "model")
    datasets = {}
    for name, count in SHARDS.items():
        table = pd.DataFrame({"file": "a.wav", "start": range(count), "end": range(1, count + 1)})
        table.assign(who="male").to_csv(folder / f"{name}.csv", index=False)
        datasets[name] = {
            "csv": {"path": str(folder / f"{name}.csv"), "audio": str(folder)},
            "columns": {"speaker": {"column": "who"}},
            "shard_hours": 1 / 3600,
            "license": "MIT",
        }
    task = GENDER | {"target": "speaker"}
    model = {"path": str(folder / "model"), "tasks": ["who"], "license": "MIT"}
    return write_config(
        folder / "study.yaml",
        {"datasets": datasets, "models": {"tiny": model}, "tasks": {"who": task}, "searches": {}},
    )


def calls(folder, config, dataset):
    """Number of calls of each function while inference on a dataset is planned."""
    goal = f"results/failures/{dataset}/tiny.csv"
    words = command(folder, "--dry-run", goal, configfiles=[config])
    profile = folder / f"{dataset}.profile"
    words[1:1] = ["-m", "cProfile", "-o", str(profile)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, cwd=folder)
    assert re.search(rf"^predict +{SHARDS[dataset]}$", done.stdout, re.MULTILINE)
    counts = Counter()
    for (file, _, name), (_, count, *_) in pstats.Stats(str(profile)).stats.items():
        counts[file, name] += count
    return counts


def test_few_functions_are_called_for_each_shard(tmp_path, config):
    tables = [f"resources/{name}/shards.csv" for name in SHARDS]
    snakemake(tmp_path, *tables, configfiles=[config])
    few, many = (calls(tmp_path, config, name) for name in SHARDS)
    more = SHARDS["many"] - SHARDS["few"]
    each = {key: (count - few[key]) / more for key, count in many.items()}
    ours = {
        key: calls for key, calls in each.items() if re.search(r"\.smk$|voxslice/config/", key[0])
    }
    # a few lookups for each parameter of a job and for its memory and time, and nothing that grows
    assert sum(ours.values()) <= 19, ours
    # no search in the config, and no file is read
    assert {calls for (file, _), calls in each.items() if "dpath" in file} == {0}
    assert {calls for (_, name), calls in each.items() if name == "read_text"} == {0}


def test_a_dry_run_names_the_jobs_that_it_does_not_count(tmp_path, config):
    process = snakemake(tmp_path, "--dry-run", "predictions", configfiles=[config])
    for name in SHARDS:
        assert process.stdout.count(f"Jobs that run models on {name} are not counted yet") == 1
