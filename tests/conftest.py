"""Fixtures that several kinds of tests share."""

import shutil

import pytest
from snakemake_cli import ROOT, snakemake


@pytest.fixture(scope="session")
def demo_config(tmp_path_factory):
    """The config of the embedded study as a user's file; the report shows only its name."""
    path = tmp_path_factory.mktemp("config") / "demo.yaml"
    shutil.copyfile(ROOT / "config/demo.yaml", path)
    return path


@pytest.fixture(scope="session")
def finished_study(tmp_path_factory, demo_config):
    """Folder of the finished embedded study. Tests must not change it."""
    folder = tmp_path_factory.mktemp("demo")
    snakemake(folder, configfiles=[demo_config])
    return folder


@pytest.fixture(scope="session")
def chromium():
    """Path of a Chromium browser."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium browser is installed (chromium, chromium-browser or google-chrome)")
