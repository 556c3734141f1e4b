"""A disk that is really full: a small file system in memory, mounted in a separate process."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
disk, other = (Path(word) for word in sys.argv[1:])
from voxslice.logs import to_log
{imports}
with to_log({log}):
    {call}
"""


def run_on_full_disk(
    folder: Path, imports: str, call: str, *, log: str = "other / 'job.log'", megabytes: int = 1
) -> subprocess.CompletedProcess[str]:
    """Run a call as a script of the workflow does; `disk` is a folder on a disk of a few MB.

    Args:
        folder: Folder that receives `disk` and `other`, which is on another disk.
        imports: Statements that come before the call.
        call: One expression.
        log: Expression for the path of the log.
        megabytes: Size of the disk.
    """
    if not shutil.which("unshare"):
        pytest.skip("unshare is not installed")
    disk, other = folder / "disk", folder / "other"
    disk.mkdir()
    other.mkdir(exist_ok=True)
    path = [str(Path(__file__).parents[2] / "scripts")]
    code = PROGRAM.format(path=path, imports=imports, call=call, log=log)
    mount = f'mount -t tmpfs -o size={megabytes}m none "$1" || exit 77; exec "$2" -c "$3" "$1" "$4"'
    words = ["unshare", "--map-root-user", "--mount", "sh", "-c", mount, "sh"]
    result = subprocess.run(
        [*words, disk, sys.executable, code, other],
        env={**os.environ, "TMPDIR": str(disk)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if result.returncode == 77 or "unshare" in result.stderr:
        pytest.skip("this machine does not allow to mount a file system")
    return result


def require_sentence(result: subprocess.CompletedProcess[str], folder: Path) -> None:
    """Check that a call ended with one sentence that names the folder, without a traceback."""
    assert result.returncode == 1
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    assert lines[0].startswith(f"Error: The disk of the folder {folder}"), lines
    assert "is full: free space there" in lines[0]
