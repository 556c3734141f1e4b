"""Measure how often the gates of a derived model are passed and failed.

A source makes an error in a fifth of the utterances. The derived model flips 4 % of its answers at
random, and gets a share of the utterances wrong in addition. Its gate is 0.99. Each study has 800
utterances, or 40 utterances per speaker with 80 speakers, and eight slices of 100 random
utterances. In some studies, all speakers read 24 sentences, and the loss of a sentence differs.
`python bench/gates.py > bench/gates.md` writes the table; `--studies` sets the number of studies
per row.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "scripts"))

from voxslice.comparison.gates import compare_with_sources
from voxslice.comparison.groups import Group
from voxslice.names import FAILED, PASSED
from voxslice.task import Task

GATE = 0.99
ERRORS = 0.2
FLIPS = 0.02
"""Probability that an answer becomes wrong by chance, and that it becomes right."""
SLICES, SLICE_SIZE = 8, 100
SENTENCES, SPREAD = 24, 0.03
"""Number of sentences, and standard deviation of their losses of accuracy."""


def answers(
    speakers: int, lost: float, flips: float, seed: int, spread: float = 0.0, named: bool = False
) -> pd.Series:
    """Answers of the gates of one study, all utterances first.

    Args:
        speakers: number of speakers
        lost: accuracy that the derived model loses
        flips: probability that an answer becomes wrong by chance, and that it becomes right
        seed: seed of the study
        spread: standard deviation of the losses of sentences
        named: whether the sentences are named as units

    Returns:
        the answers by slice
    """
    rng = np.random.default_rng([seed, speakers, round(1000 * lost)])
    count = max(800, 40 * speakers)
    speaker = np.arange(count) % speakers
    source = (rng.random(count) < ERRORS).astype(float)
    # speakers differ in how much they lose
    own = rng.gamma(4, lost / 4, speakers)[speaker] if lost else np.zeros(count)
    sentence = np.arange(count) // speakers % SENTENCES
    if spread:
        own = own + rng.normal(0, spread, SENTENCES)[sentence]
    to_wrong, to_right = flips + np.maximum(own, 0), flips + np.maximum(-own, 0)
    chance = np.where(source == 0, to_wrong / (1 - ERRORS), to_right / ERRORS)
    derived = np.where(rng.random(count) < chance, 1 - source, source)
    groups = {}
    for number in range(SLICES):
        mask = np.zeros(count, dtype=bool)
        mask[rng.choice(count, SLICE_SIZE, replace=False)] = True
        groups[str(number)] = Group("slice", "", mask)
    table = compare_with_sources(
        {"a": pd.DataFrame({"loss": source}), "b": pd.DataFrame({"loss": derived})},
        groups,
        speaker.astype(str),
        {"b": "a"},
        task=Task("classification"),
        gate=GATE,
        resamples=1000,
        seed=seed,
        units=[sentence] if named else [],
    )
    return table.set_index("slice")["answer"]


def shares(
    speakers: int, lost: float, flips: float, studies: int, spread: float = 0.0, named: bool = False
) -> str:
    """The cells of a row of the table.

    Args:
        speakers: number of speakers
        lost: accuracy that the derived model loses
        flips: probability that an answer becomes wrong by chance, and that it becomes right
        studies: number of studies
        spread: standard deviation of the losses of sentences
        named: whether the sentences are named as units

    Returns:
        the shares of studies that fail anywhere, that fail and pass overall, and the share of
        slices that pass, in Markdown
    """
    found = [answers(speakers, lost, flips, seed, spread, named) for seed in range(studies)]
    table = pd.DataFrame(found)
    failed, passed = table == FAILED, table == PASSED
    values = (
        failed.any(axis=1).mean(),
        failed["all"].mean(),
        passed["all"].mean(),
        passed.drop(columns="all").to_numpy().mean(),
    )
    return " | ".join(f"{100 * share:.1f} %" for share in values)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=400)
    options = parser.parse_args()
    print(
        "# Benchmark of the gates of derived models",
        "",
        "`python bench/gates.py > bench/gates.md` writes this page. The generator of the studies",
        f"and the seeds are in the script. There are {options.studies} studies per row. The gate",
        "is 0.99, so a model that loses 0.8 points of accuracy is exactly at the gate. *Flips* is",
        "the share of answers that differ by chance, in both directions. *Fails somewhere* is",
        "wrong for a model that loses at most 0.8 points. *Passes* is wrong if it loses more.",
        "",
        "| loses | flips | speakers | fails somewhere | fails overall | passes overall"
        " | slices passed |",
        "|---|---|---|---|---|---|---|",
        sep="\n",
    )
    designs = [(0.0, 0.0), (0.0, FLIPS), (0.008, FLIPS), (0.03, FLIPS), (0.03, 0.0), (0.1, FLIPS)]
    for lost, flips in designs:
        for speakers in (10, 20, 80):
            cells = shares(speakers, lost, flips, options.studies)
            print(f"| {100 * lost:.1f} points | {200 * flips:.0f} % | {speakers} | {cells} |")
    print(
        "",
        f"In the next studies, all speakers read {SENTENCES} sentences. The losses of sentences",
        f"have a standard deviation of {100 * SPREAD:.0f} points, and the flips are 4 %.",
        "",
        "| loses | units | speakers | fails somewhere | fails overall | passes overall"
        " | slices passed |",
        "|---|---|---|---|---|---|---|",
        sep="\n",
    )
    for lost in (0.0, 0.008, 0.03):
        for named in (False, True):
            for speakers in (10, 20, 80):
                cells = shares(speakers, lost, FLIPS, options.studies, SPREAD, named)
                units = "sentences" if named else "none"
                print(f"| {100 * lost:.1f} points | {units} | {speakers} | {cells} |", flush=True)
