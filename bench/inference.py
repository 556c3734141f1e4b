"""Time three ways of inference: a plain script, this workflow, and onnxruntime without audio files.

python bench/inference.py MODEL [--audio FOLDER] [--utterances 24] [--rounds 5]

MODEL is a folder with model.onnx and model.yaml. FOLDER contains audio files, for example
resources/emodb/audio/wav after the default study. Without it, speech-like noise of two seconds is
written. The ways take turns, so that other work on the machine slows all of them. Loading the model
is timed separately.
"""

import argparse
import contextlib
import io
import os
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import audinterface
import audonnx
import numpy as np
import onnxruntime
import pandas as pd
import soundfile

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from voxslice.data import audio
from voxslice.files import read_embeddings, read_predictions
from voxslice.inference import predict
from voxslice.models import costs
from voxslice.models.sessions import load
from voxslice.models.speech_noise import speech_like

RATE = 16000
SUFFIXES = {".wav", ".flac", ".ogg", ".mp3"}


def prepare(folder: Path | None, count: int, temporary: Path) -> tuple[Path, pd.DataFrame]:
    """A folder of audio and the first `count` utterances in it."""
    if folder is None:
        folder = temporary / "audio"
        folder.mkdir()
        for number in range(count):
            signal = speech_like(2, RATE, number)[0]
            soundfile.write(str(folder / f"{number:04d}.wav"), signal, RATE)
    files = sorted(path for path in folder.rglob("*") if path.suffix in SUFFIXES)[:count]
    rows = [
        {"file": str(path.relative_to(folder)), "start": 0.0, "end": audio.seconds(path)}
        for path in files
    ]
    return folder, pd.DataFrame(rows)


def main() -> None:
    """Time the ways and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--audio", type=Path)
    parser.add_argument("--utterances", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    threads = arguments.threads

    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(threads) as pool:
        folder, utterances = prepare(arguments.audio, arguments.utterances, Path(name))
        paths = [str(folder / file) for file in utterances["file"]]
        signals = [
            audio.read_utterance(path, 0, end, RATE)
            for path, end in zip(paths, utterances["end"], strict=True)
        ]
        begin = time.perf_counter()
        single = load(arguments.model, threads=1)
        loading = time.perf_counter() - begin
        plain = audinterface.Process(
            process_func=audonnx.load(str(arguments.model)),
            sampling_rate=RATE,
            resample=True,
            mixdown=True,
        )
        together = onnxruntime.InferenceSession(
            str(arguments.model / "model.onnx"), providers=["CPUExecutionProvider"]
        )
        entry = together.get_inputs()[0].name
        predict.load = lambda *_, **__: single  # loaded once, as in the other ways
        predictions = Path(name) / "0.parquet"
        results: dict[str, object] = {}

        def script() -> None:
            results["script"] = plain.process_files(paths).to_list()

        def workflow() -> None:
            predict.predict(
                utterances,
                audio=folder,
                model=arguments.model,
                embedding_output="hidden_states",
                sampling_rate=RATE,
                threads=threads,
                device="cpu",
                predictions=predictions,
                failures=Path(name) / "0.csv",
                silence=Path(name) / "silence.csv",
            )

        def callers() -> None:
            list(pool.map(lambda signal: single.sess.run(None, {entry: signal}), signals))

        def operators() -> None:
            for signal in signals:
                together.run(None, {entry: signal})

        ways: dict[str, Callable[[], None]] = {
            "(a) plain script": script,
            "(b) this workflow": workflow,
            f"(c) bare, {threads} utterances at a time": callers,
            f"(c) bare, {threads} threads in an operator": operators,
        }
        wall: dict[str, list[float]] = {way: [] for way in ways}
        cpu: dict[str, list[float]] = {way: [] for way in ways}
        operators(), callers()  # the first runs lay out memory
        for _ in range(arguments.rounds):
            for way, run in ways.items():
                before, begin = time.process_time(), time.perf_counter()
                with contextlib.redirect_stderr(io.StringIO()):  # the progress bar
                    run()
                wall[way].append(time.perf_counter() - begin)
                cpu[way].append(time.process_time() - before)
        table = read_predictions([str(predictions)])

        embeddings = read_embeddings([str(predictions)])[1]

    labels = {name: node.labels for name, node in single.outputs.items() if name != "hidden_states"}
    furthest = max(
        float(np.abs(np.ravel(row[output])[position] - table[label].iloc[number]))
        for output, columns in labels.items()
        for position, label in enumerate(columns)
        for number, row in enumerate(results["script"])
    )
    hidden = np.stack([np.ravel(row["hidden_states"]) for row in results["script"]])
    furthest_hidden = float(np.abs(hidden - embeddings).max())
    length = utterances["end"].sum()
    first, second, *bare = [np.array(times) for times in wall.values()]
    print(
        f"{costs.machine()}; {len(paths)} utterances of {length / len(paths):.1f} s, "
        f"{arguments.rounds} rounds; the model loads in {loading:.1f} s; "
        f"(a) and (b) differ by {furthest:.1e} at most in a label's output (to reach: 1e-4), and by"
        f" {furthest_hidden:.1e} in the embedding"
    )
    print("| way | seconds, median (least) | CPU seconds | of the plain script's speed |")
    print("|---|--:|--:|--:|")
    for way in ways:
        times = np.array(wall[way])
        print(
            f"| {way} | {np.median(times):.2f} ({times.min():.2f}) | {np.median(cpu[way]):.2f}"
            f" | {np.median(first / times):.2f} |"
        )
    best = min(bare, key=np.median)
    print(
        f"\n(b) of (a): {np.median(first / second):.2f} (to reach: 1.75 on two cores);"
        f" (b) of the better (c): {np.median(best / second):.2f} (to reach: 0.95)"
    )


if __name__ == "__main__":
    main()
