"""Fixtures that several kinds of tests share."""

import shutil

import pytest
from snakemake_cli import ROOT, snakemake


@pytest.fixture(scope="session")
def finished_study(tmp_path_factory):
    """Folder in which the embedded study has run once, all of it; not to be written to."""
    folder = tmp_path_factory.mktemp("demo")
    snakemake(folder, configfiles=[ROOT / "config/demo.yaml"])
    return folder


@pytest.fixture(scope="session")
def chromium():
    """Path of a Chromium browser."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium browser is installed (chromium, chromium-browser or google-chrome)")
