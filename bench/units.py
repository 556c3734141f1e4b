"""Measure false slices if utterances depend on more than their speaker, with and without `units`.

Each case has 2,000 utterances of 80 speakers. Errors have a rate of about 10 % that varies between
speakers, and between the units of the design. Nothing is planted ("false"), or the error rate of
angry men is 20 points higher ("found", if a confirmed slice overlaps them by half or more).
`python bench/units.py > bench/units.md` writes the table; `--cases` sets the number of cases, and
`--plain` in how many of them the search runs without units, too.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # cases run side by side

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from voxslice.slices.search import find_slices

ROWS, SPEAKERS = 2000, 80
EFFECT = 0.8
"""Standard deviation of the effect of a unit on the logit of the error rate."""
EXCESS = 0.2
Drawn = tuple[pd.DataFrame, np.ndarray, list[str], list[str]]


def base(rng: np.random.Generator) -> pd.DataFrame:
    """Draw utterances with the speaker, two attributes of the speaker, and the emotion."""
    who = rng.integers(0, SPEAKERS, ROWS)
    return pd.DataFrame(
        {
            "speaker": np.array([f"s{i:02}" for i in range(SPEAKERS)])[who],
            "gender": np.array(["female", "male"])[rng.integers(0, 2, SPEAKERS)[who]],
            "age": rng.integers(18, 81, SPEAKERS)[who],
            "emotion": rng.choice(["anger", "fear", "joy", "neutral", "sadness"], ROWS),
        }
    )


def codes(table: pd.DataFrame, name: str = "speaker") -> np.ndarray:
    """Number the values of a column."""
    return np.unique(table[name], return_inverse=True)[1]


def independent(rng: np.random.Generator) -> Drawn:
    """Utterances depend on the speaker only, although sentences are named as units."""
    table = base(rng)
    table["sentence"] = rng.integers(0, 24, ROWS)
    table["duration"] = rng.normal(0, 1, 24)[table["sentence"]] + rng.normal(0, 0.3, ROWS)
    return table, np.zeros(ROWS), ["gender", "age", "emotion", "duration"], ["sentence"]


def sentences(rng: np.random.Generator) -> Drawn:
    """All speakers read 24 sentences, and the duration goes with the sentence."""
    table, _, features, units = independent(rng)
    return table, EFFECT * rng.normal(size=24)[table["sentence"]], features, units


def topics(rng: np.random.Generator, count: int = 24) -> Drawn:
    """All speakers read some sentences, and two features are attributes of the sentence."""
    table = base(rng)
    table["sentence"] = rng.integers(0, count, ROWS)
    table["topic"] = rng.choice(list("abcd"), count)[table["sentence"]]
    table["length"] = rng.integers(4, 13, count)[table["sentence"]]
    effect = EFFECT * rng.normal(size=count)[table["sentence"]]
    return table, effect, ["gender", "emotion", "topic", "length"], ["sentence"]


def sessions(rng: np.random.Generator) -> Drawn:
    """Each speaker has four sessions, and two features belong to the session."""
    table = base(rng)
    session = 4 * codes(table) + rng.integers(0, 4, ROWS)
    table["session"] = session % 4  # numbered for each speaker
    table["room"] = rng.choice(["bath", "car", "hall", "studio"], 4 * SPEAKERS)[session]
    table["snr"] = rng.normal(20, 8, 4 * SPEAKERS)[session] + rng.normal(0, 2, ROWS)
    effect = EFFECT * rng.normal(size=4 * SPEAKERS)[session]
    return table, effect, ["gender", "emotion", "room", "snr"], ["session"]


def drift(rng: np.random.Generator) -> Drawn:
    """Errors become more or less frequent along a recording, and the position is a feature."""
    table = base(rng)
    recording = 2 * codes(table) + rng.integers(0, 2, ROWS)
    table["recording"] = recording
    table["position"] = rng.random(ROWS)
    slope = rng.normal(0, 2 * EFFECT, 2 * SPEAKERS)[recording]
    effect = EFFECT * rng.normal(size=2 * SPEAKERS)[recording] + slope * (table["position"] - 0.5)
    return table, effect.to_numpy(), ["gender", "emotion", "age", "position"], ["recording"]


def sites(rng: np.random.Generator) -> Drawn:
    """Speakers come from eight sites, and the dialect and the device go with the site."""
    table = base(rng)
    site = rng.integers(0, 8, SPEAKERS)[codes(table)]
    table["site"] = site
    table["dialect"] = rng.choice(["north", "south", "west"], 8)[site]
    table["device"] = rng.choice(["a", "b"], 8)[site]
    effect = EFFECT * rng.normal(size=8)[site]
    return table, effect, ["gender", "emotion", "dialect", "device"], ["site"]


def copies(rng: np.random.Generator, times: int) -> Drawn:
    """Each utterance is there several times, for example over several channels."""
    table = base(rng)
    table["snr"] = rng.normal(20, 8, ROWS)
    source = np.arange(ROWS) // times
    table = table.iloc[source * times].reset_index(drop=True).assign(source=source)
    return table, np.zeros(ROWS), ["gender", "age", "emotion", "snr"], ["source"]


@dataclass(frozen=True)
class Design:
    """A kind of dependence: what it is, and how a table with its effects is drawn."""

    name: str
    draw: Callable[[np.random.Generator], Drawn]


DESIGNS = [
    Design("none", independent),
    Design("24 sentences, the duration goes with them", sentences),
    Design("24 sentences, their topic and length are features", topics),
    Design("10 sentences, their topic and length are features", partial(topics, count=10)),
    Design("4 sessions per speaker, with features of the session", sessions),
    Design("drift along a recording, the position is a feature", drift),
    Design("8 sites of speakers, with features of the site", sites),
    Design("each utterance twice", partial(copies, times=2)),
    Design("each utterance four times", partial(copies, times=4)),
]
SPREAD = "errors of a regression, whose spread depends on the emotion (10 times)"


def losses(rng: np.random.Generator, drawn: Drawn, planted: bool) -> tuple[np.ndarray, np.ndarray]:
    """Draw losses, and the rows of the planted slice."""
    table, effect, _, units = drawn
    rate = 1 / (1 + np.exp(2.4 - 0.6 * rng.normal(size=SPEAKERS)[codes(table)] - effect))
    inside = ((table["gender"] == "male") & (table["emotion"] == "anger")).to_numpy()
    draws = rng.random(len(table))
    if "source" in units:
        draws = draws[table["source"]]
    if planted:
        rate = np.where(inside, rate + EXCESS, rate)
    return (draws < rate).astype(float), inside


def spread_losses(rng: np.random.Generator, table: pd.DataFrame) -> np.ndarray:
    """Draw losses with a mean of 1 and a standard deviation of 0.1, or of 1 for angry speech."""
    deviation = np.where(table["emotion"] == "anger", 1.0, 0.1)
    return rng.gamma(1 / deviation**2, deviation**2)


def measure(work: tuple[int, int, bool, bool]) -> tuple[float, float, float, float]:
    """Whether a slice is confirmed without and with units, and the seconds of both searches.

    Args:
        work: the position of the design, the seed, whether a slice is planted, and whether the
            search runs without units, too

    Returns:
        whether a slice is confirmed, and the seconds; NaN for a search that does not run
    """
    position, seed, planted, plain = work
    rng = np.random.default_rng([seed, position, planted])
    if position == len(DESIGNS):
        drawn = independent(rng)
        table, _, features, _ = drawn
        loss, inside, units = spread_losses(rng, table), np.zeros(ROWS, dtype=bool), []
    else:
        drawn = DESIGNS[position].draw(rng)
        table, _, features, units = drawn
        loss, inside = losses(rng, drawn, planted)
    results, seconds = [], []
    for named in ([], units):
        if named is not units and not plain:
            results.append(np.nan)
            seconds.append(np.nan)
            continue
        start = time.perf_counter()
        found = find_slices(table, loss, features, "speaker", units=named, seed=seed).slices
        seconds.append(time.perf_counter() - start)
        rows = found["rows"][found["confirmed"]]
        if planted:
            hits = [inside[r].sum() / (len(r) + inside.sum() - inside[r].sum()) for r in rows]
            results.append(max(hits, default=0) >= 0.5)
        else:
            results.append(len(rows) > 0)
    return *results, *seconds


def main() -> None:
    """Run the benchmark with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=400)
    parser.add_argument("--designs", type=int, nargs="*", help="numbers of designs, from 0")
    parser.add_argument("--planted", type=int, default=20)
    parser.add_argument("--plain", type=int, default=40)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    print(
        "# Benchmark of the search with units",
        "",
        "`python bench/units.py > bench/units.md` writes this page. The designs and the seeds are",
        f"in the script. A case has {ROWS} utterances of {SPEAKERS} speakers, and four features.",
        f"Effects of units have a standard deviation of {EFFECT} on the logit. *False* is the",
        "share of the cases with a confirmed slice where nothing is planted. *Found* is the share",
        f"of {options.planted} cases in which the slice of angry men, with 20 points more errors,",
        "is found. *Time* is that with units, divided by that without. The spread of the errors of",
        "a regression needs no units. `--cases` and `--designs` set the cases of single rows.",
        f"Without units, the false findings are of {options.plain} cases.",
        "",
        "| design | cases | false, without units | false | found, without units | found | time |",
        "|---|--:|--:|--:|--:|--:|--:|",
        sep="\n",
    )
    with ProcessPoolExecutor(options.jobs) as pool:
        names = [*(design.name for design in DESIGNS), SPREAD]
        for position in options.designs or range(len(names)):
            name = names[position]
            cells, times = [], []
            for planted, count in ((False, options.cases), (True, options.planted)):
                if position == len(DESIGNS) and planted:
                    cells += ["", ""]
                    continue
                work = [
                    (position, seed, planted, planted or seed < options.plain)
                    for seed in range(count)
                ]
                table = np.array(list(pool.map(measure, work, chunksize=4)))
                cells += [f"{100 * share:.1f} %" for share in np.nanmean(table[:, :2], axis=0)]
                both = ~np.isnan(table[:, 2])
                times.append(table[both, 3].sum() / table[both, 2].sum())
            print(
                f"| {name} | {options.cases} | {' | '.join(cells)} | {max(times):.2f} |", flush=True
            )


if __name__ == "__main__":
    main()
