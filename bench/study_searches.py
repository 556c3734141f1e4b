"""Benchmark of studies with many searches: how often does any search without a slice count?

A study has 20 searches of small tables without a slice: 240 utterances of 16 speakers, whose error
rates are drawn from Beta(2, 10), with two attributes of the utterance and one of the speaker. A
search counts for itself if it confirms a slice. It counts in the study if its p-value, adjusted for
all searches of the study (Holm), is at most 5 %. For comparison, a slice is planted in one of the
20 searches: one word has an error rate that is 40 points higher.

    python bench/study_searches.py              # everything; writes bench/study_searches.md
    python bench/study_searches.py --studies 4  # run a few studies and print the table
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scripts"))

from voxslice.multiple_tests import holm  # noqa: E402
from voxslice.slices.search import find_slices  # noqa: E402

STUDIES = 400
SEARCHES = 20
SEED = 90_000
ROWS, SPEAKERS = 240, 16
ALPHA = 0.05


def search(rng: np.random.Generator, planted: float, seed: int) -> tuple[float, bool]:
    """Draw a table and search it.

    Args:
        rng: source of the table
        planted: how much higher the error rate of one word is
        seed: seed of the search

    Returns:
        the p-value of the search, and whether it confirms a slice
    """
    who = rng.integers(SPEAKERS, size=ROWS)
    table = pd.DataFrame(
        {
            "speaker": who.astype(str),
            "word": rng.integers(4, size=ROWS).astype(str),
            "room": rng.integers(3, size=ROWS).astype(str),
            "gender": np.array(["female", "male"])[who % 2],
        }
    )
    rate = rng.beta(2, 10, SPEAKERS)[who] + planted * (table["word"] == "0")
    loss = (rng.random(ROWS) < rate).astype(float)
    found = find_slices(table, loss, ["word", "room", "gender"], "speaker", depth=2, seed=seed)
    return found.p, bool(found.slices["confirmed"].any())


def study(number: int, planted: float) -> dict[str, float]:
    """Run the searches of a study, the first one with the planted slice.

    Args:
        number: number of the study, from 0
        planted: how much higher the error rate of one word is in the first search

    Returns:
        a record of the study
    """
    rng = np.random.default_rng([SEED, number, round(100 * planted)])
    results = [search(rng, planted if i == 0 else 0.0, i) for i in range(SEARCHES)]
    p = np.array([p for p, _ in results])
    alone = np.array([confirmed for _, confirmed in results])
    together = alone & (holm(p) <= ALPHA)
    null = slice(1 if planted else 0, None)
    return {
        "planted": planted,
        "alone": alone[null].any(),
        "together": together[null].any(),
        "found_alone": float(alone[0]) if planted else np.nan,
        "found_together": float(together[0]) if planted else np.nan,
        "single": alone[null].mean(),
    }


def summary(table: pd.DataFrame) -> str:
    """Summarise the records as Markdown."""
    lines = [
        "| planted | studies | a search without a slice confirms one | any of them, alone |"
        " any of them, in the study | the planted slice alone | in the study |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for planted, rows in table.groupby("planted"):
        found = [rows[name].mean() for name in ("found_alone", "found_together")]
        shown = [f"{value:.1%}" if planted else "" for value in found]
        lines.append(
            f"| {f'{100 * planted:.0f} points in one search' if planted else 'nothing'}"
            f" | {len(rows)} | {rows['single'].mean():.1%} | {rows['alone'].mean():.1%}"
            f" | {rows['together'].mean():.1%} | {shown[0]} | {shown[1]} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    records = []
    with ProcessPoolExecutor(options.jobs) as pool:
        for planted, studies in ((0.0, STUDIES), (0.4, STUDIES // 8)):
            records += pool.map(partial(study, planted=planted), range(options.studies or studies))
    text = summary(pd.DataFrame(records))
    print(text)
    if not options.studies:
        explained = (__doc__ or "").split("    python")[0].strip()
        (HERE / "study_searches.md").write_text(
            f"# Studies with many searches\n\n{explained}\n\n{text}\n"
        )


if __name__ == "__main__":
    main()
