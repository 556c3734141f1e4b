"""How often is a channel, or flagged data, called a possible cause, rightly and wrongly?

    python bench/caveats.py STUDY [--draws 3000]      # prints tables

STUDY is the folder of a study of emodb: its `resources/emodb` has the audio and `metadata.parquet`.

Simulated recordings: each speaker has 10 to 100 utterances, a share of telephone speech that
follows Beta(0.5, 1.5), and a signal-to-noise ratio, level and clipping of their own. Half or a
fifth of the speakers are a group. In the null case, the group has nothing to do with the channel.
In the planted cases, the group has another share of telephone speech.

Real recordings: the measures of emodb. In the null case, five of the ten speakers are a group, in
each possible way. In the planted case, 60 % of the utterances of women and 10 % of those of men are
sent over G.711.

A draw counts if any column has a p-value of at most 0.05.

Flagged utterances: 1,200 utterances of 30 speakers whose error rates follow Beta(0.6, 9.4), and a
mode of a fifth of the utterances. Either the audit flags 40 % of the mode, on which the model makes
60 points more errors. Or the model makes 25 points more errors in the whole mode, and the flagged
utterances are random.
"""

import argparse
import itertools
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
from audit import coded

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "scripts"))

from voxslice.data.audio import Audio, read_audio  # noqa: E402
from voxslice.data.measures import measure  # noqa: E402
from voxslice.measure_units import CHANNEL  # noqa: E402
from voxslice.modes.channels import People, associations  # noqa: E402
from voxslice.modes.unflagged import without_flagged  # noqa: E402

PLANTED = [None, (0.2, 0.1), (0.3, 0.1), (0.4, 0.1), (0.6, 0.1)]
"""Shares of telephone speech in the group and outside; None if there is no difference."""
ON_TELEPHONE = {"female": 0.6, "male": 0.1}
DRAWS_WITHOUT_SPEAKERS = 100


def simulated(rng: np.random.Generator, speakers: int, part: float, shares: tuple | None) -> tuple:
    """Draw recordings: a table of channel columns, the speakers, and the utterances of a group."""
    who = np.repeat(np.arange(speakers), rng.integers(10, 101, speakers))
    member = rng.permutation(speakers) < round(part * speakers)
    share = rng.beta(0.5, 1.5, speakers) if shares is None else np.where(member, *shares)
    telephone = rng.random(len(who)) < share[who]
    clipping = np.where(rng.random(speakers) < 0.2, 0.01, 0)
    table = pd.DataFrame(
        {
            "bandwidth": np.where(telephone, "telephone", "wideband"),
            "bandwidth_hz": np.where(telephone, 3900, 7600) + rng.normal(0, 100, len(who)),
            "clipping": clipping[who] * rng.random(len(who)),
            "snr": rng.normal(25, 5, speakers)[who] + rng.normal(0, 3, len(who)),
            "level": rng.normal(-25, 3, speakers)[who] + rng.normal(0, 2, len(who)),
        }
    )
    return table, who.astype(str), member[who]


def alarm(table: pd.DataFrame, speakers: np.ndarray | None, inside: np.ndarray, seed: int) -> bool:
    """Whether any column is associated with a group."""
    group = People("the group", inside, np.ones(len(inside), dtype=bool), ())
    found = associations([group], table, list(table), speakers, {}, seed=seed)
    return bool((found["p"] <= 0.05).any())


def measured(metadata: pd.DataFrame, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The measures of the recording of all utterances, clean and over a telephone."""

    def both(file: str, start: float, end: float) -> tuple[dict, dict]:
        audio = read_audio(folder / file, start, end)
        sent = coded(audio.signal, audio.rate, at=8000, format="WAV", subtype="ULAW")
        return measure(audio)[0], measure(Audio(sent.astype(np.float32), audio.rate))[0]

    keys = [metadata[name] for name in ("file", "start", "end")]
    with ThreadPoolExecutor(2) as pool:
        rows = list(pool.map(both, *keys))
    clean, telephone = (pd.DataFrame(list(part)) for part in zip(*rows, strict=True))
    names = [name for name in CHANNEL if name in clean]
    return clean[names], telephone[names]


def retests(draws: int = 100) -> None:
    """Print how often a mode stays confirmed without flagged utterances."""
    rows, speakers = 1200, 30
    who = np.arange(rows) % speakers
    names = ("flagged utterances carry the mode", "a random tenth is flagged",
             "a random 40 % of the mode is flagged")  # fmt: skip
    stays = dict.fromkeys(names, 0)
    for draw in range(draws):
        rng = np.random.default_rng(draw)
        mode = rng.random(rows) < 0.2
        part = mode & (rng.random(rows) < 0.4)
        rate = rng.beta(0.6, 9.4, speakers)[who]
        cases = (
            (rate + 0.6 * part, part),
            (rate + 0.25 * mode, rng.random(rows) < 0.1),
            (rate + 0.25 * mode, mode & (rng.random(rows) < 0.4)),
        )
        for name, (risk, flagged) in zip(names, cases, strict=True):
            loss = (rng.random(rows) < risk).astype(float)
            found = without_flagged({"1": mode}, loss, flagged, who.astype(str), seed=draw)["1"]
            stays[name] += found.confirmed is True
    for name, count in stays.items():
        print(f"{name}: {count} of {draws} modes stay confirmed", flush=True)


def main() -> None:
    """Simulate, and print how often an association is found."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("study", type=Path)
    parser.add_argument("--draws", type=int, default=3000)
    arguments = parser.parse_args()
    retests()
    for speakers, part, shares in itertools.product((10, 20, 60), (0.5, 0.2), PLANTED):
        draws = arguments.draws if shares is None else arguments.draws // 15
        drawn = [simulated(np.random.default_rng([7, i]), speakers, part, shares)
                 for i in range(draws)]  # fmt: skip
        found = np.mean([alarm(*one, seed=i) for i, one in enumerate(drawn)])
        text = f"{speakers} speakers, {part:.0%} in the group, telephone {shares}: {found:.1%}"
        if shares is None:
            few = drawn[:DRAWS_WITHOUT_SPEAKERS]
            naive = np.mean(
                [alarm(table, None, inside, seed=i) for i, (table, _, inside) in enumerate(few)]
            )
            text += f"; with utterances as the units {naive:.0%}"
        print(text, flush=True)

    resources = arguments.study / "resources/emodb"
    metadata = pd.read_parquet(resources / "metadata.parquet").reset_index(drop=True)
    clean, telephone = measured(metadata, resources / "audio")
    speakers = metadata["speaker"].astype(str).to_numpy(dtype=str)
    halves = list(itertools.combinations(np.unique(speakers), 5))
    found = np.mean([alarm(clean, speakers, np.isin(speakers, half), seed=0) for half in halves])
    print(f"emodb, {len(halves)} groups of five speakers, no telephone: {found:.1%}")
    gender = metadata["gender"].astype(str)
    female = (gender == "female").to_numpy()
    print(f"emodb, women, no telephone: {alarm(clean, speakers, female, seed=0)}")
    count = 0
    for draw in range(40):
        rng = np.random.default_rng(draw)
        sent = rng.random(len(metadata)) < gender.map(ON_TELEPHONE).to_numpy(float)
        table = pd.concat([clean[~sent], telephone[sent]]).sort_index()
        count += alarm(table, speakers, female, seed=draw)
    print(f"emodb, women, telephone {ON_TELEPHONE}: {count} of 40 draws")


if __name__ == "__main__":
    main()
