"""Runs the workflow as a user does: the snakemake command in a folder of its own."""

import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]


def snakemake(folder, *arguments, configfiles=(), cores=2, check=True):
    """Run snakemake in a folder and return the finished process, its output in stdout."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"]
    command += ["--profile", "none", "--workflow-profile", ROOT / "profiles/default"]
    command += ["--directory", folder, *([] if cores is None else ["--cores", str(cores)])]
    command += arguments
    if configfiles:
        command += ["--configfile", *configfiles]
    process = subprocess.run(
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        check=False,
    )
    if check:
        assert process.returncode == 0, process.stdout[-6000:]
    return process


def planned(folder, *arguments, configfiles=()):
    """The jobs that a run would do: a sorted list of `rule wildcard=value ...`, without goals."""
    process = snakemake(folder, "--dry-run", *arguments, configfiles=configfiles)
    jobs = []
    for block in re.split(r"\n\[?(?=(?:local)?(?:rule|checkpoint) )", "\n" + process.stdout):
        name = re.match(r"(?:local)?(?:rule|checkpoint) (\w+):", block)
        if name and "output:" in block:
            wildcards = re.search(r"^ +wildcards: (.*)$", block, re.MULTILINE)
            jobs.append(" ".join([name[1], wildcards[1].replace(",", "") if wildcards else ""]))
    return sorted(job.strip() for job in jobs)


def write_config(path, config):
    """Write a config file and return its path."""
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    return path
