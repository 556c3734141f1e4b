"""A limit to the time that onnxruntime may take: an ONNX file may hold a loop that never ends."""

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import onnxruntime

from voxslice.errors import InputError
from voxslice.job_process import dismiss_witness

MAX_SECONDS = 600.0
"""Longest time to load a model or to compute one utterance, unless the config gives another."""
GRACE_S = 30.0
"""Seconds that onnxruntime has to stop when it is told to. It looks only between two operators."""


class TimeLimitError(InputError):
    """A model took longer than it is allowed to."""


@contextmanager
def time_limit(seconds: float, what: str) -> Iterator[onnxruntime.RunOptions]:
    """Stop a computation of onnxruntime that takes too long.

    onnxruntime is told to stop, which it does between two operators. If it has not stopped after
    `GRACE_S`, as in a single operator without an end or while it loads a file, nothing but the end
    of the process stops it: the process then ends with the same sentence.

    Args:
        seconds: Longest time that the block may take.
        what: What takes the time, as the subject of the sentence.

    Yields:
        Options to be given to `InferenceSession.run`.

    Raises:
        TimeLimitError: The block raised an exception after it was told to stop.
    """
    options = onnxruntime.RunOptions()
    done = threading.Event()
    sentence = (
        f"{what} takes longer than {seconds:g} s: use another model or raise limits.model_seconds."
    )

    def watch() -> None:
        if not done.wait(min(seconds, threading.TIMEOUT_MAX)):
            options.terminate = True
            if not done.wait(GRACE_S):
                _end_process(sentence)

    threading.Thread(target=watch, daemon=True).start()
    try:
        yield options
    except Exception as error:
        if options.terminate:
            raise TimeLimitError(sentence) from error
        raise
    finally:
        done.set()


def _end_process(sentence: str) -> None:
    """End this process with a sentence in the log and on the terminal."""
    for output in {id(stream): stream for stream in (sys.stderr, sys.__stderr__)}.values():
        with suppress(OSError, ValueError, AttributeError):
            print(f"Error: {sentence}", file=output, flush=True)
    dismiss_witness()
    os._exit(1)
