"""Time inference in conditions compared with inference on clean audio.

python bench/conditions.py MODEL [--audio FOLDER] [--utterances 8] [--rounds 5]

MODEL is a folder with model.onnx and model.yaml. FOLDER contains audio files. Without it,
speech-like noise of two seconds is written. Conditions take turns with clean audio, so that other
work on the machine slows all of them. The overhead is the processor time in a condition, divided by
that of clean audio in the same round. If all cores are busy, it is also the overhead in time.
"""

import argparse
import contextlib
import io
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from inference import RATE, prepare
from voxslice.conditions.perturbations import Perturbation
from voxslice.conditions.rooms import RATE as ROOM_RATE
from voxslice.conditions.rooms import simulated_rooms
from voxslice.conditions.talkers import choose_talkers
from voxslice.config.condition_checks import STANDARD
from voxslice.inference import predict
from voxslice.models import costs
from voxslice.models.sessions import load


def main() -> None:
    """Time the conditions and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", type=Path)
    parser.add_argument("--audio", type=Path)
    parser.add_argument("--utterances", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory() as name:
        folder, utterances = prepare(arguments.audio, arguments.utterances, Path(name))
        speakers = [f"s{number % 12}" for number in range(len(utterances))]
        contents = pd.DataFrame({"file": utterances["file"], "content": "x"})
        talkers = choose_talkers(utterances.assign(speaker=speakers), contents, 0)
        rooms = Path(name) / "rooms"
        rooms.mkdir()
        for number, response in enumerate(simulated_rooms(STANDARD["room"]["room"], 0)):
            soundfile.write(rooms / f"{number}.flac", 0.999 * response, ROOM_RATE, subtype="PCM_24")
        model = load(arguments.model, threads=1)
        predict.load = lambda *_, **__: model  # loaded once for all conditions

        def run(change: Perturbation | None) -> float:
            """Processor time of inference in seconds."""
            begin = time.process_time()
            with contextlib.redirect_stderr(io.StringIO()):  # the progress bar
                predict.predict(
                    utterances,
                    audio=folder,
                    model=arguments.model,
                    embedding_output=None,
                    sampling_rate=RATE,
                    threads=arguments.threads,
                    device="cpu",
                    change=change,
                    predictions=Path(name) / "0.parquet",
                    failures=Path(name) / "0.csv",
                    silence=Path(name) / "silence.csv",
                )
            return time.process_time() - begin

        conditions = STANDARD | {
            "speech-shaped": {"noise": "speech-shaped", "snr": 10},
            "vorbis": {"codec": "vorbis", "kbps": 48},
            "opus, 9 kbit/s": {"codec": "opus", "kbps": 9},
            "opus, 24 kbit/s": {"codec": "opus", "kbps": 24},
        }
        changes = {
            condition: Perturbation(
                settings,
                condition=condition,
                seed=0,
                audio=folder,
                talkers=talkers,
                recordings=rooms if "room" in settings else None,
            )
            for condition, settings in conditions.items()
        }
        for change in (None, *changes.values()):
            run(change)  # lays out memory, and fills caches
        ratios: dict[str, list[float]] = {condition: [] for condition in conditions}
        clean: list[float] = []
        for _ in range(arguments.rounds):
            for condition, change in changes.items():
                clean.append(run(None))
                ratios[condition].append(run(change) / clean[-1])

    seconds = float((utterances["end"] - utterances["start"]).sum())
    print(
        f"{costs.machine()}; {len(utterances)} utterances of {seconds / len(utterances):.1f} s,"
        f" {arguments.rounds} rounds; clean audio takes {np.median(clean) / seconds:.3f} s of"
        " processor time per second"
    )
    print("| condition | overhead, median % (least, most) | wanted at most |")
    print("|---|--:|--:|")
    for condition, values in ratios.items():
        median, least, most = (100 * (q - 1) for q in np.quantile(values, [0.5, 0, 1]))
        limit = 30 if "room" in conditions[condition] else 15
        print(f"| {condition} | {median:.1f} ({least:.1f}, {most:.1f}) | {limit} |")


if __name__ == "__main__":
    main()
