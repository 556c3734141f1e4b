"""Measure false slices if utterances are there several times, as exact copies.

Each case has 2,000 utterances of 80 speakers. The errors have a rate of about 10 % that varies
between speakers; without speakers, it is the same for all. Nothing is planted ("false"), or the
error rate of angry men is 20 points higher ("found", if a confirmed slice overlaps them by half or
more). A case is searched as a study searches it, as if copies were independent, and without its
copies. `python bench/exact_copies.py > bench/exact_copies.md` writes the table.
"""

import argparse
import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # cases run side by side

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from voxslice.slices.table import tabulate_slices
from voxslice.speakers import speakers_of
from voxslice.task import Task
from voxslice.units import COPIES
from voxslice.utterance_keys import KEY

ROWS, SPEAKERS = 2000, 80
RATE, EXCESS, SPREAD = 2.4, 0.2, 0.6
"""Minus the mean logit of the error rate, the excess of the planted slice, and the standard
deviation of the logits of speakers."""
FEATURES = ["gender", "age", "emotion", "snr"]
NOISE = 1e-7
"""Largest rounding error of the loss of a copy."""
NONE = pd.DataFrame(columns=["search", "number", *KEY])


@dataclass(frozen=True)
class Design:
    """A kind of copies.

    Attributes:
        name: what is copied
        source: number of the utterance that each row is a copy of
        change: changes what is known of some copies; None for nothing
        kind: kind of the task
        speakers: whether speakers are known and differ
    """

    name: str
    source: np.ndarray
    change: Callable[[np.random.Generator, pd.DataFrame], pd.DataFrame] | None = None
    kind: str = "classification"
    speakers: bool = True


def relabelled(rng: np.random.Generator, table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Give half of the second copies the value of a column that another utterance has."""
    second = table[COPIES].duplicated().to_numpy()
    changed = second & (rng.random(len(table)) < 0.5)
    values = table[column].to_numpy(copy=True)
    values[changed] = rng.permutation(values[changed])
    return table.assign(**{column: values})


TWICE = np.arange(ROWS) // 2
DESIGNS = [
    Design("each utterance twice", TWICE),
    Design("each utterance four times", np.arange(ROWS) // 4),
    Design(
        "one utterance in ten four times",
        np.repeat(np.arange(ROWS), np.where(np.arange(ROWS) % 10, 1, 4))[:ROWS],
    ),
    Design("twice, half of the copies with another emotion", TWICE,
           partial(relabelled, column="emotion")),
    Design("twice, half of the copies with another speaker", TWICE,
           partial(relabelled, column="speaker")),
    Design("twice, without speakers", TWICE, speakers=False),
    Design("twice, errors of a regression with rounding errors", TWICE, kind="regression"),
]  # fmt: skip


def draw(
    rng: np.random.Generator, design: Design, planted: bool
) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Draw the metadata of the utterances, their losses, and whether each is in the slice."""
    who = rng.integers(0, SPEAKERS, ROWS)
    table = pd.DataFrame(
        {
            "speaker": np.array([f"s{i:02}" for i in range(SPEAKERS)])[who],
            "gender": np.array(["female", "male"])[rng.integers(0, 2, SPEAKERS)[who]],
            "age": rng.integers(18, 81, SPEAKERS)[who],
            "emotion": rng.choice(["anger", "fear", "joy", "neutral", "sadness"], ROWS),
            "snr": rng.normal(20, 8, ROWS),
        }
    )
    inside = ((table["gender"] == "male") & (table["emotion"] == "anger")).to_numpy()
    spread = SPREAD if design.speakers else 0
    rate = 1 / (1 + np.exp(RATE - spread * rng.normal(size=SPEAKERS)[who]))
    if design.kind == "regression":
        loss = rng.gamma(2, 0.5, ROWS) * (1 + 2 * rate + EXCESS * 5 * inside * planted)
    else:
        loss = (rng.random(ROWS) < rate + EXCESS * inside * planted).astype(float)
    copies = pd.Series([f"{number:x}" for number in design.source])
    table = table.iloc[design.source].reset_index(drop=True)
    table[COPIES] = copies.where(copies.duplicated(keep=False))
    table["file"], table["start"], table["end"] = [f"{i:05}" for i in range(ROWS)], 0.0, 1.0
    loss, inside = loss[design.source], inside[design.source]
    if design.kind == "regression":
        loss = loss + NOISE * rng.random(ROWS)
    if not design.speakers:
        table = table.drop(columns="speaker")
    if design.change is not None:
        table = design.change(rng, table)
    return table, loss, inside


def search(
    table: pd.DataFrame, loss: np.ndarray, inside: np.ndarray, kind: str, seed: int
) -> tuple[bool, bool]:
    """Whether a search confirms a slice, and whether one overlaps the planted slice."""
    scores = table[KEY].assign(loss=loss)
    found = tabulate_slices(
        scores,
        table,
        speakers_of(scores, table),
        NONE,
        NONE,
        {"all": {"finder": "subgroups", "features": FEATURES, "depth": 3, "min_support": 10}},
        task=Task(kind),
        columns=FEATURES,
        alpha=0.05,
        seed=seed,
    )
    confirmed = found.slices.loc[found.slices["confirmed"].astype(bool), "slice"]
    keys = pd.MultiIndex.from_frame(table[KEY])
    overlaps = [
        (mask & inside).sum() / (mask | inside).sum()
        for name in confirmed
        for mask in [
            keys.isin(
                pd.MultiIndex.from_frame(found.members.loc[found.members["slice"] == name, KEY])
            )
        ]
    ]
    return len(confirmed) > 0, max(overlaps, default=0) >= 0.5


def measure(work: tuple[int, int, bool, bool]) -> list[float]:
    """Search a case with its copies, as if they were independent, and without its copies.

    Args:
        work: the position of the design, the seed, whether a slice is planted, and whether the
            second and the third search run

    Returns:
        whether each search found the planted slice, or confirmed one where nothing is planted; NaN
        for a search that did not run
    """
    position, seed, planted, compared = work
    design = DESIGNS[position]
    table, loss, inside = draw(np.random.default_rng([seed, position, planted]), design, planted)
    found = [float(search(table, loss, inside, design.kind, seed)[planted])]
    if not compared:
        return [*found, np.nan, np.nan]
    once = ~(table[COPIES].duplicated() & table[COPIES].notna()).to_numpy()
    independent = table.drop(columns=COPIES)
    distinct = independent[once].reset_index(drop=True)
    for case in ((independent, loss, inside), (distinct, loss[once], inside[once])):
        found.append(float(search(*case, design.kind, seed)[planted]))
    return found


def main() -> None:
    """Run the benchmark with the options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=400)
    parser.add_argument("--planted", type=int, default=100)
    parser.add_argument("--compared", type=int, default=60)
    parser.add_argument("--designs", type=int, nargs="*", help="numbers of designs, from 0")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    print(
        "# Benchmark of exact copies",
        "",
        "`python bench/exact_copies.py > bench/exact_copies.md` writes this page. The designs and",
        f"the seeds are in the script. A case has {ROWS} utterances of {SPEAKERS} speakers, with",
        "their copies. *False* is the share of the cases with a confirmed slice where nothing is",
        f"planted, of {options.cases} cases. *Found* is the share of {options.planted} cases in",
        "which the slice of angry men, with 20 points more errors, is found. *As independent* is a",
        "search that does not know the copies. *Distinct* is one of the utterances without their",
        f"copies. Where nothing is planted, these two are of {options.compared} cases.",
        "",
        "| design | false | false, as independent | false, distinct | found | found, as independent"
        " | found, distinct |",
        "|---|--:|--:|--:|--:|--:|--:|",
        sep="\n",
    )
    with ProcessPoolExecutor(options.jobs) as pool:
        for position in options.designs or range(len(DESIGNS)):
            cells = []
            for planted, count in ((False, options.cases), (True, options.planted)):
                work = [
                    (position, seed, planted, planted or seed < options.compared)
                    for seed in range(count)
                ]
                results = np.array(list(pool.map(measure, work, chunksize=4)))
                cells += [f"{100 * share:.1f} %" for share in np.nanmean(results, axis=0)]
            print(f"| {DESIGNS[position].name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
