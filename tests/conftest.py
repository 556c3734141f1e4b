"""Fixtures that several kinds of tests share."""

import fcntl
import shutil
from pathlib import Path

import pytest
from snakemake_cli import ROOT, snakemake


def pytest_addoption(parser):
    parser.addoption(
        "--demo",
        type=Path,
        help="folder in which `make demo` has finished: tests use its results if they are current",
    )


@pytest.fixture(scope="session")
def demo_config(tmp_path_factory):
    """The config of the embedded study as a user's file; the report shows only its name."""
    path = tmp_path_factory.mktemp("config") / "demo.yaml"
    shutil.copyfile(ROOT / "config/demo.yaml", path)
    return path


@pytest.fixture(scope="session")
def finished_study(tmp_path_factory, demo_config, request):
    """Folder of the finished embedded study. Tests must not change it."""
    place = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        place = place.parent  # parallel processes share the study
    with (place / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        folder, finished = place / "shared/demo", place / "shared/finished"
        if not finished.exists():
            folder.mkdir(parents=True, exist_ok=True)
            if made := request.config.option.demo:
                for name in (".snakemake", "benchmarks", "logs", "resources", "results"):
                    shutil.copytree(made / name, folder / name, dirs_exist_ok=True)
            snakemake(folder, configfiles=[demo_config])
            finished.touch()
    return folder


@pytest.fixture(scope="session")
def chromium():
    """Path of a Chromium browser."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium browser is installed (chromium, chromium-browser or google-chrome)")
