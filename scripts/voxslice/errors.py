"""Errors that are shown as one sentence: mistakes of the user, and failures of the machine."""

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from voxslice.shown_text import visible

MAX_SENTENCE = 600
"""Most characters of a sentence: it may quote a cell of a table, which can be a whole file."""
SENTENCE_END = 240
"""Characters at the end of a longer sentence that are kept: they say what to change."""


class InputError(ValueError):
    """Bad input. One sentence tells the user what to change; there is no traceback.

    Args:
        sentence: The sentence. Control characters of names in it are made visible. The middle of a
            sentence of more than `MAX_SENTENCE` characters is left out.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(_bounded(visible(sentence)))


class MachineError(RuntimeError):
    """The machine failed, in one sentence without a traceback. The job can run again.

    Args:
        sentence: The sentence, changed as that of an `InputError` is.
    """

    def __init__(self, sentence: str) -> None:
        super().__init__(_bounded(visible(sentence)))


def _bounded(sentence: str) -> str:
    """The sentence without its middle if it is too long to be read."""
    if len(sentence) <= MAX_SENTENCE:
        return sentence
    gap = " [...] "
    start = MAX_SENTENCE - SENTENCE_END - len(gap)
    return f"{sentence[:start]}{gap}{sentence[-SENTENCE_END:]}"


FILE_ERRORS = {
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EACCES,
    errno.EPERM,
    errno.ELOOP,
    errno.ENAMETOOLONG,
    errno.EILSEQ,
    errno.EINVAL,
}
"""Errors of the operating system that concern one file and come again whenever it is read."""
FULL_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT}
"""Errors of the operating system that mean that a disk, or the user's share of it, is full."""
MACHINE_WORDS = re.compile(
    r"failed to allocate|bad[_ ]alloc|out of memory|\b(cuda|cudnn|cublas|cufft) failure|EP_FAIL",
    re.IGNORECASE,
)
"""Words of onnxruntime when memory is short or the GPU fails. Its exception types are the same for
all errors."""
ALMOST_FULL_BYTES = 10**6
"""A disk with less free space than this counts as full."""


@contextmanager
def full_disk(folder: str | Path) -> Iterator[None]:
    """Turn the error of a full disk into one sentence that names the folder.

    Args:
        folder: Folder that the block writes to.

    Raises:
        MachineError: The disk is full.
    """
    try:
        yield
    except OSError as error:
        if error.errno in FULL_DISK_ERRORS:
            raise MachineError(_full_disk_sentence(error, folder)) from error
        raise


def machine_sentence(error: BaseException, folder: str | Path) -> str | None:
    """Explain an error that any script may have because memory or a disk is full.

    Args:
        error: Exception that ended the script.
        folder: Folder that the script writes to. It is named if the error names no other folder.

    Returns:
        One sentence; None if the error has another cause.
    """
    if isinstance(error, MemoryError) or getattr(error, "errno", None) == errno.ENOMEM:
        reason = " ".join(str(error).split())[:200]
        return (
            f"This job needs more memory than it can get{f' ({reason})' if reason else ''}: close"
            " other programs or run fewer jobs at the same time, and run again."
        )
    if isinstance(error, OSError) and error.errno in FULL_DISK_ERRORS:
        return _full_disk_sentence(error, folder)
    return None


def _full_disk_sentence(error: OSError, folder: str | Path) -> str:
    """Explain that a disk is full, and name the first possible folder whose disk is full."""
    files = [
        Path(os.fsdecode(name))
        for name in (error.filename2, error.filename)
        if isinstance(name, str | bytes)
    ]
    temporary = Path(os.environ.get("TMPDIR") or tempfile.gettempdir())
    found = Path(folder)
    for place in (*(file.parent for file in files), found, Path.cwd(), temporary):
        with suppress(OSError):  # the folder may be gone
            if shutil.disk_usage(place).free < ALMOST_FULL_BYTES:
                found = place
                break
    is_temporary = found.resolve().is_relative_to(temporary.resolve())
    other = ", or set TMPDIR to a folder on another disk," if is_temporary else ""
    return f"The disk of the folder {found} is full: free space there{other} and run again."


def of_the_machine(error: BaseException) -> bool:
    """Whether an error on one utterance is the machine's fault instead of the file's.

    The failure of an utterance is a result: it is stored, and its job does not run again. Short
    memory, a full disk or a missing file system must therefore fail the job instead of the
    utterance. The job can then run again, for example with more memory on a cluster.

    Args:
        error: Exception that was raised while the utterance was read or computed.

    Returns:
        True for an error of the machine, False for an error of the file or of the model.
    """
    if isinstance(error, MachineError | MemoryError):
        return True
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno not in FILE_ERRORS
    return not isinstance(error, InputError) and bool(MACHINE_WORDS.search(str(error)))


def reason_of(error: Exception, what: str) -> str:
    """The reason why one utterance failed, in one line.

    Args:
        error: Exception that was raised while the utterance was read or computed.
        what: Name of the utterance for the message.

    Returns:
        The message of the exception without line breaks and other control characters.

    Raises:
        MachineError: The machine is at fault.
    """
    reason = visible(" ".join(str(error).split())) or type(error).__name__
    if isinstance(error, MachineError):
        raise error
    if of_the_machine(error):
        found = MACHINE_WORDS.search(reason)  # the message begins with a long path in the code
        reason = reason[found.start() if found else 0 :]
        raise MachineError(
            f"{what} could not be processed because of the machine, not because of the file"
            f" ({reason[:300]}): fix it, for example by requesting more memory, and run again."
        ) from error
    return reason
