"""The process of a job: it ends with Snakemake, and its sudden end is reported in one sentence."""

import os
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path

INTERVAL_S = 0.5
"""Seconds between two looks at the parent process."""
SHELLS = ("sh", "bash", "dash", "zsh")
"""Names of shells: Snakemake starts a script through one, which waits for the script."""
REPORT = 'read -r done || printf "%s\\n" "$1" | tee -a "$2" >&2'
"""Shell program that reports, on the terminal and in the log, that its input ended too early."""

_witness: subprocess.Popen[bytes] | None = None


def end_with_parent() -> None:
    """End this process, whatever it does, soon after its parent process has ended.

    Otherwise a second Ctrl-C would end Snakemake and leave its jobs running.
    """
    parents = parent_ids()

    def watch() -> None:
        while parent_ids() == parents:
            time.sleep(INTERVAL_S)
        dismiss_witness()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def parent_ids() -> tuple[int, ...]:
    """Ids of the parent process and, if it is a shell, of the shell's parent process.

    The parent of a shell is only known on Linux. Once a process has ended, another one becomes the
    parent of its children.
    """
    parent = os.getppid()
    try:
        # "pid (name) state parent ...", where the name may contain blanks and parentheses
        start, _, rest = Path(f"/proc/{parent}/stat").read_text("utf-8").rpartition(") ")
        name, grandparent = start.partition(" (")[2], int(rest.split()[1])
    except (OSError, ValueError, IndexError):
        return (parent,)
    return (parent, grandparent) if name in SHELLS else (parent,)


def start_witness(log: Path) -> None:
    """Start a small process that reports in one sentence if this process ends suddenly.

    A process cannot report by itself that it was killed or that native code crashed. Both happen
    when memory is short.

    Args:
        log: Log file of the job.
    """
    global _witness
    sentence = (
        f"Error: The job was killed or crashed (log: {log}), which happens when memory is short:"
        " close other programs or run fewer jobs at the same time, and run again."
    )
    _witness = subprocess.Popen(  # noqa: S603  # a fixed program
        ["/bin/sh", "-c", REPORT, "sh", sentence, log],
        stdin=subprocess.PIPE,
    )


def dismiss_witness() -> None:
    """End the process that `start_witness` started, because this process ends normally."""
    global _witness
    if _witness:
        with suppress(OSError, ValueError):  # it may have ended, for example by Ctrl-C
            _witness.communicate(b"done\n")
        _witness = None
