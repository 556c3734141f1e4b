"""Benchmark of the slice search: does it stay silent where nothing is planted, find what is, fast?

Every case is drawn from a seed of its own: utterances with two attributes of their speaker (gender,
age) and four of their own (emotion, room, snr, duration), and errors that are independent or vary
by speaker. A planted slice is a rule on random columns. The peer is sliceguard, on the same cases.

    python bench/slices.py            # everything; writes bench/slices.csv and bench/README.md
    python bench/slices.py --quick    # a few cases, printed only
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scripts"))

from voxslice.slices import find_slices  # noqa: E402


FEATURES = ["gender", "age", "emotion", "room", "snr", "duration"]
CATEGORIES = {
    "gender": ["female", "male"],
    "emotion": ["anger", "fear", "joy", "neutral", "sadness"],
    "room": ["bath", "car", "hall", "studio"],
}
WIDTHS = 0.2, 0.5  # share of the rows that a planted interval of one number holds


@dataclass(frozen=True)
class Scenario:
    """How the cases of one row of the table are drawn.

    Attributes:
        name: What is planted.
        seed: First seed; case i has seed + i.
        rows: Fewest and most utterances.
        speakers: Number of speakers.
        vary: Whether error rates vary by speaker, Beta(0.6, 9.4), and the search knows speakers.
        conditions: Most conditions of the planted slice; 0 plants none.
        excess: Lowest and highest error rate added inside the slice.
    """

    name: str
    seed: int
    rows: tuple[int, int] = (2000, 3000)
    speakers: int = 80
    vary: bool = False
    conditions: int = 0
    excess: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Case:
    """One drawn table, its losses and the planted rows."""

    table: pd.DataFrame
    loss: NDArray[np.float64]
    inside: NDArray[np.bool_]
    text: str = field(default="")


SCENARIOS = [
    Scenario("none, independent errors", 10_000, rows=(2000, 2000)),
    Scenario("none, errors vary by speaker", 20_000, vary=True),
    Scenario("none, errors vary by speaker (20 speakers)", 21_000, speakers=20, vary=True),
    Scenario("none, errors vary by speaker (10 speakers)", 22_000, speakers=10, vary=True),
    Scenario("1 to 2 conditions, independent", 30_000, conditions=2, excess=(0.15, 0.30)),
    Scenario("1 to 3 conditions, vary by speaker", 40_000, vary=True, conditions=3,
             excess=(0.15, 0.30)),
]  # fmt: skip


def draw_table(rng: np.random.Generator, rows: int, speakers: int) -> pd.DataFrame:
    """Draw utterances.

    Args:
        rng: Source of chance.
        rows: Number of utterances.
        speakers: Number of speakers, of about equally many utterances.

    Returns:
        Columns `speaker` and `FEATURES`.
    """
    who = rng.integers(0, speakers, rows)
    gender = rng.integers(0, 2, speakers)
    age = rng.integers(18, 81, speakers)
    return pd.DataFrame(
        {
            "speaker": np.array([f"s{i:05d}" for i in range(speakers)])[who],
            "gender": np.array(CATEGORIES["gender"])[gender[who]],
            "age": age[who],
            "emotion": rng.choice(CATEGORIES["emotion"], rows),
            "room": rng.choice(CATEGORIES["room"], rows),
            "snr": rng.normal(20, 8, rows),
            "duration": rng.lognormal(1, 0.6, rows),
        }
    )


def plant(
    rng: np.random.Generator, table: pd.DataFrame, conditions: int
) -> tuple[NDArray[np.bool_], str]:
    """Draw a rule of 30 rows or more and at most half of the table.

    Args:
        rng: Source of chance.
        table: The utterances.
        conditions: Most conditions; each number up to it is as likely.

    Returns:
        The rule's rows and its text.
    """
    while True:
        inside = np.ones(len(table), dtype=bool)
        texts = []
        for name in rng.choice(FEATURES, rng.integers(1, conditions + 1), replace=False):
            values = table[name].to_numpy()
            if name in CATEGORIES:
                value = rng.choice(CATEGORIES[name])
                inside &= values == value
                texts.append(f"{name} = {value}")
            else:
                width = rng.uniform(*WIDTHS)
                start = rng.uniform(0, 1 - width)
                low, high = np.quantile(values.astype(float), [start, start + width])
                inside &= (values >= low) & (values <= high)
                texts.append(f"{name} in {low:.3g}..{high:.3g}")
        if 30 <= inside.sum() <= len(table) / 2:
            return inside, " & ".join(texts)


def draw_case(scenario: Scenario, number: int) -> Case:
    """Draw a case.

    Args:
        scenario: What to draw.
        number: Which case, 0 up.

    Returns:
        The case.
    """
    rng = np.random.default_rng(scenario.seed + number)
    rows = int(rng.integers(scenario.rows[0], scenario.rows[1] + 1))
    table = draw_table(rng, rows, scenario.speakers)
    rate = np.full(rows, 0.05)
    if scenario.vary:
        by_speaker = rng.beta(0.6, 9.4, scenario.speakers)
        rate = by_speaker[table["speaker"].str[1:].astype(int)]
    inside, text = np.zeros(rows, dtype=bool), ""
    if scenario.conditions:
        inside, text = plant(rng, table, scenario.conditions)
        rate = np.where(inside, rate + rng.uniform(*scenario.excess), rate)
    return Case(table, (rng.random(rows) < rate).astype(float), inside, text)


def overlap(rows: NDArray[np.int64], inside: NDArray[np.bool_]) -> float:
    """Intersection over union of a slice and the planted one."""
    shared = inside[rows].sum()
    return float(shared / (len(rows) + inside.sum() - shared))
