"""Compare the speed of a model and its variants, and print which operators take the time.

    python bench/variants.py MODEL [--rounds 15]

MODEL is a folder with model.onnx and model.yaml. The models take turns, so that other work on the
machine slows all of them.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import onnxruntime

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from voxslice.models import costs
from voxslice.models.speech_noise import speech_like
from voxslice.models.variants import to_fp16, to_int8

RATE = 16000


def session(path: Path, threads: int, profile: str = "") -> onnxruntime.InferenceSession:
    """Load a model; with a prefix for a file name, onnxruntime writes a profile."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    if profile:
        options.enable_profiling, options.profile_file_prefix = True, profile
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def shares(path: Path, folder: Path, signal: np.ndarray) -> str:
    """The operators that take most of the time with one thread, as text."""
    run = session(path, 1, str(folder / "profile"))
    for _ in range(8):
        run.run(None, {run.get_inputs()[0].name: signal})
    taken: Counter[str] = Counter()
    for event in json.loads(Path(run.end_profiling()).read_text()):
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time"):
            taken[event["args"]["op_name"]] += event["dur"]
    total = sum(taken.values())
    return ", ".join(f"{name} {count / total:.0%}" for name, count in taken.most_common(5))


def main() -> None:
    """Print a table of speeds and the operators of each model."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        paths = {"source": options.model / "model.onnx"}
        for variant, convert in (("int8", to_int8), ("fp16", to_fp16)):
            paths[variant] = Path(name, f"{variant}.onnx")
            convert(paths["source"], paths[variant])
        print(f"{costs.machine()}, onnxruntime {onnxruntime.__version__}, {options.rounds} rounds")
        print("| model | MB | threads | seconds of audio | ms, least | times as fast | by CPU |")
        print("|---|--:|--:|--:|--:|--:|--:|")
        for threads in (1, 2):
            sessions = {variant: session(path, threads) for variant, path in paths.items()}
            for seconds in (2, 5):
                signal = speech_like(seconds, RATE, 0)
                wall: dict[str, list[float]] = {variant: [] for variant in paths}
                cpu: dict[str, list[float]] = {variant: [] for variant in paths}
                for _ in range(options.rounds + 2):  # two to warm up
                    for variant, run in sessions.items():
                        before, begin = time.process_time(), time.perf_counter()
                        run.run(None, {run.get_inputs()[0].name: signal})
                        wall[variant].append(time.perf_counter() - begin)
                        cpu[variant].append(time.process_time() - before)
                for variant, path in paths.items():
                    walls, cpus = np.array(wall[variant][2:]), np.array(cpu[variant][2:])
                    faster = np.median(np.array(wall["source"][2:]) / walls)
                    cheaper = np.median(np.array(cpu["source"][2:]) / cpus)
                    print(
                        f"| {variant} | {path.stat().st_size / 1e6:.0f} | {threads} | {seconds} |"
                        f" {1000 * walls.min():.0f} | {faster:.2f} | {cheaper:.2f} |"
                    )
        print()
        for variant, path in paths.items():
            print(f"- {variant}: {shares(path, Path(name), speech_like(2, RATE, 0))}")


if __name__ == "__main__":
    main()
