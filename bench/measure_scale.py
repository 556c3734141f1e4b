"""How do time and memory of the measures grow with the number of utterances?

    python bench/measure_scale.py              # everything; writes bench/measure_scale.md
    python bench/measure_scale.py --quick      # few utterances, printed only

Shards are planned for corpora of simulated lengths of about three seconds. Generated audio of such
lengths is then measured, each number of utterances in a process of its own, with one thread. The
audio is that of 100 files. Further utterances are hard links to them in a temporary folder.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "scripts"))

from voxslice.data.measures import measure_speech  # noqa: E402
from voxslice.data.signals import RATE  # noqa: E402
from voxslice.inference.shards import split  # noqa: E402

FILES = 100
SECONDS, SPREAD = 3.0, 0.2
"""Mean length of an utterance in seconds, and standard deviation of its logarithm."""
HOURS = 10
"""Hours of audio per shard: the default of the workflow."""
PLANNED = (1_000, 100_000, 1_000_000)
"""Numbers of utterances for which shards are planned."""
MEASURED = (1_000, 4_000, 12_000)
"""Numbers of utterances that are measured. The largest is a whole shard."""

PAGE = """\
# Benchmark of measuring many utterances

`python bench/measure_scale.py` writes this page. Utterances last three seconds on average. Python
{python}, {cores} cores, of which other work used a part.

Shards of {hours} hours are planned for simulated lengths:

| utterances | hours | shards | seconds to plan |
|--:|--:|--:|--:|
{plans}

Generated audio is measured: all measures, one thread, a process for each row. The peak memory is
that of the whole process. 12,000 utterances are one shard, and no job measures more.

| utterances | CPU seconds | ms per utterance | peak MB |
|--:|--:|--:|--:|
{costs}
"""


def lengths(rows: int) -> np.ndarray:
    """Draw lengths of utterances in seconds, shape (rows,)."""
    drawn = np.random.default_rng(0).lognormal(0, SPREAD, rows)
    return np.round(SECONDS * drawn / np.exp(SPREAD**2 / 2), 3)


def syllables(seconds: float, seed: int) -> np.ndarray:
    """Generate a voice that says four syllables per second with pauses, and weak noise."""
    rng = np.random.default_rng(seed)
    times = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(rng.uniform(90, 250) * (1 + 0.1 * np.sin(3 * times))) / RATE
    harmonics = sum(np.sin(n * phase) / n for n in range(1, 20))
    envelope = np.clip(np.sin(2 * np.pi * 4 * times), 0, None)
    return 0.1 * envelope * harmonics + 1e-3 * rng.normal(size=len(times))


def plan(rows: int) -> dict[str, float]:
    """Plan the shards of a corpus, and return their number and the seconds that it took."""
    names = [f"{row:07d}.wav" for row in range(rows)]
    durations = lengths(rows)
    start = time.perf_counter()
    shards = split(names, durations, hours=HOURS)
    seconds = time.perf_counter() - start
    return {"shards": len(shards), "hours": durations.sum() / 3600, "seconds": seconds}


def measure_here(rows: int, folder: Path) -> dict[str, float]:
    """Measure utterances in this process, and return its CPU seconds and its peak memory in MB."""
    utterances = pd.DataFrame(
        {
            "file": [f"{row:07d}.wav" for row in range(rows)],
            "start": 0.0,
            "end": lengths(FILES)[np.arange(rows) % FILES],
        }
    )
    start = time.process_time()
    measured = measure_speech(utterances, audio=folder, threads=1)
    assert len(measured) == rows
    assert measured["reason"].isna().all()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu_seconds": time.process_time() - start, "peak_mb": peak}


def measure_apart(rows: int, folder: Path) -> dict[str, float]:
    """Measure utterances in a new process, see `measure_here`."""
    command = [sys.executable, __file__, "--here", str(rows), str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True, stderr=subprocess.DEVNULL)
    return json.loads(done.stdout)


def report(planned: Sequence[int], measured: Sequence[int]) -> str:
    """Plan shards and measure utterances.

    Args:
        planned: numbers of utterances for which shards are planned
        measured: numbers of utterances that are measured, each a multiple of `FILES`

    Returns:
        the page in Markdown
    """
    plans, costs = [], []
    # measured first: the peak memory of a new process is never below the memory of its parent
    with tempfile.TemporaryDirectory(prefix="voxslice-measure-scale-") as name:
        folder = Path(name)
        for row, seconds in enumerate(lengths(FILES)):
            soundfile.write(folder / f"{row:07d}.wav", syllables(seconds, row), RATE)
        for row in range(FILES, max(measured)):
            os.link(folder / f"{row % FILES:07d}.wav", folder / f"{row:07d}.wav")
        for rows in measured:
            figures = measure_apart(rows, folder)
            each = figures["cpu_seconds"] / rows * 1000
            costs.append(
                f"| {rows:,} | {figures['cpu_seconds']:.1f} | {each:.2f} |"
                f" {figures['peak_mb']:.0f} |"
            )
    for rows in planned:
        figures = plan(rows)
        cells = [f"{rows:,}", f"{figures['hours']:.1f}", str(figures["shards"])]
        plans.append(f"| {' | '.join(cells)} | {figures['seconds']:.2f} |")
    return PAGE.format(
        python=platform.python_version(),
        cores=os.cpu_count(),
        hours=HOURS,
        plans="\n".join(plans),
        costs="\n".join(costs),
    )


def main() -> None:
    """Run the benchmark with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few utterances, printed only")
    parser.add_argument("--here", nargs=2, metavar=("ROWS", "FOLDER"), help="used by this script")
    options = parser.parse_args()
    if options.here:
        print(json.dumps(measure_here(int(options.here[0]), Path(options.here[1]))))
    elif options.quick:
        print(report(PLANNED, [FILES, 2 * FILES]))
    else:
        (HERE / "measure_scale.md").write_text(report(PLANNED, MEASURED), encoding="utf-8")


if __name__ == "__main__":
    main()
