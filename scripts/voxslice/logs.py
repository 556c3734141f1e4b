"""Log files of jobs: they contain what a job prints, and expected errors as one sentence."""

import io
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import NoReturn, TextIO

from voxslice.errors import InputError, MachineError, full_disk, machine_sentence
from voxslice.job_process import dismiss_witness, end_with_parent, start_witness
from voxslice.shown_text import visible


@contextmanager
def to_log(log: str | Path | Sequence[str]) -> Iterator[None]:
    """Write stdout and stderr of the block to a log file.

    An `InputError`, a `MachineError`, short memory or a full disk ends the process with one
    sentence in the log and on the terminal. Any other exception leaves its traceback in the log and
    one line on the terminal. A script that Snakemake runs ends when Snakemake ends, and it is
    reported in one sentence if the script is killed or crashes.

    Args:
        log: Path of the log file, or a sequence whose first item is the path (Snakemake's `log`).

    Raises:
        SystemExit: With code 1 if the block raised an exception.
    """
    path = Path(log if isinstance(log, str | Path) else log[0])
    terminal = sys.stderr
    try:
        with full_disk(path.parent):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = Log(path.open("wb"), encoding="utf-8", line_buffering=True)
    except MachineError as error:
        _end(f"Error: {error}", terminal)
    if hasattr(sys.modules["__main__"], "snakemake"):
        end_with_parent()
        start_witness(path)
    try:
        with redirect_stdout(file), redirect_stderr(file):
            yield
    except (InputError, MachineError) as error:
        _end(f"Error: {error}", terminal, file)
    except Exception as error:
        if sentence := machine_sentence(error, path.parent):
            _end(f"Error: {sentence}", terminal, file)
        with suppress(OSError):
            traceback.print_exc(file=file)
        _end(f"Unexpected {type(error).__name__}: {error} (log: {path})", terminal)
    finally:
        dismiss_witness()
        with suppress(OSError):  # the disk of the log may be full
            file.close()


class Log(io.TextIOWrapper):
    """A log file, in which control characters of data are visible and not run by a terminal."""

    def write(self, text: str) -> int:
        """Write text with visible control characters.

        Line ends, tabs, and a carriage return at the beginning (as in progress bars) are kept.

        Args:
            text: Text to write.

        Returns:
            Number of characters of the text.
        """
        bar = text.startswith("\r")
        super().write("\r" * bar + visible(text[bar:], keep="\n\t"))
        return len(text)


def _end(line: str, *outputs: TextIO) -> NoReturn:
    """End the process with one line on each output."""
    for output in outputs:
        with suppress(OSError):
            print(visible(line), file=output)
    sys.exit(1)
