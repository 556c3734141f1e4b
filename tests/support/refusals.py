"""Measure the time and memory until bad input is refused, in a separate process."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "scripts"
MAX_SECONDS = 2.0
"""Largest CPU seconds of a refusal. CPU time hardly depends on other work on the machine."""
TIMEOUT = 60
"""Seconds after which a call counts as one that never ends."""
MAX_MB = 300

RUNNER = """
import json, sys, time
from pathlib import Path
sys.path[:0] = {path!r}
{imports}

def peak_mb():
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e3

begin, error = time.process_time(), None
try:
    {call}
except Exception as raised:
    error = [type(raised).__name__, str(raised)]
seconds = time.process_time() - begin
print(json.dumps({{"error": error, "seconds": seconds, "mb": peak_mb()}}))
"""


@dataclass
class Refusal:
    """The result of a call in a separate process.

    Attributes:
        kind: Name of the exception's class.
        message: Text of the exception.
        seconds: Processor time of the call, without that of the imports.
        mb: Most memory of the whole process, with that of the imports.
    """

    kind: str
    message: str
    seconds: float
    mb: float


def refusal(imports: str, call: str) -> Refusal:
    """Run a call that must raise, and measure it.

    Args:
        imports: Statements that come before the measured time.
        call: One expression.
    """
    path = [str(PACKAGE), str(PACKAGE.parent / "tests/support")]
    code = RUNNER.format(path=path, imports=imports, call=call)
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=TIMEOUT, check=True
    )
    answer = json.loads(result.stdout.splitlines()[-1])
    assert answer["error"], f"{call} was not refused"
    return Refusal(*answer["error"], answer["seconds"], answer["mb"])


def require_cheap(found: Refusal) -> None:
    """Check that input was refused with a message, and with little time and memory."""
    assert found.kind == "InputError", found
    assert found.seconds < MAX_SECONDS, found
    assert found.mb < MAX_MB, found
