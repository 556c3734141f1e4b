"""A limit on the time of onnxruntime, because an ONNX file may contain a loop that never ends."""

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
"""Seconds until onnxruntime must have stopped. It checks for a stop only between two operators."""


class TimeLimitError(InputError):
    """A model took longer than the limit."""


@contextmanager
def time_limit(seconds: float, what: str) -> Iterator[onnxruntime.RunOptions]:
    """Stop a computation of onnxruntime that takes too long.

    onnxruntime is asked to stop, which it does between two operators. It may not stop within
    `GRACE_S`, for example in a single operator that never ends or while it loads a file. Then the
    process ends with the same sentence.

    Args:
        seconds: Longest time that the block may take.
        what: Name of the computation, which is the subject of the message.

    Yields:
        Options to be given to `InferenceSession.run`.

    Raises:
        TimeLimitError: The block raised an exception after it was asked to stop.
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
