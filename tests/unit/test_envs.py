"""The conda environments agree with the lock file, and both with the requirements."""

import re

import pytest
import yaml
from rule_files import rule_texts
from snakemake_cli import ROOT

ENVS = sorted((ROOT / "envs").glob("*.yaml"))


def locked():
    text = (ROOT / "envs/requirements.lock").read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*)==([^\s;]+)", text, re.MULTILINE))


def test_environments_exist():
    assert [path.stem for path in ENVS] == ["inference", "report", "statistics"]


@pytest.mark.parametrize("path", ENVS, ids=lambda path: path.stem)
def test_versions_are_those_of_the_lock_file(path):
    pins = yaml.safe_load(path.read_text(encoding="utf-8"))["dependencies"][-1]["pip"]
    versions = locked()
    assert pins
    for pin in pins:
        name, version = pin.split("==")
        assert versions[name] == version, f"{path.name}: {name}"


def test_every_rule_names_an_environment_that_exists():
    for rule, text in rule_texts().items():
        (name,) = re.findall(r"conda:\s+\"\.\./envs/([^\"]+)\"", text)
        assert (ROOT / "envs" / name).exists(), rule


def test_lock_file_has_all_requirements():
    text = (ROOT / "envs/requirements.in").read_text(encoding="utf-8")
    wanted = re.findall(r"^([a-z][a-z0-9-]*)", text, re.MULTILINE)
    assert len(wanted) > 15
    assert set(wanted) <= set(locked())


def test_lock_file_pins_hashes_and_names_no_host():
    text = (ROOT / "envs/requirements.lock").read_text(encoding="utf-8")
    entries = re.findall(r"^[a-z0-9][^\n]*==[^\n]*$", text, re.MULTILINE)
    assert all(entry.rstrip().endswith("\\") for entry in entries)
    assert "://" not in text
