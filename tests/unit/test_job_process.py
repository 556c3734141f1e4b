"""A job that crashes or is left alone ends in one sentence."""

import os
import signal
import subprocess
import sys
import time

import pytest
from voxslice.job_process import parent_ids

SCRIPT = """
import os, signal, sys, time
from voxslice.errors import InputError
from voxslice.logs import to_log
snakemake = object()  # as in a script of Snakemake
with to_log(sys.argv[1]):
    print("begin", flush=True)
    {call}
"""
CRASHED = "Error: The job was killed or crashed (log: "


def start(tmp_path, call, before=()):
    return subprocess.Popen(
        [*before, sys.executable, "-c", SCRIPT.format(call=call), tmp_path / "job.log"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=take_interruptions,
    )


def take_interruptions():
    """Stop ignoring Ctrl-C, which a shell lets jobs in the background ignore."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize(
    "call",
    [
        "os.kill(os.getpid(), signal.SIGKILL)",  # as by the kernel when memory is short
        "os.abort()",  # as native code when memory is short
        "os.kill(os.getpid(), signal.SIGSEGV)",
        "os._exit(3)",
    ],
)
def test_a_job_that_dies_without_a_word_is_reported_in_one_sentence(tmp_path, call):
    words = start(tmp_path, call).communicate(timeout=30)[1]
    assert words.count("\n") == 1
    assert words.startswith(f"{CRASHED}{tmp_path / 'job.log'}), which happens when memory is short")
    assert (tmp_path / "job.log").read_text() == f"begin\n{words}"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("pass", ""),
        ("raise InputError('change this.')", "Error: change this.\n"),
        ("raise MemoryError", "Error: This job needs more memory than it can get: "),
        ("sys.exit(1)", ""),
    ],
)
def test_a_job_that_reports_its_end_is_not_reported_again(tmp_path, call, words):
    found = start(tmp_path, call).communicate(timeout=30)[1]
    assert found.startswith(words)
    assert found.count("\n") == bool(words)


def test_an_interrupted_job_is_not_called_crashed(tmp_path):
    process = start(tmp_path, "time.sleep(60)")
    wait_for(tmp_path / "job.log")
    os.killpg(process.pid, signal.SIGINT)
    words = process.communicate(timeout=30)[1]
    assert "KeyboardInterrupt" in words
    assert CRASHED not in words


def wait_for(path):
    begin = time.monotonic()
    while not (path.exists() and path.read_text()):
        assert time.monotonic() - begin < 30
        time.sleep(0.02)


@pytest.mark.slow
@pytest.mark.parametrize("shell", ["", "sh"])
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells the parent of a shell")
def test_a_job_ends_with_the_process_that_started_it(tmp_path, shell):
    """A process like Snakemake starts the job, with and without a shell that waits for the job."""
    words = [sys.executable, "-c", SCRIPT.format(call="time.sleep(60)"), str(tmp_path / "job.log")]
    if shell:
        words = ["sh", "-c", '"$@"; true', "sh", *words]
    program = f"import subprocess; subprocess.run({words!r})"
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(tmp_path / "job.log")
    os.kill(parent.pid, signal.SIGKILL)
    assert parent.communicate(timeout=10)[1] == ""  # ends when the job closes its stderr
    assert (tmp_path / "job.log").read_text() == "begin\n"


def test_the_parent_is_known():
    assert parent_ids()[0] == os.getppid()
