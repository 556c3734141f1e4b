"""Fixtures that several kinds of tests share."""

import os
import shutil
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def finished_study():
    """Folder of a study that has been run to its end."""
    folder = os.environ.get("VOXSLICE_STUDY")
    if not folder:
        pytest.skip("VOXSLICE_STUDY does not name the folder of a finished study")
    return Path(folder)


@pytest.fixture(scope="session")
def chromium():
    """Path of a Chromium browser."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium browser is installed (chromium, chromium-browser or google-chrome)")
