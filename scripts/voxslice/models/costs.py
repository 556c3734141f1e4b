"""What a model costs on this machine: time to load, latency of single utterances, memory.

The figures belong to the machine that they were measured on; those of two machines say nothing
about two models.
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

from voxslice.errors import InputError

PERCENTILES = {"p50_ms": 50, "p95_ms": 95, "p99_ms": 99}


def measure_costs(model: str | Path, *, threads: Sequence[int], **settings: Any) -> pd.DataFrame:
    """Measure a model, for each number of threads in a process of its own.

    Nothing else should run on the machine meanwhile.

    Args:
        model: folder with model.onnx and model.yaml
        threads: numbers of threads that compute one utterance together
        settings: of `measure_here`

    Returns:
        `machine`, `device`, `threads`, `seconds` (duration of the utterance), `load_s`, `rtf`
        (mean seconds of computing a second of audio), `p50_ms`, `p95_ms`, `p99_ms` (percentiles of
        the latency of one utterance), `repetitions`, `peak_mb` (of the whole process, up to and
        with utterances of this duration)

    Raises:
        InputError: where the device cannot be used, or the model fails on an utterance
    """
    rows = []
    for number in sorted(set(threads)):
        arguments = json.dumps({"model": str(model), "threads": number, **settings})
        process = subprocess.run(  # noqa: S603  # this very module
            [sys.executable, "-m", "voxslice.models.costs", arguments],
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        answer = json.loads(process.stdout.splitlines()[-1])
        if "error" in answer:
            raise InputError(answer["error"])
        rows += answer["rows"]
    return pd.DataFrame(rows)


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
) -> list[dict[str, Any]]:
    """Measure a model in this process, whose peak of memory counts as the model's.

    Args:
        model: folder with model.onnx and model.yaml
        threads: that compute one utterance together
        device: `cpu` or `cuda`
        sampling_rate: that the model expects, in Hz
        durations: of the utterances, in seconds
        warm_up: runs of each duration that are not counted
        repetitions: least number of runs of each duration
        seconds: least time that the runs of each duration take together
        seed: of the utterances

    Returns:
        a row for each duration, the shortest first, as `measure_costs` describes it

    Raises:
        InputError: where the device cannot be used, or the model fails on an utterance
    """
    from voxslice.models.sessions import load  # not in the process that only starts others

    _read_through(Path(model) / "model.onnx")
    begin = time.perf_counter()
    loaded = load(model, threads=threads, device=device)
    load_s = time.perf_counter() - begin
    outputs = list(loaded.outputs)
    rows = []
    for duration in sorted(durations):  # so that the peak of memory is that of the duration
        signal = speech_like(duration, sampling_rate, seed)
        latencies: list[float] = []
        try:
            for _ in range(warm_up):
                loaded(signal, sampling_rate, outputs=outputs)
            while len(latencies) < repetitions or sum(latencies) < seconds:
                begin = time.perf_counter()
                loaded(signal, sampling_rate, outputs=outputs)
                latencies.append(time.perf_counter() - begin)
        except Exception as error:  # onnxruntime raises a dozen kinds
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


def speech_like(seconds: float, sampling_rate: int, seed: int) -> np.ndarray:
    """Noise with the outline of speech: it falls by 6 dB an octave and beats like syllables.

    Args:
        seconds: duration
        sampling_rate: in Hz
        seed: of the noise

    Returns:
        float32 of shape (1, samples), between -1 and 1
    """
    samples = max(1, round(seconds * sampling_rate))
    generator = np.random.default_rng(seed)
    spectrum = np.fft.rfft(generator.standard_normal(samples))
    spectrum /= np.maximum(np.fft.rfftfreq(samples, 1 / sampling_rate), 100)
    syllables = 1 - np.cos(2 * np.pi * 4 * np.arange(samples) / sampling_rate)  # four a second
    signal = np.fft.irfft(spectrum, samples) * (0.1 + syllables)
    peak = np.abs(signal).max()
    return (0.5 * signal / peak if peak else signal).astype(np.float32)[np.newaxis]


def machine() -> str:
    """Name of this machine, its processor and its number of logical cores."""
    processor = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.exists():
        names = [line for line in information.read_text().splitlines() if "model name" in line]
        processor = names[0].split(":", 1)[1].strip() if names else processor
    return f"{platform.node()} ({processor}, {os.cpu_count()} cores)"


def peak_memory() -> int:
    """Most memory that this process has held at a time, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():  # getrusage would count what the process was forked from
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines() if ":" in line)
        return 1024 * int(lines["VmHWM"].split()[0])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _read_through(path: Path) -> None:
    """Read a file, so that it is in memory whatever was read before."""
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass


if __name__ == "__main__":
    try:
        print(json.dumps({"rows": measure_here(**json.loads(sys.argv[1]))}))
    except InputError as error:
        print(json.dumps({"error": str(error)}))
