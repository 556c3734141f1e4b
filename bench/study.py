"""Compare the time of the whole default study with that of one linear script that does less.

    python bench/study.py DATA [--rounds 3]

DATA is a folder with `audb` and `models`. `audb` is an audb repository (backend file-system, name
audb-local) with emodb 1.4.1. `models` contains gender_age_small.zip, gender_age_big.zip and
emotion.zip. The script (bench/linear_study.py) makes predictions, sliceguard's slices and a
comparison. The workflow also makes metrics with intervals, pitch, a search of subgroups, tests of
sliceguard's slices on other speakers and with other seeds, costs, reports and views. It measures
the costs more briefly than by default. Both take turns, each in an empty folder.
"""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import yaml

ROOT = Path(__file__).resolve().parents[1]
MODELS = ["gender_age_small", "gender_age_big", "emotion"]


def write_overlay(folder: Path, data: Path) -> Path:
    """Write a config that takes datasets and models from a folder, and return its path."""
    repository = {"name": "audb-local", "host": str(data / "audb"), "backend": "file-system"}
    config = {
        "datasets": {"emodb": {"audb": {"repositories": [repository]}}},
        "models": {name: {"url": (data / "models" / f"{name}.zip").as_uri()} for name in MODELS},
        "costs": {"durations": [1, 2], "seconds": 0.1},
    }
    path = folder / "overlay.yaml"
    path.write_text(yaml.safe_dump(config), encoding="utf-8")
    return path


def workflow(folder: Path, data: Path) -> list[str]:
    """The command that runs the study."""
    words = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
    words += ["--profile", "none", "--workflow-profile", ROOT / "profiles/default"]
    words += ["--directory", folder, "--cores", "all", "--configfile", ROOT / "config/config.yaml"]
    return [str(word) for word in [*words, write_overlay(folder, data)]]


def script(folder: Path, data: Path) -> list[str]:
    """The command that runs the script."""
    return [sys.executable, str(ROOT / "bench/linear_study.py"), str(data), str(folder)]


def timed(command: list[str], log: Path) -> tuple[float, float]:
    """Run a command and return its wall-clock seconds and CPU seconds."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    with log.open("w") as file:
        done = subprocess.run(command, stdout=file, stderr=file, check=False)
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(log.read_text(encoding="utf-8")[-6000:])
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    ways = {"linear script": script, "this workflow": workflow}
    times: dict[str, list[tuple[float, float]]] = {way: [] for way in ways}
    for _ in range(options.rounds):
        for way, command in ways.items():
            with tempfile.TemporaryDirectory(prefix="voxslice-study-") as name:
                folder = Path(name)
                words = command(folder, options.data.resolve())
                times[way].append(timed(words, folder / "output.txt"))
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, {options.rounds} rounds")
    print("| way | seconds, median (least) | CPU seconds, median (least) |")
    print("|---|--:|--:|")
    for way, pairs in times.items():
        cells = [
            f"{np.median(values):.1f} ({min(values):.1f})" for values in zip(*pairs, strict=True)
        ]
        print(f"| {way} | {' | '.join(cells)} |")
    first, second = (np.array(pairs)[:, 0] for pairs in times.values())
    print(f"\nThe script's seconds over the workflow's: {np.median(first / second):.2f}")


if __name__ == "__main__":
    main()
