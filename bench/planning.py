"""Time that Snakemake needs to plan: 1,000 shards with 10 models, conditions, finished studies.

    python bench/planning.py
    python bench/planning.py --data DATA

The time is that of a dry run, from the start of the command to its end. The shards are planned
after the checkpoint that determines their number. Neither audio nor models exist, because planning
reads none of them. The finished study is the embedded one, which is run first. With DATA (see
bench/study.py) it is also the default study.
"""

import argparse
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pandas as pd
import yaml
from study import write_overlay

ROOT = Path(__file__).resolve().parents[1]


def write_study(
    folder: Path, shards: int, models: int, *, datasets: int = 1, conditions: bool = False
) -> Path:
    """Write a study with one utterance per shard.

    Args:
        folder: Folder in which the study runs.
        shards: Number of utterances per dataset.
        models: Number of models.
        datasets: Number of datasets.
        conditions: Whether the models are run in the standard conditions.

    Returns:
        The config file.
    """
    rows = [(f"{row:06d}.wav", 0, 3600, f"s{row % 50}", row % 2) for row in range(shards)]
    table = pd.DataFrame(rows, columns=["file", "start", "end", "speaker", "gender"])
    table.to_csv(folder / "corpus.csv", index=False)
    names = [f"m{number}" for number in range(models)]
    for path in [folder / "audio", *(folder / "models" / name for name in names)]:
        path.mkdir(parents=True)
    for name in names:
        for file in ("model.onnx", "model.yaml"):
            (folder / "models" / name / file).touch()
    config = {
        "datasets": {
            f"corpus{number}": {
                "csv": {"path": str(folder / "corpus.csv"), "audio": str(folder / "audio")},
                "columns": {name: {"column": name} for name in ("speaker", "gender")},
                "license": "simulated",
                "shard_hours": 1,
                **({"conditions": "default"} if conditions else {}),
            }
            for number in range(datasets)
        },
        "models": {
            name: {
                "path": str(folder / "models" / name),
                "tasks": ["gender"],
                "license": "simulated",
            }
            for name in names
        },
        "tasks": {
            "gender": {
                "type": "classification",
                "target": "gender",
                "output": "logits_gender",
                "labels": ["0", "1"],
                "min_drop": 0.1,
            }
        },
        "searches": {
            "subgroups": {"finder": "subgroups", "features": ["gender"]},
            "embedding": {"finder": "sliceguard", "features": [], "embedding_of": names[0]},
        },
    }
    path = folder / "planning.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return path


def snakemake(folder: Path, configs: list[Path], *words: str) -> str:
    """Run Snakemake in a folder and return its output."""
    command = [sys.executable, "-m", "snakemake", *words, "--snakefile", ROOT / "Snakefile"]
    command += ["--profile", "none", "--workflow-profile", ROOT / "profiles/default"]
    command += ["--directory", folder, "--cores", "all", "--configfile", *configs]
    done = subprocess.run(
        [str(word) for word in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stdout[-6000:])
    return done.stdout


def plan(folder: Path, configs: list[Path], rounds: int) -> dict[str, float]:
    """Time dry runs of a whole study.

    Returns:
        The number of jobs, and the medians of wall-clock seconds and CPU seconds.
    """
    walls, cpus = [], []
    for _ in range(rounds):
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        output = snakemake(folder, configs, "--dry-run")
        walls.append(time.perf_counter() - start)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    total = re.search(r"^total +(\d+)$", output, re.MULTILINE)
    jobs = int(total[1]) if total else 0
    return {
        "jobs": jobs,
        "seconds": pd.Series(walls).median(),
        "CPU seconds": pd.Series(cpus).median(),
    }


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shards", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--models", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path, help="what the default study is run on")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="voxslice-planning-") as name:
        config = write_study(Path(name), 10, options.models, datasets=3, conditions=True)
        places = [f"resources/corpus{number}" for number in range(3)]
        made = [f"{place}/{file}" for place in places for file in ("shards.csv", "talkers.parquet")]
        snakemake(Path(name), [config], *made)
        study = f"12 conditions, 3 datasets of 10 shards, {options.models} models"
        rows.append({"study": study, **plan(Path(name), [config], options.rounds)})
    for shards in options.shards:
        with tempfile.TemporaryDirectory(prefix="voxslice-planning-") as name:
            config = write_study(Path(name), shards, options.models)
            snakemake(Path(name), [config], "resources/corpus0/shards.csv")
            study = f"{shards:,} shards, {options.models} models"
            rows.append({"study": study, **plan(Path(name), [config], options.rounds)})
    for study, config in {"embedded": "demo.yaml", "default": "config.yaml"}.items():
        if study == "default" and options.data is None:
            continue
        with tempfile.TemporaryDirectory(prefix="voxslice-planning-") as name:
            configs = [ROOT / "config" / config]
            if study == "default":
                configs.append(write_overlay(Path(name), options.data.resolve()))
            snakemake(Path(name), configs)
            rows.append(
                {"study": f"{study}, finished", **plan(Path(name), configs, options.rounds)}
            )
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores")
    print("| study | jobs | seconds | CPU seconds |")
    print("|---|--:|--:|--:|")
    for row in rows:
        times = f"{row['seconds']:.1f} | {row['CPU seconds']:.1f}"
        print(f"| {row['study']} | {row['jobs']:,} | {times} |")


if __name__ == "__main__":
    main()
