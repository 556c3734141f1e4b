"""Benchmark of what a search rules out: do its limits hold?

A case has 800 utterances of 20 speakers, whose error rates are drawn from Beta(2, 18), with three
attributes of the utterance. Nothing is planted, or one word (an eighth of the utterances) has an
error rate that is 10 or 20 points higher. A search states, for groups of at least 5, 10 and 20 % of
the utterances, how much worse than the rest any searched group can be (`limit_5`, `limit_10`,
`limit_20`). The limits of a case hold if the true drop of every searched group is at most the limit
of its size. The true drop compares the known error rates of utterances of the same speakers.

    python bench/certificates.py              # everything; writes bench/certificates.md
    python bench/certificates.py --cases 10   # run a few cases and print the table
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scripts"))

from voxslice.slices.certificates import SIZES  # noqa: E402
from voxslice.slices.rule_space import RuleSpace  # noqa: E402
from voxslice.slices.search import find_slices  # noqa: E402

CASES = 400
SEED = 95_000
ROWS, SPEAKERS = 800, 20
COLUMNS = {"word": 8, "room": 4, "device": 3}


def true_drops(table: pd.DataFrame, rate: np.ndarray, who: np.ndarray) -> pd.DataFrame:
    """The true drop of every searched group.

    Args:
        table: the attributes
        rate: error rate of each utterance
        who: number of the speaker of each utterance

    Returns:
        `share` of the utterances and `drop`, within speakers, of each group
    """
    space = RuleSpace(table, list(COLUMNS), 2, 10)
    size = np.bincount(who, minlength=SPEAKERS)
    k = space.totals(np.ones(ROWS), who, SPEAKERS)
    mean = np.bincount(who, rate, SPEAKERS) / size
    excess = space.totals(rate - mean[who], who, SPEAKERS).sum(axis=1)
    reach = (k * (size - k) / size).sum(axis=1)
    return pd.DataFrame({"share": space.support / ROWS, "drop": excess / reach})


def measure(number: int, planted: float) -> dict[str, Any]:
    """Draw a case and search it.

    Args:
        number: number of the case, from 0
        planted: how much higher the error rate of one word is

    Returns:
        a record of the case
    """
    rng = np.random.default_rng([SEED, number, round(100 * planted)])
    who = rng.integers(SPEAKERS, size=ROWS)
    table = pd.DataFrame({n: rng.integers(k, size=ROWS).astype(str) for n, k in COLUMNS.items()})
    rate = rng.beta(2, 18, SPEAKERS)[who] + planted * (table["word"] == "0").to_numpy()
    loss = (rng.random(ROWS) < rate).astype(float)
    found = find_slices(
        table.assign(speaker=who.astype(str)), loss, list(COLUMNS), "speaker", depth=2, seed=number
    )
    true = true_drops(table, rate, who)
    largest = [true.loc[true["share"] >= share, "drop"].max() for share in SIZES]
    held = [drop <= limit for drop, limit in zip(largest, found.limits, strict=True)]
    record: dict[str, Any] = {"planted": planted, "held": all(held)}
    record["found"] = bool(found.slices["confirmed"].any())
    for share, limit, drop in zip(SIZES, found.limits, largest, strict=True):
        record |= {f"limit {share}": limit, f"true {share}": drop}
    return record


def summary(table: pd.DataFrame) -> str:
    """Summarise the records as Markdown."""
    lines = [
        "| planted | cases | a slice is confirmed | all limits hold | they hold without a slice |"
        " limit (and largest true drop) of 5 % | 10 % | 20 % |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for planted, rows in table.groupby("planted"):
        sizes = [
            f"{100 * limit:.1f} ({100 * true:.1f})"
            for share in SIZES
            for limit, true in [rows[[f"limit {share}", f"true {share}"]].median()]
        ]
        without = rows.loc[~rows["found"], "held"]
        kept = f"{without.mean():.1%} of {len(without)}" if len(without) else ""
        lines.append(
            f"| {100 * planted:.0f} points | {len(rows)} | {rows['found'].mean():.1%} |"
            f" {rows['held'].mean():.1%} | {kept} | {' | '.join(sizes)} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    records = []
    with ProcessPoolExecutor(options.jobs) as pool:
        for planted in (0.0, 0.1, 0.2):
            records += pool.map(partial(measure, planted=planted), range(options.cases or CASES))
    text = summary(pd.DataFrame(records))
    print(text)
    if not options.cases:
        explained = (__doc__ or "").split("    python")[0].strip()
        (HERE / "certificates.md").write_text(
            f"# Limits of what a search can have missed\n\n{explained}\n\n{text}\n"
        )


if __name__ == "__main__":
    main()
