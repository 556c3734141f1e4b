"""Other workflows import this one as a module, with a prefix, from git, and with snakedeploy."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from small_study import copy_workflow, study_config
from snakemake_cli import ROOT, write_config

pytestmark = pytest.mark.workflow

SNAKEFILE = """
configfile: "study.yaml"


module voxslice:
    snakefile: {snakefile!r}
    config: config
    {prefix}


use rule * from voxslice as vox_*


rule count:
    input: {metrics!r}
    output: "count.txt"
    shell: "wc -l < {{input}} > {{output}}"


rule everything:
    input: "count.txt"
    default_target: True
"""


def run(folder, *arguments, snakefile="Snakefile"):
    """Run snakemake in the folder of another workflow."""
    words = [sys.executable, "-m", "snakemake"]
    # as in the profile; Snakemake 9.27 cannot compare the times of scripts of a local repository
    words += ["--rerun-triggers", "mtime", "params", "input", "software-env"]
    words += ["--cores", "2", "--snakefile", snakefile]
    done = subprocess.run(
        [*words, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.fixture
def folder(tmp_path):
    """Folder of another workflow, with relative paths in its config."""
    config = study_config(tmp_path)
    for key in ("path", "audio"):
        name = config["datasets"]["voices"]["csv"][key]
        config["datasets"]["voices"]["csv"][key] = name.removeprefix(f"{tmp_path}/")
    config["models"] = {"tiny": {"path": "first", "tasks": ["gender"], "license": "MIT"}}
    del config["tasks"]["age"]
    write_config(tmp_path / "study.yaml", config)
    return tmp_path


@pytest.fixture(scope="session")
def repository(tmp_path_factory):
    """A git repository with this workflow."""
    if not shutil.which("git"):
        pytest.skip("git is not installed")
    folder = copy_workflow(tmp_path_factory.mktemp("repository"))
    shutil.copyfile(ROOT / "LICENSE", folder / "LICENSE")
    who = ["-c", "user.name=Voxslice", "-c", "user.email=voxslice@example.org"]
    for words in (
        ["init", "--quiet", "--initial-branch", "main"],
        ["add", "."],
        [*who, "commit", "--quiet", "--message", "A version"],
    ):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


@pytest.mark.parametrize(("address", "prefix"), [("{root}", "voice"), ("{repository}", "")])
def test_a_module_from_a_folder_with_a_prefix_and_from_git(folder, repository, address, prefix):
    place = f"{prefix}/" if prefix else ""
    git = f"git+file://{repository}/workflow/Snakefile@main"
    text = SNAKEFILE.format(
        snakefile=address.format(root=ROOT / "Snakefile", repository=git),
        prefix=f"prefix: {prefix!r}" if prefix else "",
        metrics=f"{place}results/metrics/voices/gender.csv",
    )
    (folder / "Snakefile").write_text(text)
    output = run(folder)
    assert "rule vox_predict:" in output and "rule count:" in output
    metrics = pd.read_csv(folder / place / "results/metrics/voices/gender.csv")
    assert set(metrics["model"]) == {"tiny", "chance", "majority"} and (metrics["n"] == 24).all()
    assert (folder / place / "resources/voices/seen.json").exists()
    made = {"results", "resources", "logs", "benchmarks"}
    assert {path.name for path in folder.iterdir()} & made == (set() if prefix else made)
    # the local files are still those of the importing workflow, and an edit of them is noticed
    assert "Nothing to be done" in run(folder, "--dry-run")
    (folder / "audio/a0.wav").write_bytes((folder / "audio/a1.wav").read_bytes())
    assert "rule vox_list_utterances:" in run(folder, "--dry-run")


def test_snakedeploy_deploys_the_workflow(tmp_path, repository):
    command = str(Path(sys.executable).with_name("snakedeploy"))
    words = [command, "deploy-workflow", str(repository), str(tmp_path), "--branch", "main"]
    subprocess.run(words, check=True, capture_output=True)
    snakefile = tmp_path / "workflow/Snakefile"
    text = snakefile.read_text()
    assert 'configfile: "config/config.yaml"' in text and "use rule * from" in text
    # snakedeploy writes an address for hosted repositories only
    address = f'snakefile: "git+file://{repository}/workflow/Snakefile@main"'
    snakefile.write_text(re.sub(r"snakefile:\s*\"[^\"]*\"", address, text))
    shutil.copyfile(tmp_path / "config/demo.yaml", tmp_path / "config/config.yaml")
    everything = run(tmp_path, "--dry-run", snakefile="workflow/Snakefile")
    assert "rule all:" in everything and "rule make_demo_corpus:" in everything
    run(tmp_path, "results/failures/demo/practice_small.csv", snakefile="workflow/Snakefile")
    predictions = pd.read_parquet(tmp_path / "results/predictions/demo/practice_small/0.parquet")
    assert len(predictions) == 700
