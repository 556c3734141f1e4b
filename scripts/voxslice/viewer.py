"""Open an interactive view in Spotlight: nothing is computed and nothing leaves the machine."""

import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd

from voxslice.errors import InputError
from voxslice.spotlight_view import AUDIO, ISSUES, LAYOUT, MAP, TABLE, WINDOW, quiet

DTYPES = {AUDIO: "Audio", MAP: "Embedding", WINDOW: "Window"}


def load(folder: str | Path) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """Read a view.

    Args:
        folder: what the rule `make_view` has written

    Returns:
        the table with absolute paths of audio, and the issues

    Raises:
        InputError: where the folder is no view, or its audio is not where it should be
    """
    folder = Path(folder)
    missing = [name for name in (TABLE, LAYOUT, ISSUES) if not (folder / name).is_file()]
    if missing:
        raise InputError(
            f"{folder} is no view, it lacks {missing[0]}: make the views with `snakemake views`"
            " and name one, as in results/spotlight/emodb/gender."
        )
    table = pd.read_parquet(folder / TABLE)
    # Spotlight takes relative paths from the folder that it was started in
    table[AUDIO] = [os.path.abspath(folder / name) for name in table[AUDIO]]  # noqa: PTH100
    if len(table) and not Path(table[AUDIO].iloc[0]).is_file():
        raise InputError(
            f"The audio of {folder} is not there ({table[AUDIO].iloc[0]}): keep resources/ beside"
            " results/, or make the view again."
        )
    return table, json.loads((folder / ISSUES).read_text(encoding="utf-8"))


def show(folder: str | Path, *, port: int | None, browser: bool) -> None:
    """Serve a view on this machine until the process is ended.

    Args:
        folder: what the rule `make_view` has written
        port: None for any free one
        browser: whether to open one

    Raises:
        InputError: where the folder is no view, or the port is taken
    """
    table, issues = load(folder)
    # by default SIGTERM would leave Spotlight's server behind, which holds the port
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # Spotlight keeps decoded audio by path alone: a cache of an earlier run would serve stale audio
    with tempfile.TemporaryDirectory(prefix="voxslice-view-") as private:
        os.environ["XDG_CACHE_HOME"] = os.environ["XDG_CONFIG_HOME"] = private
        quiet()
        from renumics import spotlight
        from renumics.spotlight.analysis.typing import DataIssue

        try:
            spotlight.show(
                table,
                dtype={name: kind for name, kind in DTYPES.items() if name in table},
                layout=str(Path(folder) / LAYOUT),
                issues=[DataIssue(**issue) for issue in issues],
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
