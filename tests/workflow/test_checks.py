"""The target `checks`: what it writes, when it fails, and the recipes for servers."""

import re
import shutil
import subprocess
import sys

import pytest
import yaml
from snakemake_cli import ROOT, jobs_of, planned, snakemake, write_config
from voxslice.files import read_csv

pytestmark = pytest.mark.workflow

FOLDER = "results/checks/demo"
GOOD = {"model": "practice_big", "against": "practice_small", "at_least": 0}
BAD = {"model": "practice_small", "on": "overall", "metric": "uar", "above": 0.999}
OPEN = {"model": "practice_big", "on": {"bandwidth": "each"}, "above": 0.8}
CHECKS = ["check_models dataset=demo task=gender", "enforce_checks"]


@pytest.fixture
def study(finished_study, tmp_path):
    """A copy of the embedded study without checks."""
    folder = tmp_path / "study"
    shutil.copytree(finished_study, folder, symlinks=True)
    shutil.rmtree(folder / "results/checks", ignore_errors=True)
    return folder


@pytest.fixture
def checked(study, demo_config):
    """Run the target `checks` with some checks and no others."""

    def run(*checks, target="checks", **settings):
        config = yaml.safe_load(demo_config.read_text(encoding="utf-8"))
        config |= {"checks": list(checks), **settings}
        path = write_config(study / "study.yaml", config)
        return snakemake(study, target, configfiles=[path], check=False)

    return run


def test_a_failed_check_fails_after_everything_is_written(study, checked):
    process = checked(GOOD, BAD, OPEN)
    assert process.returncode == 1
    assert jobs_of(process) == CHECKS  # nothing else runs again
    (sentence,) = set(re.findall(r"Error: [0-9].*", process.stdout))
    assert sentence == (
        "Error: 1 of 4 checks stop this model (failed: uar of practice_small, all utterances: above"
        " 0.999): see results/checks/."
    )
    table = read_csv(study / FOLDER / "gender.csv")
    assert table["answer"].tolist() == ["passed", "failed", "undecided", "undecided"]
    assert "1 failed, 2 undecided, 1 passed" in (study / FOLDER / "gender.md").read_text("utf-8")
    assert 'failures="1"' in (study / FOLDER / "gender.xml").read_text("utf-8")
    assert not (study / "results/checks/passed.txt").exists()

    # without the failed check it passes, and nothing is left to do
    assert checked(GOOD, OPEN).returncode == 0
    passed = (study / "results/checks/passed.txt").read_text("utf-8")
    assert passed == "No check failed: 2 undecided, 1 passed.\n"
    assert planned(study, "checks", configfiles=[study / "study.yaml"]) == []
    plan = planned(study, configfiles=[study / "study.yaml"])
    assert {job.split()[0] for job in plan} == {"make_report", "make_index"}

    # a key decides whether an undecided check fails
    process = checked(GOOD, OPEN, undecided_fails=True)
    assert process.returncode == 1
    assert "2 of 3 checks stop this model" in process.stdout


def test_what_does_not_exist_is_one_sentence(checked):
    process = checked({**OPEN, "on": {"emotion": "joy"}})
    assert process.returncode == 1
    assert "Error: checks.0.on.emotion: no utterance has the value 'joy'; the categories" in (
        process.stdout
    )
    process = checked({**OPEN, "on": {"mode": "joy"}})
    assert "Error: checks.0.on.mode: there is no failure mode 'joy'; the modes" in process.stdout
    process = checked({**OPEN, "on": {"condition": "street"}})
    assert "Mistake in the config: checks.0.on.condition: there is no condition 'street'" in (
        process.stdout
    )


def test_without_checks_the_target_says_so(checked):
    process = checked()
    assert process.returncode == 1
    assert "Error: The config has no checks: list them under the key checks." in process.stdout


def recipes():
    """The recipes for servers in the documentation, by their heading."""
    text = (ROOT / "docs/checks.md").read_text("utf-8")
    sections = re.findall(r"^## (Git\w+).*?```yaml\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    return {name: yaml.safe_load(block) for name, block in sections}


def steps_of(name):
    """The commands of a recipe, each with whether it runs after a failure."""
    recipe = recipes()[name]
    if name == "GitLab":
        return [(line, False) for line in recipe["voxslice"]["script"]]
    steps = recipe["jobs"]["checks"]["steps"]
    return [(step["run"], step.get("if") == "always()") for step in steps if "run" in step]


@pytest.mark.parametrize("name", ["GitHub", "GitLab"])
@pytest.mark.parametrize("checks", [[GOOD], [GOOD, BAD]], ids=["passed", "failed"])
def test_the_recipes_run(study, demo_config, name, checks):
    config = yaml.safe_load(demo_config.read_text(encoding="utf-8"))
    write_config(study / "study.yaml", config | {"checks": checks})
    (study / "voxslice").mkdir()
    for place in ROOT.glob("[!.]*"):
        (study / "voxslice" / place.name).symlink_to(place)
    (study / "voxslice/.venv").symlink_to(sys.prefix)
    summary = study / "summary.md"
    code = 0
    for line, always in steps_of(name):
        if code == 0 or always:
            # the download and the installation are left out
            script = f"git() {{ :; }}; make() {{ :; }}; {line}"
            done = subprocess.run(
                ["bash", "-ec", script],
                cwd=study,
                env={
                    "PATH": "/usr/bin:/bin",
                    "HOME": str(study),
                    "GITHUB_STEP_SUMMARY": str(summary),
                },
                check=False,
            )
            code = code or done.returncode
    assert code == (BAD in checks)
    if name == "GitHub":
        assert summary.read_text("utf-8").startswith("### Checks of gender on demo")
    else:
        artifacts = recipes()[name]["voxslice"]["artifacts"]
        assert list(study.glob(artifacts["reports"]["junit"]))
        assert all((study / path).exists() for path in artifacts["paths"])
