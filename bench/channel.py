"""Is the person or the channel named? A telephone channel is planted in a corpus of clean speech.

    python bench/channel.py STUDY [--draws 40]      # writes bench/channel.csv, prints the shares

STUDY is the folder of a study of emodb: its `resources/emodb` has the audio and `metadata.parquet`.
In each draw, a part of the utterances is sent over G.711 at 8 kHz: 60 % of those of women and 10 %
of those of men. A model without a preference for a gender is simulated: the error rates of
speakers follow Beta(0.6, 9.4), and on telephone audio half of the right answers become errors.
Three searches look for slices: in the metadata alone, in the metadata with the default measures,
and in both with errors that do not depend on the channel. A draw counts by its first confirmed
slice.
"""

import argparse
import io
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import audresample
import numpy as np
import pandas as pd
import soundfile

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "scripts"))

from voxslice.config.default_measures import COLUMNS  # noqa: E402
from voxslice.data.audio import Audio, read_audio  # noqa: E402
from voxslice.data.measures import measure  # noqa: E402
from voxslice.slices.search import find_slices  # noqa: E402

METADATA = ["gender", "age", "emotion"]
ON_TELEPHONE = {"female": 0.6, "male": 0.1}
ADDED = 0.5


def telephoned(audio: Audio) -> Audio:
    """Send audio over a telephone: G.711 (mu-law) at 8 kHz, stored at the rate of the original."""
    coded = io.BytesIO()
    sent = audresample.resample(audio.signal[np.newaxis], audio.rate, 8000)[0]
    soundfile.write(coded, sent.clip(-1, 1), 8000, format="WAV", subtype="ULAW")
    coded.seek(0)
    received, _ = soundfile.read(coded, dtype="float32")
    return Audio(audresample.resample(received[np.newaxis], 8000, audio.rate)[0], audio.rate)


def measured(metadata: pd.DataFrame, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The default measures of all utterances, clean and over a telephone."""

    def both(file: str, start: float, end: float) -> tuple[dict, dict]:
        audio = read_audio(folder / file, start, end)
        return measure(audio)[0], measure(telephoned(audio))[0]

    keys = [metadata[name] for name in ("file", "start", "end")]
    with ThreadPoolExecutor(2) as pool:
        rows = list(pool.map(both, *keys))
    tables = []
    for part in zip(*rows, strict=True):
        table = pd.DataFrame(list(part)).assign(duration=metadata["duration"].to_numpy())
        names = {name: table[measure] for name, measure in COLUMNS.items()}
        tables.append(pd.DataFrame(names))
    return tables[0], tables[1]


def main() -> None:
    """Draw, search and write the first slice of each search."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("--draws", type=int, default=40)
    arguments = parser.parse_args()
    resources = arguments.study / "resources/emodb"
    metadata = pd.read_parquet(resources / "metadata.parquet").reset_index(drop=True)
    clean, telephone = measured(metadata, resources / "audio")
    gender, speaker = metadata["gender"].astype(str), metadata["speaker"].astype(str)
    rows = []
    for draw in range(arguments.draws):
        rng = np.random.default_rng(draw)
        sent = rng.random(len(metadata)) < gender.map(ON_TELEPHONE).to_numpy(float)
        rates = {name: rng.beta(0.6, 9.4) for name in sorted(speaker.unique())}
        wrong = rng.random(len(metadata)) < speaker.map(rates).to_numpy(float)
        planted = wrong | (sent & (rng.random(len(metadata)) < ADDED))
        sound = pd.concat([clean[~sent], telephone[sent]]).sort_index()
        table = pd.concat([metadata[["speaker", *METADATA]], sound], axis=1)
        for search, features, loss in (
            ("metadata", METADATA, planted),
            ("with measures", [*METADATA, *COLUMNS], planted),
            ("nothing planted", [*METADATA, *COLUMNS], wrong),
        ):
            found = find_slices(
                table, loss.astype(float), features, "speaker", alpha=0.05, seed=draw
            )
            confirmed = found.slices[found.slices["confirmed"]]
            first = confirmed.iloc[0] if len(confirmed) else None
            overlap = np.nan
            if first is not None:
                inside = np.zeros(len(metadata), bool)
                inside[np.asarray(first["rows"])] = True
                overlap = (inside & sent).sum() / (inside | sent).sum()
            rule = "" if first is None else str(first["rule"])
            rows.append((draw, search, rule, len(confirmed), round(float(overlap), 3)))
            print(*rows[-1], flush=True)
    table = pd.DataFrame(rows, columns=["draw", "search", "first", "confirmed", "overlap"])
    table.to_csv(HERE / "channel.csv", index=False)
    for search, part in table.groupby("search", sort=False):
        channel = part["first"].str.contains("bandwidth")
        person = part["first"].str.contains("gender|age", regex=True)
        print(
            f"{search}: {(part['first'] != '').mean():.0%} have a confirmed slice; the first names"
            f" the bandwidth in {channel.mean():.0%}, gender or age in {person.mean():.0%};"
            f" overlap with the channel {part['overlap'].median():.2f} (median)"
        )


if __name__ == "__main__":
    main()
