"""The output and the errors of a job go to its log."""

import os
import subprocess
import sys

import pytest
from voxslice.errors import InputError
from voxslice.logs import to_log


def test_output_goes_only_to_the_log(tmp_path, capsys):
    path = tmp_path / "logs" / "job.log"
    with to_log(str(path)):
        print("to stdout")
        print("to stderr ü", file=sys.stderr)
    assert path.read_text(encoding="utf-8") == "to stdout\nto stderr ü\n"
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""
    print("afterwards")
    assert capsys.readouterr().out == "afterwards\n"


@pytest.mark.parametrize("wrap", [str, lambda path: [str(path)], lambda path: (path, "other")])
def test_the_log_may_be_a_path_or_a_sequence(tmp_path, wrap):
    path = tmp_path / "job.log"
    with to_log(wrap(path)):
        print("text")
    assert path.read_text() == "text\n"


def test_the_log_is_written_line_by_line(tmp_path):
    path = tmp_path / "job.log"
    with to_log(path):
        print("first")
        assert path.read_text() == "first\n"


def test_a_mistake_of_the_user_is_one_sentence(tmp_path, capsys):
    path = tmp_path / "job.log"
    with pytest.raises(SystemExit) as ended, to_log(path):
        print("before")
        raise InputError("the config says x: write y.")
    assert ended.value.code == 1
    assert path.read_text() == "before\nError: the config says x: write y.\n"
    captured = capsys.readouterr()
    assert captured.err == "Error: the config says x: write y.\n"
    assert captured.out == ""


def test_the_traceback_of_other_errors_goes_only_to_the_log(tmp_path, capsys):
    path = tmp_path / "job.log"
    with pytest.raises(SystemExit) as ended, to_log(path):
        raise ZeroDivisionError("by zero")
    assert ended.value.code == 1
    log = path.read_text()
    assert "Traceback" in log and "test_logs.py" in log and log.endswith("by zero\n")
    terminal = capsys.readouterr().err
    assert terminal == f"Unexpected ZeroDivisionError: by zero (log: {path})\n"


def test_an_interruption_is_raised_unchanged(tmp_path):
    with pytest.raises(KeyboardInterrupt), to_log(tmp_path / "job.log"):
        raise KeyboardInterrupt


PROGRAM = """
import resource, sys
from voxslice.logs import to_log
import numpy, pyarrow
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
with to_log(sys.argv[1]):
    {call}
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "call",
    [
        "bytes(4 << 30)",
        "numpy.ones(1 << 29)",
        "pyarrow.allocate_buffer(4 << 30)",
        "[bytes(1 << 20) for _ in range(4096)]",
        "import subprocess; raise OSError(12, 'Cannot allocate memory')",
    ],
)
def test_short_memory_is_one_sentence(tmp_path, call):
    path = tmp_path / "job.log"
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(call=call), path],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: This job needs more memory than it can get")
    assert ended.stderr.count("\n") == 1
    assert path.read_text() == ended.stderr
