"""How well and how fast are long recordings divided into segments? Known speech is joined.

    python bench/recordings.py DATA [--hours 1 10]     # writes bench/recordings.md

DATA is a folder with `audb` and `models`, as `bench/study.py` takes it. 60 utterances of emodb, and
60 of synthetic voices, are joined with pauses of 1.2 to 3 s, in quiet and with pink noise at 10 dB.
An utterance is covered if segments hold at least half of it. It is in one piece if one segment
holds at least 90 % of what all segments hold of it. A segment spans two utterances if it holds more
than 0.2 s of both. Noise and music last for 60 s and have no speech. The music is chords of
decaying tones.

Then an hour of these utterances is read by one thread, and the whole workflow runs on one core for
several hours of calls: finding speech, measures, predictions of two models, metrics, slices,
failure modes, comparisons, reports and views. All audio of a study is in one shard. While a study
runs, its processes are looked at ten times per second. The page gives the processor time of each
script, summed over its jobs, and the largest memory of one of its jobs.
"""

import argparse
import contextlib
import itertools
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import audb
import numpy as np
import pandas as pd
import psutil
import soundfile
import yaml

HERE = Path(__file__).parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT / "scripts"))

from voxslice.demo.corpus import SENTENCES  # noqa: E402
from voxslice.demo.speech import Utterance, synthesise  # noqa: E402
from voxslice.demo.voices import EVALUATION_VOICES, STYLES  # noqa: E402
from voxslice.recordings.segments import Lengths, speech_parts, speech_segments  # noqa: E402
from voxslice.recordings.silero_vad import RATE  # noqa: E402
from voxslice.recordings.speech import detect_speech  # noqa: E402
from voxslice.utterance_keys import KEY  # noqa: E402

COUNT = 60
"""Number of utterances of a joined recording."""
JOINS = (0.3, 1.0)
"""Longest pauses within a segment, in seconds."""
CALL = 1800
"""Duration in seconds of the calls of the studies."""
SHOWN_SECONDS = 5
"""A script has its own row if it uses as much processor time in any study."""
SCHEDULER = "Snakemake itself"
"""Name of the row of all processes that are no job's script."""

PAGE = """\
# Benchmark of long recordings

`python bench/recordings.py DATA` writes this page. Its docstring defines what is counted. This run
used Python {python} and {cores} cores, which other work was using.

## Segments

Segments have 3 to 10 s, and pauses of at most `join` within them. The joined pauses are longer, so
a segment should hold one utterance.

| recording | `join` | segments | utterances covered | in one piece | segments that span two |
|---|--:|--:|--:|--:|--:|
{quality}

| recording of 60 s | segments |
|---|--:|
{empty}

## Time and memory

One hour was read by one thread in {hour:.1f} s of processor time, with at most {memory:.0f} MB.

The whole workflow ran on calls of half an hour. All audio is in one shard. `s` is processor time.
`MB` is the largest memory of one process.

| script |{head}
|---|{lines}
{scripts}

| hours | segments | copies in the audit | searched by sliceguard | processor time | per hour |
|--:|--:|--:|--:|--:|--:|
{studies}

- The calls repeat the same 535 utterances with other noise, so the audit has more to do than with
  real calls. It lists each segment that is a copy of an earlier one.
- `suggest_slices` runs sliceguard, with an embedding, on a random sample of at most 5,000 segments
  (`sample` of the search). The report and the tables state it.
"""


def trimmed(signal: np.ndarray) -> np.ndarray:
    """A signal without silence around it."""
    loud = np.flatnonzero(np.abs(signal) > 1e-4)
    return signal[loud[0] : loud[-1] + 1]


def emodb(data: Path) -> pd.DataFrame:
    """The utterances of emodb: `file`, `speaker` and `gender`."""
    audb.config.REPOSITORIES = [audb.Repository("audb-local", str(data / "audb"), "file-system")]
    database = audb.load(
        "emodb", version="1.4.1", format="wav", mixdown=True, sampling_rate=RATE, verbose=False
    )
    speaker = database["files"]["speaker"]
    return pd.DataFrame(
        {
            "file": list(database.files),
            "speaker": speaker.get().astype(str).to_numpy(),
            "gender": speaker.get(map="gender").astype(str).to_numpy(),
        }
    )


def synthetic() -> Iterator[np.ndarray]:
    """Utterances of synthetic voices."""
    pairs = itertools.product(EVALUATION_VOICES, list(SENTENCES.values())[:6])
    texts = (Utterance(text, voice, STYLES["neutral"]) for voice, text in pairs)
    return itertools.islice(synthesise(texts, seed=0), COUNT)


def pink(samples: int, generator: np.random.Generator) -> np.ndarray:
    """Pink noise with a standard deviation of 1."""
    spectrum = np.fft.rfft(generator.standard_normal(samples))
    spectrum /= np.sqrt(np.maximum(np.arange(len(spectrum)), 1))
    noise = np.fft.irfft(spectrum, samples)
    return noise / noise.std()


def music(seconds: int, generator: np.random.Generator) -> np.ndarray:
    """Chords of decaying tones, one per second."""
    chords = []
    within = np.arange(RATE) / RATE
    for _ in range(seconds):
        root = 220 * 2 ** (generator.integers(0, 12) / 12)
        tones = [root * ratio * n for ratio in (1, 1.25, 1.5) for n in (1, 2, 3, 4)]
        chords.append(np.exp(-2 * within) * sum(np.sin(2 * np.pi * f * within) for f in tones))
    return 0.05 * np.concatenate(chords)


def joined(
    signals: Sequence[np.ndarray], generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Signals after pauses of 1.2 to 3 s, and their starts and ends in seconds."""
    parts, times, passed = [], [], 0
    for signal in signals:
        pause = round(generator.uniform(1.2, 3) * RATE)
        parts += [np.zeros(pause), signal]
        times.append((passed + pause, passed + pause + len(signal)))
        passed += pause + len(signal)
    return np.concatenate([*parts, np.zeros(RATE)]), np.array(times) / RATE


def with_noise(signal: np.ndarray, times: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """A signal with pink noise at 10 dB relative to its utterances."""
    spoken = np.concatenate([signal[round(a * RATE) : round(b * RATE)] for a, b in times])
    level = np.sqrt(np.mean(spoken**2)) * 10 ** (-10 / 20)
    mixed = signal + level * pink(len(signal), generator)
    return mixed / max(1, np.abs(mixed).max())


def judged(name: str, row: pd.Series, times: np.ndarray, join: float) -> str:
    """A row of the table of quality."""
    lengths = Lengths(3, 10, join)
    parts = speech_segments(row["probabilities"], row["levels"], lengths)
    found = np.array(parts).reshape(-1, 2)
    starts = np.maximum(found[None, :, 0], times[:, None, 0])
    held = (np.minimum(found[None, :, 1], times[:, None, 1]) - starts).clip(0)
    covered = held.sum(1) >= 0.5 * (times[:, 1] - times[:, 0])
    whole = covered & (held.max(1) >= 0.9 * held.sum(1))
    two = (held > 0.2).sum(0) > 1
    return (
        f"| {name} | {join:g} | {len(found)} | {covered.mean():.1%} | {whole.mean():.1%} |"
        f" {two.mean():.1%} |"
    )


def quality(data: Path, folder: Path) -> tuple[list[str], list[str]]:
    """Rows of the two tables on segments."""
    generator = np.random.default_rng(0)
    files = generator.permutation(emodb(data)["file"])[:COUNT]
    sources = {
        "emodb": [trimmed(soundfile.read(file)[0]) for file in files],
        "synthetic voices": [trimmed(signal) for signal in synthetic()],
    }
    signals, truths = {}, {}
    for name, utterances in sources.items():
        signal, times = joined(utterances, generator)
        signals[f"{name}, quiet"] = signal
        signals[f"{name}, pink noise at 10 dB"] = with_noise(signal, times, generator)
        truths |= {f"{name}, quiet": times, f"{name}, pink noise at 10 dB": times}
    signals["pink noise"] = 0.1 * pink(60 * RATE, generator)
    signals["white noise"] = 0.1 * generator.standard_normal(60 * RATE)
    signals["music"] = music(60, generator)
    for name, signal in signals.items():
        soundfile.write(folder / f"{name}.wav", signal, RATE)
    ends = [len(signal) / RATE for signal in signals.values()]
    table = pd.DataFrame({"file": [f"{name}.wav" for name in signals], "start": 0.0, "end": ends})
    found = detect_speech(table, folder, threads=1).set_index("file")
    rows = [
        judged(name, found.loc[f"{name}.wav"], times, join)
        for name, times in truths.items()
        for join in JOINS
    ]
    empty = [
        f"| {name} | {len(speech_parts(found.loc[f'{name}.wav', 'probabilities']))} |"
        for name in signals
        if name not in truths
    ]
    return rows, empty


def write_calls(data: Path, folder: Path, hours: float) -> None:
    """Write calls of single speakers of emodb, each utterance with other noise, and their table."""
    table = emodb(data)
    generator = np.random.default_rng(1)
    speakers = table["speaker"].unique()
    rows = []
    (folder / "calls").mkdir()
    for number in range(round(hours * 3600 / CALL)):
        speaker = speakers[number % len(speakers)]
        own = table[table["speaker"] == speaker]
        signals = [trimmed(soundfile.read(file)[0]) for file in own["file"]]
        name = f"{number:03}.wav"
        with soundfile.SoundFile(folder / "calls" / name, "w", RATE, 1, "PCM_16") as file:
            while file.tell() < CALL * RATE:
                signal, _ = joined(
                    [signals[n] for n in generator.permutation(len(signals))], generator
                )
                file.write(signal + 1e-3 * generator.standard_normal(len(signal)))
        rows.append((name, speaker, own["gender"].iloc[0]))
    columns = ["file", "speaker", "gender"]
    pd.DataFrame(rows, columns=columns).to_csv(folder / "calls.csv", index=False)


def hour(data: Path) -> tuple[float, float]:
    """Processor seconds and MB of a process that finds the speech of an hour."""
    with tempfile.TemporaryDirectory(prefix="voxslice-hour-") as name:
        write_calls(data, Path(name), 0.5)
        path = Path(name, "calls", "000.wav")
        signal, _ = soundfile.read(path, dtype="int16")
        long = np.tile(signal, 3)[: 3600 * RATE]
        soundfile.write(path, long, RATE)
        script = (
            f"import sys; sys.path.insert(0, {str(ROOT / 'scripts')!r})\n"
            "import time, pandas as pd\n"
            "from voxslice.recordings.speech import detect_speech\n"
            "table = pd.DataFrame({'file': ['000.wav'], 'start': [0.0], 'end': [3600.0]})\n"
            "before = time.process_time()\n"
            f"detect_speech(table, {str(path.parent)!r}, threads=1)\n"
            "lines = open('/proc/self/status').read().splitlines()\n"
            "(peak,) = [line.split()[1] for line in lines if line.startswith('VmHWM')]\n"
            "print(time.process_time() - before, int(peak) / 1000)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        seconds, memory = map(float, done.stdout.split())
    return seconds, memory


@dataclass(frozen=True)
class Run:
    """A finished study.

    Attributes:
        hours: hours of audio
        segments: number of segments
        copies: number of segments that the audit lists as copies
        searched: number of segments that sliceguard searched
        scripts: table with the columns `seconds` and `memory` (in MB), indexed by script
    """

    hours: float
    segments: int
    copies: int
    searched: int
    scripts: pd.DataFrame


def watch(process: subprocess.Popen) -> pd.DataFrame:
    """Watch a process of Snakemake and all processes that it starts, until it ends.

    Args:
        process: the process

    Returns:
        processor time in seconds and largest memory in MB, in the columns `seconds` and `memory`,
        indexed by script
    """
    seen: dict[tuple[int, float], tuple[str, float, float]] = {}
    root = psutil.Process(process.pid)
    while process.poll() is None:
        with contextlib.suppress(psutil.Error, OSError):  # a process has just ended
            for one in [root, *root.children(recursive=True)]:
                script = re.search(r"scripts/tmp\w+\.(\w+)\.py", " ".join(one.cmdline()))
                times = one.cpu_times()
                status = Path(f"/proc/{one.pid}/status").read_text(encoding="utf-8")
                if peak := re.search(r"VmHWM:\s+(\d+)", status):
                    name = script[1] if script else SCHEDULER
                    spent, memory = times.user + times.system, int(peak[1]) / 1000
                    seen[one.pid, one.create_time()] = (name, spent, memory)
        time.sleep(0.1)
    table = pd.DataFrame(seen.values(), columns=["script", "seconds", "memory"])
    return table.groupby("script").agg({"seconds": "sum", "memory": "max"})


def study(data: Path, hours: float) -> Run:
    """Run the whole workflow on several hours of calls."""
    models = {
        name: {
            "url": (data / "models" / f"gender_age_{name}.zip").absolute().as_uri(),
            "tasks": ["gender"],
            "license": "none",
        }
        for name in ("small", "big")
    }
    columns = {name: {"column": name} for name in ("speaker", "gender")}
    columns |= {name: {"measure": name} for name in ("pitch", "bandwidth")}
    config = {
        "costs": {"durations": [3], "seconds": 0.1},
        "datasets": {
            "calls": {
                "csv": {"path": "calls.csv", "audio": "calls"},
                "segment": {"by": "silero"},
                "columns": columns,
                "shard_hours": max(hours, 1) + 1,
                "license": "CC0-1.0",
            }
        },
        "models": models,
        "tasks": {
            "gender": {
                "type": "classification",
                "target": "gender",
                "output": "logits_gender",
                "labels": ["female", "male"],
                "exclude": ["child"],
                "answer_about": "recordings",
                "min_drop": 0.1,
            }
        },
        "searches": {
            "sound": {"finder": "subgroups", "features": ["gender", "pitch", "bandwidth"]},
            "embedding": {
                "finder": "sliceguard", "features": ["gender"], "embedding_of": "small",
            },
        },
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="voxslice-calls-") as name:
        folder = Path(name)
        write_calls(data, folder, hours)
        (folder / "study.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
        command = [
            sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile"),
            "--profile", "none", "--workflow-profile", str(ROOT / "profiles/default"),
            "--directory", name, "--cores", "1", "--configfile", str(folder / "study.yaml"),
        ]  # fmt: skip
        with (
            (folder / "log").open("w") as log,
            subprocess.Popen(command, stdout=log, stderr=log) as process,
        ):
            scripts = watch(process)
        if process.returncode:
            sys.exit((folder / "log").read_text(encoding="utf-8")[-6000:])
        segments = len(pd.read_parquet(folder / "resources/calls/utterances.parquet"))
        findings = pd.read_csv(folder / "results/audit/calls.csv")
        copies = findings.loc[findings["issue"].str.endswith("copy"), KEY].drop_duplicates()
        searches = pd.read_csv(folder / "results/slices/calls/gender/small.searches.csv")
        (searched,) = searches.loc[searches["finder"] == "sliceguard", "utterances"]
    return Run(hours, segments, len(copies), int(searched), scripts)


def script_rows(runs: Sequence[Run]) -> list[str]:
    """The rows of the table of scripts: those that use much time, then all others as one row."""
    seconds = pd.DataFrame({run.hours: run.scripts["seconds"] for run in runs}).fillna(0)
    memory = pd.DataFrame({run.hours: run.scripts["memory"] for run in runs}).fillna(0)
    first = seconds[runs[0].hours].sort_values(ascending=False)
    shown = [name for name in first.index if seconds.loc[name].max() >= SHOWN_SECONDS]
    groups = {f"`{name}`": [name] for name in shown if name != SCHEDULER}
    groups[SCHEDULER] = [SCHEDULER]
    others = [name for name in first.index if name not in {*shown, SCHEDULER}]
    groups[f"{len(others)} other scripts together"] = others
    rows = []
    for name, own in groups.items():
        cells = [f"{value:.0f}" for value in seconds.loc[own].sum()]
        cells += [f"{value:.0f}" for value in memory.loc[own].max()]
        rows.append(f"| {name} | {' | '.join(cells)} |")
    return rows


def study_row(run: Run) -> str:
    """The row of a study in the table of studies."""
    seconds = run.scripts["seconds"].sum()
    return (
        f"| {run.hours:g} | {run.segments:,} | {run.copies:,} | {run.searched:,} |"
        f" {seconds:,.0f} s | {seconds / run.hours:.0f} s |"
    )


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("--hours", type=float, nargs="*", default=[1, 10])
    options = parser.parse_args()
    data = options.data.absolute()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="voxslice-recordings-") as name:
        rows, empty = quality(data, Path(name))
    print(*rows, *empty, sep="\n")
    seconds, memory = hour(data)
    print(f"one hour: {seconds:.1f} s, {memory:.0f} MB")
    runs = []
    for hours in options.hours:
        runs.append(study(data, hours))
        print(
            *script_rows(runs[-1:]), f"({time.perf_counter() - began:.0f} s)", sep="\n", flush=True
        )
    page = PAGE.format(
        python=sys.version.split()[0],
        cores=os.cpu_count(),
        quality="\n".join(rows),
        empty="\n".join(empty),
        hour=seconds,
        memory=memory,
        head="".join(f" {run.hours:g} h, {unit} |" for unit in ("s", "MB") for run in runs),
        lines="--:|" * 2 * len(runs),
        scripts="\n".join(script_rows(runs)),
        studies="\n".join(map(study_row, runs)),
    )
    (HERE / "recordings.md").write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
