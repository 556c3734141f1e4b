"""Which planted faults does the audit find? Faults are planted in a corpus of clean speech.

    python bench/audit.py STUDY [--seed 0]      # prints a table

STUDY is the folder of a study of emodb: its `resources/emodb` has the audio and `metadata.parquet`.
First the corpus itself is audited. Then 5 % of the genders and 5 % of the emotions are changed, and
of each kind of audio fault 20 utterances are added: copies with another gain, as MP3 with
64 kbit/s, with white noise at 30 dB, or 0.3 s shorter; copies over G.711; exact copies; 1 % of the
samples clipped; silence. One utterance of each of three speakers is moved to the other split.
"""

import argparse
import io
import sys
import tempfile
from pathlib import Path

import audresample
import numpy as np
import pandas as pd
import soundfile

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from voxslice.audit.audit import audit
from voxslice.audit.examine import examine
from voxslice.utterance_keys import KEY

COUNT = 20
EMOTIONS = {
    "W": "anger", "L": "boredom", "E": "disgust", "A": "fear", "F": "happiness", "T": "sadness",
    "N": "neutral",
}  # fmt: skip
NAMES = {"emotion": {"pattern": r"\d\d[ab]\d\d(?P<value>[A-Z])", "map": EMOTIONS}}
SETTINGS = {
    "speaker_columns": ["gender", "age"], "split_column": "split", "shortest": 0.3,
    "file_names": NAMES,
}  # fmt: skip


def coded(signal: np.ndarray, rate: int, *, at: int, **settings: str | float) -> np.ndarray:
    """Encode and decode a signal at another sampling rate."""
    stream = io.BytesIO()
    sent = audresample.resample(signal[np.newaxis], rate, at)[0].clip(-1, 1)
    soundfile.write(stream, sent, at, **settings)
    stream.seek(0)
    received, _ = soundfile.read(stream, dtype="float32")
    return audresample.resample(received[np.newaxis], at, rate)[0]


def changes(rng: np.random.Generator) -> dict:
    """Functions that make the faulty audio, by kind."""
    mp3 = {"format": "MP3", "subtype": "MPEG_LAYER_III", "bitrate_mode": "CONSTANT"}
    return {
        "exact": lambda x, _: x,
        "gain": lambda x, _: x * 0.5,
        "mp3": lambda x, rate: coded(x, rate, at=rate, compression_level=0.6, **mp3),
        "noise": lambda x, _: x + rng.normal(size=len(x)) * x.std() * 10 ** (-30 / 20),
        "cut": lambda x, rate: x[round(0.3 * rate) :],
        "telephone": lambda x, rate: coded(x, rate, at=8000, format="WAV", subtype="ULAW"),
    }


def score(name: str, found: set, planted: set) -> None:
    """Print precision and recall of one kind of fault."""
    right = len(found & planted)
    precision = right / len(found) if found else 1.0
    recall = right / len(planted)
    print(f"{name}: {len(planted)} planted, precision {precision:.3f}, recall {recall:.3f}")


def main() -> None:
    """Audit the corpus, plant faults, and audit it again."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = np.random.default_rng(arguments.seed)
    resources = arguments.study / "resources/emodb"
    columns = [*KEY, "speaker", "gender", "age", "emotion"]
    clean = pd.read_parquet(resources / "metadata.parquet")[columns].reset_index(drop=True)
    clean = clean.astype({"speaker": str, "gender": str, "emotion": str})
    speakers = sorted(clean["speaker"].unique())
    clean["split"] = clean["speaker"].map(
        {s: ["train", "test"][i % 2] for i, s in enumerate(speakers)}
    )
    before = examine(clean, audio=resources / "audio", threads=2)
    findings = audit(clean, before, **SETTINGS)
    one_length = findings[findings["issue"] == "same length"]
    print(f"clean corpus, dataset: {'; '.join(one_length['detail']) or 'not cut at one length'}")
    findings = findings.drop(one_length.index)
    for issue, rows in findings.groupby("issue", sort=False):
        share = rows["file"].nunique() / len(clean)
        print(f"clean corpus, {issue}: {share:.1%} of {len(clean)} utterances flagged")
    print(f"clean corpus: {findings['file'].nunique() / len(clean):.1%} of the utterances flagged")

    with tempfile.TemporaryDirectory() as folder:
        metadata, planted = clean.copy(), {}

        def read(row: pd.Series) -> tuple[np.ndarray, int]:
            return soundfile.read(resources / "audio" / row["file"], dtype="float32")

        def add(name: str, row: pd.Series, signal: np.ndarray, rate: int) -> str:
            file = f"{name}-{Path(row['file']).stem}.wav"
            soundfile.write(Path(folder) / file, signal, rate, subtype="PCM_16")
            added = row.to_frame().T.assign(file=file, start=0.0, end=len(signal) / rate)
            frames.append(added)
            return file

        frames = [metadata]
        for name, change in changes(rng).items():
            planted[name] = set()
            for position in rng.choice(len(clean), COUNT, replace=False):
                row = clean.iloc[position]
                file = add(name, row, change(*read(row)), read(row)[1])
                planted[name].add((file, row["file"]))
        for name in ("clipped", "silent"):
            planted[name] = set()
            for position in rng.choice(len(clean), COUNT, replace=False):
                signal, rate = read(clean.iloc[position])
                limit = np.quantile(np.abs(signal), 0.99)
                faulty = signal.clip(-limit, limit) if name == "clipped" else 0 * signal
                planted[name].add(add(name, clean.iloc[position], faulty, rate))
        metadata = pd.concat(frames, ignore_index=True).astype({"start": float, "end": float})
        added = metadata.iloc[len(clean) :]
        after = pd.concat([before, examine(added, audio=folder, threads=2)], ignore_index=True)
        flipped = rng.random(len(metadata)) < 0.05
        metadata.loc[flipped, "gender"] = metadata.loc[flipped, "gender"].map(
            {"female": "male", "male": "female"}
        )
        changed = rng.random(len(metadata)) < 0.05
        others = {name: [other for other in EMOTIONS.values() if other != name]
                  for name in EMOTIONS.values()}  # fmt: skip
        metadata.loc[changed, "emotion"] = [
            rng.choice(others[name]) for name in metadata.loc[changed, "emotion"]
        ]
        moved = speakers[:3]
        for speaker in moved:
            row = clean.index[clean["speaker"] == speaker][0]
            other = {"train": "test", "test": "train"}[metadata.loc[row, "split"]]
            metadata.loc[row, "split"] = other
        findings = audit(metadata, after, **SETTINGS)

    speaker = findings[findings["issue"] == "speaker"]
    score("gender flips", set(speaker["file"]), set(metadata.loc[flipped, "file"]))
    names = findings[findings["issue"] == "file name"]
    score("changed emotions", set(names["file"]), set(metadata.loc[changed, "file"]))
    found = findings[findings["issue"].isin(["exact copy", "near copy"])]
    groups = {(row.file, row.other_file) for row in found.itertuples()}
    pairs = {frozenset(pair) for pair in groups}
    for name in changes(rng):
        hit = sum(frozenset(pair) in pairs for pair in planted[name])
        print(f"{name} copies: recall {hit / COUNT:.3f}")
    stem = {file: file.rsplit("-", 1)[-1].rsplit("/", 1)[-1] for file in metadata["file"]}
    right = [stem[a] == stem[b] for a, b in groups]
    print(f"all copies: {len(groups)} pairs, precision {np.mean(right):.3f}")
    for name in ("clipped", "silent"):
        files = set(findings.loc[findings["issue"] == name, "file"])
        score(name, files, planted[name])
    texts = findings.loc[findings["issue"] == "splits", "detail"]
    named = {text.split()[1] for text in texts}
    score("speakers in two splits", named, set(moved))


if __name__ == "__main__":
    main()
