"""Open an interactive view in Spotlight. Nothing is computed and nothing leaves the machine."""

import asyncio
import contextlib
import http.client
import io
import json
import os
import secrets
import signal
import sys
import tempfile
import threading
import webbrowser
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pandas as pd

from voxslice.errors import InputError, MachineError
from voxslice.files import write_parquet
from voxslice.report.spotlight import guard
from voxslice.report.spotlight.layouts import quiet
from voxslice.report.spotlight.tables import (
    AUDIO,
    ISSUES,
    LAYOUT,
    SLICES,
    SLICES_LAYOUT,
    TABLE,
    WINDOW,
)

DTYPES = {AUDIO: "Audio", WINDOW: "Window"}
PALETTE = "Set1"
"""Palette of categories. Its first two colours are red and blue."""
CHECKED_FILES = 100
"""Audio files of which at least one must exist before a view is opened."""
HOST = "127.0.0.1"
MAX_PORT = 65535
HERE = Path(__file__).parent
PYTHON_PATH = [HERE / "plugin", HERE.parents[2]]
"""Where the process of Spotlight's server finds the guard: its plugin, and this package."""


@dataclass(frozen=True)
class View:
    """What Spotlight shows.

    Args:
        name: Title of the view.
        table: Rows that the view shows, with absolute paths of audio.
        layout: File with the layout.
        issues: Slices, as Spotlight's issues.
    """

    name: str
    table: pd.DataFrame
    layout: Path
    issues: list[dict[str, Any]] = field(default_factory=list)


def load(folder: str | Path) -> View:
    """Read the view of the utterances, with absolute paths of audio.

    Args:
        folder: Folder that the rule `make_view` has written.

    Returns:
        The view, with one row per utterance.

    Raises:
        InputError: If the folder is not a view, or its audio is missing.
    """
    folder = _require(folder, TABLE, LAYOUT, ISSUES)
    table = pd.read_parquet(folder / TABLE)
    # Spotlight resolves relative paths against the current folder of its process
    table[AUDIO] = [os.path.abspath(folder / name) for name in table[AUDIO]]  # noqa: PTH100
    files = table[AUDIO].unique()[:CHECKED_FILES]
    if len(files) and not any(Path(file).is_file() for file in files):
        raise InputError(
            f"The audio of {folder} is missing ({files[0]}): keep resources/ beside results/, or"
            " make the view again."
        )
    issues = json.loads((folder / ISSUES).read_text(encoding="utf-8"))
    return View(_name(folder), table, folder / LAYOUT, issues)


def load_slices(folder: str | Path) -> View:
    """Read the view of the slices.

    Args:
        folder: Folder that the rule `make_view` has written.

    Returns:
        The view, with one row per slice.

    Raises:
        InputError: If the folder is not a view, or the study has no slice.
    """
    folder = _require(folder, SLICES, SLICES_LAYOUT)
    table = pd.read_parquet(folder / SLICES)
    if table.empty:
        raise InputError(f"No slice was found in the study of {folder}: open it without --slices.")
    return View(f"{_name(folder)} slices", table, folder / SLICES_LAYOUT)


def _require(folder: str | Path, *names: str) -> Path:
    """Check that a folder has files of these names, and return it as a path."""
    folder = Path(folder)
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"{folder} is not a view, because {missing[0]} is missing: make the views with"
            " `snakemake views` and name one, as in results/spotlight/emodb/gender."
        )
    return folder


def _name(folder: Path) -> str:
    """Dataset and task of a view, which its folder is named after."""
    return " ".join(folder.resolve().parts[-2:])


def check_port(port: int | None) -> None:
    """Check the number of a port before anything is read or started.

    Args:
        port: Number of the port, None for any free port.

    Raises:
        InputError: If there is no port of this number.
    """
    if port is not None and not 1 <= port <= MAX_PORT:
        raise InputError(f"--port {port} is not a port: choose a number from 1 to {MAX_PORT}.")


def show(view: View, *, port: int | None, browser: bool) -> None:
    """Serve a view on this machine until the process is ended.

    The address that is printed holds a token. The server refuses every request without it.

    Args:
        view: The view, as `load` or `load_slices` returns it.
        port: Port of the server, None for any free port.
        browser: Whether to open a browser.

    Raises:
        InputError: If the port cannot be used.
        MachineError: If the server answers without the token.
    """
    # by default SIGTERM would leave Spotlight's server behind, which holds the port
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # Spotlight keeps decoded audio by path alone: a cache of an earlier run would serve stale audio
    with tempfile.TemporaryDirectory(prefix="voxslice-view-") as private:
        token = secrets.token_urlsafe(32)
        _prepare_environment(private, token)
        quiet()
        _choose_colours(private)
        from renumics import spotlight
        from renumics.spotlight.analysis.typing import DataIssue

        # a file, since Spotlight shows its name
        table = Path(private, f"{view.name}.parquet")
        write_parquet(view.table, table)
        try:
            with contextlib.redirect_stdout(io.StringIO()):  # an address without the token
                viewer = spotlight.show(
                    str(table),
                    dtype={name: kind for name, kind in DTYPES.items() if name in view.table},
                    layout=str(view.layout),
                    issues=[DataIssue(**issue) for issue in view.issues],
                    host=HOST,
                    port=port or "auto",
                    no_browser=True,
                    allow_filebrowsing=False,
                    analyze=False,
                    wait=False,
                )
            _require_guard(f"{HOST}:{viewer.port}")
            address = f"{viewer.url}?token={token}"
            print(f"The view is open at {address}", flush=True)
            if browser:
                webbrowser.open(address)
            threading.Event().wait()
        except OSError as error:
            raise InputError(f"Port {port} cannot be used ({error}): choose another.") from error
        except KeyboardInterrupt:
            pass
        finally:
            for viewer in spotlight.viewers():
                viewer.close()


def _prepare_environment(private: str, token: str) -> None:
    """Set what the process of Spotlight's server inherits: its folders, its guard, the token."""
    paths = [*map(str, PYTHON_PATH), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    os.environ["XDG_CACHE_HOME"] = os.environ["XDG_CONFIG_HOME"] = private
    os.environ[guard.TOKEN] = token


def _choose_colours(private: str) -> None:
    """Choose the colours of categories, so that wrong predictions are red and right ones blue.

    Args:
        private: folder that holds the settings of this view
    """
    from renumics.spotlight import appdirs
    from renumics.spotlight.backend.config import Config

    if not appdirs.config_dir.is_relative_to(private):
        return  # the settings are those of the user (on macOS)

    async def store() -> None:
        config = Config()
        colours = json.dumps({"state": {"categoricalPalette": PALETTE}})
        await config.set("colors", colours, user=guard.BROWSER)
        await config.database.disconnect()

    asyncio.run(store())


def _require_guard(server: str) -> None:
    """Check that a server, given as host and port, refuses a request without the token."""
    connection = http.client.HTTPConnection(server, timeout=60)
    try:
        connection.request("GET", "/api/table/")
        status = connection.getresponse().status
    finally:
        connection.close()
    if status != HTTPStatus.FORBIDDEN:
        raise MachineError(
            f"The view is closed again, because its server answers without a token ({status}):"
            " set up .venv again with `make setup`."
        )
