"""What a job prints goes to its log; a mistake of the user's ends it with one sentence."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from voxslice.errors import InputError, MachineError


@contextmanager
def to_log(log: object) -> Iterator[None]:
    """Write stdout and stderr of the block to a log file.

    An `InputError` or `MachineError` ends the process with its sentence in the log and on the
    terminal; any other exception leaves its traceback in the log and one line on the terminal.

    Args:
        log: path of the log file, or a sequence whose first item is the path (Snakemake's `log`)

    Raises:
        SystemExit: with code 1 where the block raised an exception
    """
    path = Path(str(log if isinstance(log, str | Path) else log[0]))  # type: ignore[index]
    path.parent.mkdir(parents=True, exist_ok=True)
    terminal = sys.stderr
    with path.open("w", buffering=1, encoding="utf-8") as file:
        try:
            with redirect_stdout(file), redirect_stderr(file):
                yield
        except (InputError, MachineError) as error:
            print(f"Error: {error}", file=file)
            print(f"Error: {error}", file=terminal)
            sys.exit(1)
        except Exception as error:
            traceback.print_exc(file=file)
            print(f"Unexpected {type(error).__name__}: {error} (log: {path})", file=terminal)
            sys.exit(1)
