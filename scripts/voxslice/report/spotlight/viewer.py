"""Open an interactive view in Spotlight: nothing is computed and nothing leaves the machine."""

import json
import os
import signal
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from voxslice.errors import InputError
from voxslice.files import write_parquet
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
LOOKED_FOR = 100
"""Files of which one at least has to be there."""


@dataclass(frozen=True)
class View:
    """What Spotlight shows."""

    name: str
    table: pd.DataFrame
    layout: Path
    issues: list[dict[str, Any]] = field(default_factory=list)


def load(folder: str | Path) -> View:
    """Read the view of the utterances, with absolute paths of audio.

    Args:
        folder: what the rule `make_view` has written

    Raises:
        InputError: where the folder is no view, or its audio is not where it should be
    """
    folder = _require(folder, TABLE, LAYOUT, ISSUES)
    table = pd.read_parquet(folder / TABLE)
    # Spotlight takes relative paths from the folder that it was started in
    table[AUDIO] = [os.path.abspath(folder / name) for name in table[AUDIO]]  # noqa: PTH100
    files = table[AUDIO].unique()[:LOOKED_FOR]
    if len(files) and not any(Path(file).is_file() for file in files):
        raise InputError(
            f"The audio of {folder} is not there ({files[0]}): keep resources/ beside results/, or"
            " make the view again."
        )
    issues = json.loads((folder / ISSUES).read_text(encoding="utf-8"))
    return View(_name(folder), table, folder / LAYOUT, issues)


def load_slices(folder: str | Path) -> View:
    """Read the view of the slices.

    Args:
        folder: what the rule `make_view` has written

    Raises:
        InputError: where the folder is no view, or no slice was found
    """
    folder = _require(folder, SLICES, SLICES_LAYOUT)
    table = pd.read_parquet(folder / SLICES)
    if table.empty:
        raise InputError(f"No slice was found in the study of {folder}: open it without --slices.")
    return View(f"{_name(folder)} slices", table, folder / SLICES_LAYOUT)


def _require(folder: str | Path, *names: str) -> Path:
    """The folder, which has files of these names."""
    folder = Path(folder)
    missing = [name for name in names if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"{folder} is no view, it lacks {missing[0]}: make the views with `snakemake views`"
            " and name one, as in results/spotlight/emodb/gender."
        )
    return folder


def _name(folder: Path) -> str:
    """The dataset and the task that a folder is named after."""
    return " ".join(folder.resolve().parts[-2:])


def show(view: View, *, port: int | None, browser: bool) -> None:
    """Serve a view on this machine until the process is ended.

    Args:
        view: as `load` or `load_slices` gives it
        port: None for any free one
        browser: whether to open one

    Raises:
        InputError: where the port is taken
    """
    # by default SIGTERM would leave Spotlight's server behind, which holds the port
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # Spotlight keeps decoded audio by path alone: a cache of an earlier run would serve stale audio
    with tempfile.TemporaryDirectory(prefix="voxslice-view-") as private:
        os.environ["XDG_CACHE_HOME"] = os.environ["XDG_CONFIG_HOME"] = private
        quiet()
        from renumics import spotlight
        from renumics.spotlight.analysis.typing import DataIssue

        # a file, since Spotlight shows its name
        table = Path(private, f"{view.name}.parquet")
        write_parquet(view.table, table)
        try:
            spotlight.show(
                str(table),
                dtype={name: kind for name, kind in DTYPES.items() if name in view.table},
                layout=str(view.layout),
                issues=[DataIssue(**issue) for issue in view.issues],
                host="127.0.0.1",
                port=port or "auto",
                no_browser=not browser,
                allow_filebrowsing=False,
                analyze=False,
                wait="forever",
            )
        except OSError as error:
            raise InputError(f"Port {port} cannot be used ({error}): choose another.") from error
        except KeyboardInterrupt:
            pass
        finally:
            for viewer in spotlight.viewers():
                viewer.close()
