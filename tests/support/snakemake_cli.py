"""Run the workflow as a user does, with the snakemake command in a separate folder."""

import atexit
import functools
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml
from project import ROOT


def command(folder, *arguments, configfiles=(), cores=2, workflow=ROOT, profile=True):
    """The command that runs snakemake in a folder, as words; without a profile if asked."""
    words = [sys.executable, "-m", "snakemake", "--snakefile", workflow / "Snakefile"]
    words += ["--profile", "none", "--workflow-profile"]
    words += [workflow / "profiles/default" if profile else "none"]
    words += ["--directory", folder, *([] if cores is None else ["--cores", cores]), *arguments]
    if configfiles:
        words += ["--configfile", *configfiles]
    return [str(word) for word in words]


@functools.cache
def server():
    """The process of `snakemake_server.py`. It ends with the tests."""
    words = [sys.executable, str(Path(__file__).with_name("snakemake_server.py"))]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(process.communicate)
    return process


def run(words, output):
    """Run a command of `command`, write what it prints to a file, and return its exit code."""
    if sys.platform != "linux":  # a fork is not safe on other systems
        with Path(output).open("wb") as file:
            return subprocess.run(words, stdout=file, stderr=file, cwd=ROOT, check=False).returncode
    arguments = words[words.index("snakemake") + 1 :]
    message = {"arguments": arguments, "folder": str(ROOT), "environment": dict(os.environ)}
    print(json.dumps(message | {"output": output}), file=server().stdin, flush=True)
    return int(server().stdout.readline())


def snakemake(folder, *arguments, check=True, **settings):
    """Run snakemake in a folder and return the finished process, its output in stdout."""
    words = command(folder, *arguments, **settings)
    with tempfile.NamedTemporaryFile("r", encoding="utf-8") as output:
        process = subprocess.CompletedProcess(words, run(words, output.name), output.read())
    if check:
        assert process.returncode == 0, process.stdout[-6000:]
    return process


def planned(folder, *arguments, **settings):
    """The jobs that a run would start: a sorted list of `rule wildcard=value`, without targets."""
    return jobs_of(snakemake(folder, "--dry-run", *arguments, **settings))


def jobs_of(process):
    """The jobs that a finished snakemake process has run or planned, in the form of `planned`."""
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


def move(study, folder, *, seed=0):
    """Copy a study to another folder and give its files new times in random order."""
    shutil.copytree(study, folder, copy_function=shutil.copyfile)
    draw = random.Random(seed)
    for path in sorted(folder.rglob("*")):
        time = 1_600_000_000 + draw.randrange(10**8)
        os.utime(path, (time, time), follow_symlinks=False)
    return folder
