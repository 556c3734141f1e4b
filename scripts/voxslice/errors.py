"""What went wrong: something that the user can put right, or the machine."""

import errno
import re


class InputError(ValueError):
    """Bad input: one sentence that says what to change; it is shown without a traceback."""


class MachineError(RuntimeError):
    """The machine failed: one sentence, shown without a traceback; the job is to be repeated."""


OF_A_FILE = {
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
"""Errors of the operating system that say something about one file, and stay as they are."""
OF_THE_MACHINE = re.compile(
    r"failed to allocate|bad[_ ]alloc|out of memory|\b(cuda|cudnn|cublas|cufft) failure|EP_FAIL",
    re.IGNORECASE,
)
"""What onnxruntime says where memory or the GPU is at fault; its types of errors do not tell."""


def of_the_machine(error: Exception) -> bool:
    """Whether an error on one utterance is the machine's fault, and not what the file holds.

    A failure of the utterance is a result: it is stored, and its job never runs again. So memory
    that is short, a disk that is full or a file system that is gone must not become one. They fail
    the job, which then may be repeated, as on a cluster with more memory.
    """
    if isinstance(error, MachineError | MemoryError):
        return True
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno not in OF_A_FILE
    return not isinstance(error, InputError) and bool(OF_THE_MACHINE.search(str(error)))


def reason_of(error: Exception, what: str) -> str:
    """Why one utterance failed, in one line.

    Args:
        error: that was raised on it
        what: the utterance, for the message

    Raises:
        MachineError: where the machine is at fault
    """
    reason = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, MachineError):
        raise error
    if of_the_machine(error):
        found = OF_THE_MACHINE.search(reason)  # behind a long account of the place in the code
        reason = reason[found.start() if found else 0 :]
        raise MachineError(
            f"{what} could not be processed, and the machine is at fault, not the file"
            f" ({reason[:300]}): mend this, as with more memory, and run again."
        ) from error
    return reason
