"""How well could any search do? The planted slices, looked for by an oracle.

The oracle searches the same rules in the same cases as `slices.py`, but it knows every speaker's
error rate and how many errors the slice adds, so that it needs no resampling within speakers and
no estimate: each rule is judged by its likelihood ratio, against the largest of 199 draws without
a slice at the level of 5 %. What the oracle misses, no search of these rules can be asked to find.

    python bench/ceiling.py            # 100 cases; writes bench/ceiling.csv and prints the shares
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
from slices import HERE, SCENARIOS, draw_case, write
from voxslice.slice_rules import RuleSpace

DRAWS = 199


def measure(position: int, number: int) -> dict[str, object]:
    """Let the oracle search one case.

    Args:
        position: Which of `SCENARIOS`.
        number: Which case, 0 up.

    Returns:
        A record: whether the oracle finds a slice, and the overlap of its best rule.
    """
    scenario = SCENARIOS[position]
    case = draw_case(scenario, number)
    space = RuleSpace(case.table, list(scenario.features), 3, 10)
    # what an error, and its absence, say for the slice
    less = np.clip(case.rate - case.added * case.inside, 1e-12, 1 - 1e-9)
    more = np.clip(less + case.added, 1e-12, 1 - 1e-9)
    error, right = np.log(more / less), np.log((1 - more) / (1 - less))
    rng = np.random.default_rng(number)
    losses = np.column_stack([case.loss > 0, rng.random((len(less), DRAWS)) < less[:, None]])
    ratio = right[:, None] + losses * (error - right)[:, None]
    cells = np.zeros((len(space.codes), DRAWS + 1))
    np.add.at(cells, space.cell, ratio)
    best, first = np.full(DRAWS + 1, -np.inf), []
    for _, sums in space.sums(cells):
        best = np.maximum(best, sums.max(axis=0))
        first.append(sums[:, 0])
    rule = int(np.concatenate(first).argmax())
    members = space.members(rule)
    shared = (members & case.inside).sum() / (members | case.inside).sum()
    p = (1 + (best[1:] >= best[0]).sum()) / (DRAWS + 1)
    return {
        "scenario": scenario.name,
        "case": number,
        "planted_rows": int(case.inside.sum()),
        "rules": space.searched,
        "p": p,
        "overlap": shared,
    }


def main() -> None:
    """Run the cases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=100, help="cases a scenario")
    options = parser.parse_args()
    records: list[dict[str, object]] = []
    for position, scenario in enumerate(SCENARIOS):
        if scenario.conditions and scenario.vary:
            records += [measure(position, number) for number in range(options.cases)]
            cases = pd.DataFrame(records)
            write(HERE / "ceiling.csv", cases.to_csv(index=False))
    cases["found"] = cases["p"] <= 0.05
    cases["hit"] = cases["found"] & (cases["overlap"] >= 0.5)
    print(cases.groupby("scenario", sort=False)[["found", "hit"]].mean())


if __name__ == "__main__":
    main()
