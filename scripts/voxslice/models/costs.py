"""The costs of a model on this machine: time to load, latency of single utterances, memory.

The figures are valid only for the machine that they were measured on. Figures from different
machines cannot be compared.
"""

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from voxslice.errors import InputError, MachineError, reason_of
from voxslice.job_process import end_with_parent
from voxslice.models.speech_noise import speech_like

ANSWER = "Voxslice answer: "
"""Beginning of the line in which the process that measures gives its answer."""
PERCENTILES = {"p50_ms": 50, "p95_ms": 95, "p99_ms": 99}


def costs_table(model: str, folder: str | Path, **settings: Any) -> pd.DataFrame:
    """Measure an installed model, and add its size from the model card.

    Args:
        model: Id of the model.
        folder: Folder with model.onnx, model.yaml and model.json.
        settings: Arguments of `measure_costs`.

    Returns:
        The table of `measure_costs` with the columns `model`, `size_mb` and `parameters`.

    Raises:
        InputError: See `measure_costs`.
        MachineError: See `measure_costs`.
    """
    costs = measure_costs(folder, **settings)
    card = json.loads(Path(folder, "model.json").read_text(encoding="utf-8"))
    costs.insert(0, "model", model)
    costs.insert(5, "size_mb", card["size_mb"])
    costs.insert(6, "parameters", card["parameters"])
    return costs


def measure_costs(model: str | Path, *, threads: Sequence[int], **settings: Any) -> pd.DataFrame:
    """Measure a model. Each number of threads is measured in a separate process.

    Nothing else should run on the machine at the same time.

    Args:
        model: Folder with model.onnx and model.yaml.
        threads: Numbers of threads that compute one utterance together.
        settings: Arguments of `measure_here`.

    Returns:
        One row per number of threads and duration: `machine`, `device`, `threads`, `seconds`
        (duration of the utterance), `load_s`, `rtf` (mean seconds to compute one second of audio),
        `p50_ms`, `p95_ms`, `p99_ms` (percentiles of the latency of one utterance), `repetitions`,
        `peak_mb` (peak memory of the whole process for utterances up to this duration).

    Raises:
        InputError: The device cannot be used, or the model fails on an utterance or takes too long.
        MachineError: The process that measures was killed, or memory is short.
    """
    rows = []
    for number in sorted(set(threads)):
        answer = _measure_in_process({"model": str(model), "threads": number, **settings})
        if "machine_error" in answer:
            raise MachineError(answer["machine_error"])
        if "error" in answer:
            raise InputError(answer["error"])
        rows += answer["rows"]
    return pd.DataFrame(rows)


def _measure_in_process(arguments: dict[str, Any]) -> dict[str, Any]:
    """Call `measure_here` in a new process, which ends when this process ends.

    Returns:
        `rows`, or an `error` or `machine_error` in one sentence.
    """
    package = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    process = subprocess.run(  # noqa: S603  # this very module
        [sys.executable, "-m", "voxslice.models.costs", json.dumps(arguments)],
        env={**os.environ, "PYTHONPATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    lines = process.stdout.splitlines()
    answers = [line.removeprefix(ANSWER) for line in lines if line.startswith(ANSWER)]
    for line in lines:
        if not line.startswith(ANSWER):
            print(line)
    if answers:
        return json.loads(answers[-1])
    errors = [line.removeprefix("Error: ") for line in lines if line.startswith("Error: ")]
    if errors:  # the time limit ended the process
        return {"error": errors[-1]}
    return {
        "machine_error": "The process that measures the model was killed or crashed"
        f" (exit code {process.returncode}): check that memory is not short, and run again."
    }


def measure_here(
    model: str | Path,
    *,
    threads: int,
    device: str,
    sampling_rate: int,
    durations: Sequence[float],
    warm_up: int,
    repetitions: int,
    seconds: float,
    seed: int,
    max_seconds: float,
) -> list[dict[str, Any]]:
    """Measure a model in this process. The peak memory of the process counts as the model's.

    Args:
        model: Folder with model.onnx and model.yaml.
        threads: Number of threads that compute one utterance together.
        device: `cpu` or `cuda`.
        sampling_rate: Sampling rate that the model expects, in Hz.
        durations: Durations of the utterances, in seconds.
        warm_up: Runs of each duration that are not counted.
        repetitions: Least number of runs of each duration.
        seconds: Least total time of the runs of each duration, in seconds.
        seed: Seed of the utterances.
        max_seconds: Longest time that loading or one run may take, in seconds.

    Returns:
        One row per duration, the shortest first (see `measure_costs`).

    Raises:
        InputError: The device cannot be used, or the model fails on an utterance or takes too long.
        MachineError: Memory is short.
    """
    # not imported by the process that only starts others
    from voxslice.models.sessions import load, run, windows_of
    from voxslice.models.time_limits import TimeLimitError, time_limit

    _read_through(Path(model) / "model.onnx")
    with time_limit(max_seconds, f"Loading the model {Path(model).name}"):
        begin = time.perf_counter()
        loaded = load(model, threads=threads, device=device)
        load_s = time.perf_counter() - begin
    outputs = list(loaded.outputs)
    windows = windows_of(model)

    def latency(signal: np.ndarray) -> float:
        """Seconds that the model takes for a signal."""
        with time_limit(max_seconds, f"The model {Path(model).name}") as options:
            begin = time.perf_counter()
            run(loaded, signal, outputs, options, windows, sampling_rate=sampling_rate)
            return time.perf_counter() - begin

    rows = []
    for duration in sorted(durations):  # so that the peak memory is that of the duration
        signal = speech_like(duration, sampling_rate, seed)
        latencies: list[float] = []
        try:
            for _ in range(warm_up):
                latency(signal)
            while len(latencies) < repetitions or sum(latencies) < seconds:
                latencies.append(latency(signal))
        except TimeLimitError:
            raise
        except Exception as error:  # onnxruntime raises many kinds
            reason_of(error, f"An utterance of {duration:g} s")  # if the machine is at fault
            raise InputError(
                f"The model fails on an utterance of {duration:g} s: change costs.durations"
                f" ({' '.join(str(error).split())[:200]})."
            ) from error
        rows.append(
            {
                "machine": machine(),
                "device": device,
                "threads": threads,
                "seconds": duration,
                "load_s": round(load_s, 3),
                "rtf": round(float(np.mean(latencies)) / duration, 6),
                **{
                    name: round(1000 * float(np.percentile(latencies, percentile)), 3)
                    for name, percentile in PERCENTILES.items()
                },
                "repetitions": len(latencies),
                "peak_mb": round(peak_memory() / 1e6, 1),
            }
        )
    return rows


def machine() -> str:
    """The name of this machine, its processor and its number of logical cores."""
    processor = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [line for line in information.read_text().splitlines() if "model name" in line]
        processor = names[0].split(":", 1)[1].strip() if names else processor
    return f"{platform.node()} ({processor}, {os.cpu_count()} cores)"


def peak_memory() -> int:
    """Peak memory of this process, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would also count the process that started this one
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return 1024 * int(lines["VmHWM"].split()[0])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _read_through(path: Path) -> None:
    """Read a file, so that its content is in the cache of the operating system."""
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass


def _main(arguments: str) -> None:
    """Measure a model and print the answer as one line."""
    end_with_parent()
    answer: dict[str, Any]
    try:
        answer = {"rows": measure_here(**json.loads(arguments))}
    except MachineError as error:
        answer = {"machine_error": str(error)}
    except InputError as error:
        answer = {"error": str(error)}
    print(f"\n{ANSWER}{json.dumps(answer)}", flush=True)


if __name__ == "__main__":
    _main(sys.argv[1])
