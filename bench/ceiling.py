"""How well can any search do? Two oracles search the planted slices.

Both oracles search the same rules on the same cases as `slices.py`. They know how many errors the
slice adds, so that they use the likelihood ratio of each rule. They compare it with the largest
ratio of 199 draws without a slice, at a level of 5 %. The first oracle also knows the error rate of
each speaker. The second one only knows the distribution of the rates, Beta(0.6, 9.4), and learns
the rate of a speaker from the errors, as any search has to. So no search of these rules can find
much more than the second oracle.

    python bench/ceiling.py            # writes bench/ceiling.csv and prints the shares
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special
from slices import FEW_FEATURES, HERE, RATES, SCENARIOS, Case, draw_case, write
from voxslice.slices.max_tests import sums_by_group
from voxslice.slices.rule_space import RuleSpace

DRAWS = 199
NODES = 200  # rates that approximate their distribution


def knowing(case: Case, space: RuleSpace, rng: np.random.Generator) -> NDArray[np.float64]:
    """Log likelihood ratios of the rules for an oracle that knows the error rate of each speaker.

    Args:
        case: The case.
        space: The rules.
        rng: Random generator of the draws.

    Returns:
        (rules, 1 + draws) log likelihood ratios: of the case, then of draws without a slice.
    """
    # log likelihood ratios of an error, and of a right answer
    less = np.clip(case.rate - case.added * case.inside, 1e-12, 1 - 1e-9)
    more = np.clip(less + case.added, 1e-12, 1 - 1e-9)
    error, right = np.log(more / less), np.log((1 - more) / (1 - less))
    losses = np.column_stack([case.loss > 0, rng.random((len(less), DRAWS)) < less[:, None]])
    ratio = right[:, None] + losses * (error - right)[:, None]
    cells = np.zeros((len(space.codes), DRAWS + 1))
    np.add.at(cells, space.cell, ratio)
    return np.concatenate([sums for _, sums in space.sums(cells)])


def informed(case: Case, space: RuleSpace, rng: np.random.Generator) -> NDArray[np.float64]:
    """Log likelihood ratios for an oracle that knows the distribution of the error rates.

    Args:
        case: The case.
        space: The rules.
        rng: Random generator of the draws.

    Returns:
        (rules, 1 + draws) log likelihood ratios: of the case, then of draws without a slice.
    """
    speakers = np.unique(case.table["speaker"], return_inverse=True)[1]
    count = np.bincount(speakers)
    rate = special.betaincinv(*RATES, (np.arange(NODES) + 0.5) / NODES)
    error, right = np.log(rate), np.log1p(-rate)
    more = np.minimum(rate + case.added, 1 - 1e-9)

    @cache
    def ratios(n: int, wrong: int) -> NDArray[np.float64]:
        """Log ratios for a speaker with `n` rows and `wrong` errors, by those in the rule."""
        plain = wrong * error + (n - wrong) * right
        held, held_wrong = np.ogrid[: n + 1, : wrong + 1]
        held_right = np.maximum(held - held_wrong, 0)
        added = held_wrong[..., None] * (np.log(more) - error)
        added = added + held_right[..., None] * (np.log1p(-more) - right)
        return np.log(np.exp(plain + added).mean(axis=2) / np.exp(plain).mean())

    def by_speaker(values: NDArray[np.float64]) -> NDArray[np.int16]:
        sums = np.zeros((len(count), space.searched), dtype=np.int16)
        for which, columns, some in sums_by_group(space, values, speakers, len(count)):
            sums[columns, which] = np.rint(some.T)
        return sums

    held = by_speaker(np.ones(len(speakers)))
    out = np.zeros((space.searched, 1 + DRAWS), dtype=np.float32)
    for draw in range(1 + DRAWS):
        rates = rng.beta(*RATES, len(count))[speakers]
        loss = (rng.random(len(speakers)) < rates).astype(float) if draw else case.loss
        wrong, held_wrong = np.bincount(speakers, loss).astype(int), by_speaker(loss)
        for speaker, n in enumerate(count):
            table = ratios(int(n), int(wrong[speaker]))
            out[:, draw] += table[held[speaker], held_wrong[speaker]]
    return out


ORACLES: dict[str, Callable[[Case, RuleSpace, np.random.Generator], NDArray[np.float64]]] = {
    "every speaker's rate": knowing,
    "how rates are spread": informed,
}


def measure(work: tuple[int, int, str]) -> dict[str, object]:
    """Let an oracle search one case.

    Args:
        work: Position of the scenario, number of the case, and what the oracle knows.

    Returns:
        A record with the p-value and the overlap of the best rule.
    """
    position, number, knows = work
    scenario = SCENARIOS[position]
    case = draw_case(scenario, number)
    space = RuleSpace(case.table, list(scenario.features), 3, 10)
    ratios = ORACLES[knows](case, space, np.random.default_rng(number))
    best = ratios.max(axis=0)
    members = space.members(int(ratios[:, 0].argmax()))
    shared = (members & case.inside).sum() / (members | case.inside).sum()
    p = (1 + (best[1:] >= best[0]).sum()) / (DRAWS + 1)
    return {
        "scenario": scenario.name,
        "oracle": knows,
        "case": number,
        "planted_rows": int(case.inside.sum()),
        "rules": space.searched,
        "p": p,
        "overlap": shared,
    }


def main() -> None:
    """Run the cases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cases", type=int, default=200, help="cases per scenario")
    options = parser.parse_args()
    records: list[dict[str, object]] = []
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for position, scenario in enumerate(SCENARIOS):
            if not (scenario.conditions and scenario.vary):
                continue
            # the second oracle takes ten times as long for ten times as many rules
            numbers = range(options.cases // (1 if scenario.features == FEW_FEATURES else 4))
            for knows in ORACLES:
                records += pool.map(measure, [(position, number, knows) for number in numbers])
                cases = pd.DataFrame(records)
                write(HERE / "ceiling.csv", cases.to_csv(index=False))
    cases["found"] = cases["p"] <= 0.05
    cases["hit"] = cases["found"] & (cases["overlap"] >= 0.5)
    print(cases.groupby(["scenario", "oracle"], sort=False)[["found", "hit"]].mean())


if __name__ == "__main__":
    main()
