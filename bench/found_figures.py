"""Benchmark of the figures of found slices: how much too high are they, because of the search?

A case has 2,000 utterances of 40 speakers, whose error rates are drawn from Beta(2, 18). One group
is planted: a random rule of one or two conditions, with an error rate that is 10 or 20 points
higher. Five ranges of its size take turns. The search tests all rules on six columns, and the first
confirmed slice is measured as the workflow does: the excess within speakers with its 95 % interval
as it was measured, and corrected for the choice by the search (`voxslice.slices.corrected_drops`).
The truth is the same difference of the known error rates. For comparison, the planted group is
measured as a slice that was named beforehand.

    python bench/found_figures.py              # everything; writes bench/found_figures.md
    python bench/found_figures.py --cases 10   # run a few cases and print the table
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # cases run side by side

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scripts"))

from voxslice.slices.corrected_drops import corrected_slice  # noqa: E402
from voxslice.slices.excess import within_speakers  # noqa: E402
from voxslice.slices.search import find_slices  # noqa: E402

CASES = 5000
DROPS = (0.1, 0.2)
SEED = 75_000
ROWS, SPEAKERS = 2000, 40
COLUMNS = {"emotion": 7, "topic": 6, "device": 4, "room": 3, "style": 12}
SIZES = (0, 60, 100, 200, 400, 10_000)
PLANTED_SIZES = (20, 60, 100, 200, 400, 1000)


def plant(rng: np.random.Generator, table: pd.DataFrame, size: int) -> np.ndarray:
    """Draw a rule of one or two conditions.

    Args:
        rng: random generator
        table: the utterances
        size: number of the range of sizes, from 0

    Returns:
        mask of the utterances of the rule
    """
    while True:
        names = rng.choice(list(COLUMNS), rng.integers(1, 3), replace=False)
        planted = np.logical_and.reduce([(table[name] == "0").to_numpy() for name in names])
        if len(names) == 1 and rng.random() < 0.4:
            least = np.quantile(table["snr"], rng.uniform(0.1, 0.8))
            planted = planted & (table["snr"] > least).to_numpy()
        if PLANTED_SIZES[size] <= planted.sum() < PLANTED_SIZES[size + 1]:
            return planted


def measure(number: int, drop: float) -> dict[str, Any]:
    """Draw a case, search it, and measure the first confirmed slice and the planted group.

    Args:
        number: number of the case, from 0
        drop: how much higher the error rate of the planted group is

    Returns:
        a record of the case
    """
    rng = np.random.default_rng([SEED, number, round(100 * drop)])
    who = rng.integers(SPEAKERS, size=ROWS)
    table = pd.DataFrame(
        {name: rng.integers(k, size=ROWS).astype(str) for name, k in COLUMNS.items()}
    )
    table["snr"] = rng.normal(20, 8, ROWS).round()
    planted = plant(rng, table, number % (len(PLANTED_SIZES) - 1))
    rate = rng.beta(2, 18, SPEAKERS)[who] + drop * planted
    loss = (rng.random(ROWS) < rate).astype(float)
    speakers = np.char.add("s", who.astype(str))
    found = find_slices(
        table.assign(speaker=speakers), loss, [*COLUMNS, "snr"], "speaker", depth=2, seed=number
    ).slices
    record: dict[str, Any] = {"drop": drop, "case": number, "planted_rows": int(planted.sum())}
    before = within_speakers(loss, planted, speakers)
    record |= {"planted_value": before.value, "planted_covers": before.low <= drop <= before.high}
    confirmed = found[found["confirmed"]]
    if len(confirmed):
        mask = np.zeros(ROWS, dtype=bool)
        mask[confirmed.iloc[0]["rows"]] = True
        shown = within_speakers(loss, mask, speakers)
        truth = within_speakers(rate, mask, speakers).value
        first = confirmed.iloc[0]
        corrected = corrected_slice(loss, mask, speakers, first["evidence"], first["detectable"])
        record |= {
            "rows": int(mask.sum()),
            "value": shown.value,
            "truth": truth,
            "covers": shown.low <= truth <= shown.high,
            "corrected": corrected.value,
            "corrected_covers": corrected.low <= truth <= corrected.high,
            "corrected_above_zero": corrected.low > 0,
        }
    return record


def summary(table: pd.DataFrame) -> str:
    """Summarise the records as Markdown."""
    lines = [
        "| planted | slices | cases | true | measured | its interval covers the truth | corrected |"
        " its interval covers the truth | lies above zero |",
        "|---|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for drop, rows in table.groupby("drop"):
        lines.append(
            f"| {100 * drop:.0f} points | named beforehand | {len(rows)} | {100 * drop:.1f} |"
            f" {100 * rows['planted_value'].mean():.1f} | {rows['planted_covers'].mean():.1%} |"
            " | | |"
        )
        found = rows.dropna(subset=["rows"])
        sizes = pd.cut(found["rows"], SIZES, right=False)
        for size, part in found.groupby(sizes, observed=True):
            lines.append(_line(f"{size.left:.0f} to {size.right - 1:.0f} utterances", drop, part))
        lines.append(_line("of any size", drop, found))
    return "\n".join(lines)


def _line(name: str, drop: float, part: pd.DataFrame) -> str:
    """One line of the table: the found slices of a size."""
    covers = [part[column].astype(bool).mean() for column in ("covers", "corrected_covers")]
    return (
        f"| {100 * drop:.0f} points | found, {name} | {len(part)} |"
        f" {100 * part['truth'].mean():.1f} | {100 * part['value'].mean():.1f} | {covers[0]:.1%} |"
        f" {100 * part['corrected'].mean():.1f} | {covers[1]:.1%} |"
        f" {part['corrected_above_zero'].astype(bool).mean():.1%} |"
    )


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    records = []
    with ProcessPoolExecutor(options.jobs) as pool:
        for drop in DROPS:
            records += pool.map(partial(measure, drop=drop), range(options.cases or CASES))
    table = pd.DataFrame(records)
    text = summary(table)
    print(text)
    if not options.cases:
        explained = (__doc__ or "").split("    python")[0].strip()
        (HERE / "found_figures.md").write_text(
            f"# Figures of found slices\n\n{explained}\n\n{text}\n"
        )


if __name__ == "__main__":
    main()
