"""A job ends with the process that started it: otherwise a second Ctrl-C leaves it running."""

import os
import threading
import time
from pathlib import Path

INTERVAL_S = 0.5
"""Seconds between two looks at the parent process."""
SHELLS = ("sh", "bash", "dash", "zsh")
"""Names of shells: Snakemake starts a script through one, which waits for the script."""


def end_with_parent() -> None:
    """End this process, whatever it does, soon after its parent process has ended."""
    parents = parent_ids()

    def watch() -> None:
        while parent_ids() == parents:
            time.sleep(INTERVAL_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def parent_ids() -> tuple[int, ...]:
    """Ids of the parent process and, if it is a shell, of the shell's parent process.

    The parent of a shell is only known on Linux. Once a process has ended, another one becomes the
    parent of its children.
    """
    parent = os.getppid()
    try:
        # "pid (name) state parent ...", where the name may hold blanks and parentheses
        start, _, rest = Path(f"/proc/{parent}/stat").read_text("utf-8").rpartition(") ")
        name, grandparent = start.partition(" (")[2], int(rest.split()[1])
    except (OSError, ValueError, IndexError):
        return (parent,)
    return (parent, grandparent) if name in SHELLS else (parent,)
