"""Benchmark of the slice search beside other finders of slices, on the same tables.

A case has 2,000 utterances of 80 speakers, drawn as in `slices.py`: two attributes of the speaker
and four of the utterance, and error rates that vary by speaker. Nothing is planted, or a rule of
one to three conditions whose error rate is 15 to 30 points higher. All finders see the same
columns.

- Benjamini-Hochberg: all rules of the search are tested as if utterances were independent, and
  their p-values are adjusted at 5 %. The 20 clearest rules are findings.
- SliceLine 0.3: numbers in eight quantile bins, up to three conditions, at least ten utterances,
  `alpha` 0.95. The five best slices with a positive score are findings.
- DivExplorer 0.2.6: the same bins, at least 2 % of the utterances. Patterns with a higher error
  rate and a t statistic of at least 2 are findings, the 20 with the largest t.
- sliceguard 0.0.35: as in `slices.py`.

    pip install --target PEERS --no-deps sliceline==0.3.0 divexplorer==0.2.6 mlxtend python-igraph
    PYTHONPATH=PEERS python bench/peers.py              # everything; writes bench/peers.md
    PYTHONPATH=PEERS python bench/peers.py --cases 4    # run a few cases and print the table
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import io
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import slices as drawn
from numpy.typing import NDArray
from scipy import stats

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "scripts"))

from voxslice.slices.max_tests import permutation_moments, signed_root  # noqa: E402
from voxslice.slices.rule_space import RuleSpace  # noqa: E402
from voxslice.slices.search import find_slices  # noqa: E402

CASES, CASES_OF_SLICEGUARD = 100, 10  # sliceguard is slow
SCENARIOS = [
    drawn.Scenario("nothing", 96_000, rows=(2000, 2000), vary=True),
    drawn.Scenario("1 to 3 conditions", 97_000, rows=(2000, 2000), vary=True, conditions=3,
                   excess=(0.15, 0.30)),
]  # fmt: skip
MAX_FINDINGS = 20
BINS = 8
Rows = list[NDArray[np.int64]]


def voxslice(case: drawn.Case, features: list[str]) -> Rows:
    """Rows of the confirmed slices."""
    found = find_slices(case.table, case.loss, features, "speaker").slices
    return list(found["rows"][found["confirmed"]])


def benjamini_hochberg(case: drawn.Case, features: list[str]) -> Rows:
    """Rows of the clearest rules of the search, if utterances were independent."""
    space = RuleSpace(case.table, features, 3, 10)
    one = np.zeros(len(case.loss), dtype=np.int64)
    moments = permutation_moments(space, case.loss, one)
    excess = space.totals(case.loss, one, 1)[:, 0] - moments.mean
    p = stats.norm.sf(signed_root(excess, moments.variance, moments.unit))
    order = np.argsort(stats.false_discovery_control(p), kind="stable")
    q = stats.false_discovery_control(p)[order]
    return [np.flatnonzero(space.members(int(k))) for k in order[q <= 0.05][:MAX_FINDINGS]]


def binned(case: drawn.Case, features: list[str]) -> pd.DataFrame:
    """The columns as categories, numbers in quantile bins."""
    table = case.table[features].copy()
    for name in features:
        if name not in drawn.CATEGORIES:
            table[name] = pd.qcut(table[name], BINS, labels=False, duplicates="drop").astype(str)
    return table


def sliceline(case: drawn.Case, features: list[str]) -> Rows:
    """Rows of the best slices of SliceLine."""
    from sliceline.slicefinder import Slicefinder

    table = binned(case, features)
    finder = Slicefinder(alpha=0.95, k=5, max_l=3, min_sup=10, verbose=False)
    finder.fit(table, case.loss)
    found = []
    for rule in finder.top_slices_:
        inside = np.ones(len(table), dtype=bool)
        for name, value in zip(features, rule, strict=True):
            if value is not None:
                inside &= (table[name] == value).to_numpy()
        found.append(np.flatnonzero(inside))
    return found


def divexplorer(case: drawn.Case, features: list[str]) -> Rows:
    """Rows of the patterns of DivExplorer with the largest t statistics."""
    from divexplorer import DivergenceExplorer

    table = binned(case, features)
    explorer = DivergenceExplorer(table.assign(wrong=case.loss.astype(int)))
    patterns = explorer.get_pattern_divergence(
        min_support=0.02, attributes=features, boolean_outcomes=["wrong"], show_coincise=False
    )
    worse = patterns[(patterns["wrong_div"] > 0) & (patterns["wrong_t"] >= 2)]
    found = []
    for items in worse.sort_values("wrong_t", ascending=False)["itemset"].head(MAX_FINDINGS):
        inside = np.ones(len(table), dtype=bool)
        for item in items:
            name, value = str(item).split("=", 1)
            inside &= (table[name] == value).to_numpy()
        found.append(np.flatnonzero(inside))
    return found


FINDERS: dict[str, tuple[Callable[[drawn.Case, list[str]], Rows], str]] = {
    "voxslice": (voxslice, ""),
    "Benjamini-Hochberg": (benjamini_hochberg, ""),
    "SliceLine": (sliceline, "sliceline"),
    "DivExplorer": (divexplorer, "divexplorer"),
    "sliceguard": (drawn.sliceguard, "sliceguard"),
}
"""Each finder, and the package that it needs."""


def measure(scenario: drawn.Scenario, number: int, name: str) -> dict[str, object]:
    """Let a finder search a case."""
    case = drawn.draw_case(scenario, number)
    start = time.process_time()
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        found = FINDERS[name][0](case, list(scenario.features))
    seconds = time.process_time() - start
    overlaps = [drawn.overlap(rows, case.inside) for rows in found] if scenario.conditions else []
    return {
        "scenario": scenario.name, "finder": name, "findings": len(found),
        "overlap": max(overlaps, default=0.0), "seconds": seconds,
    }  # fmt: skip


def summary(table: pd.DataFrame) -> str:
    """Summarise the records as Markdown."""
    lines = [
        "| finder | cases each | a finding where nothing is planted"
        " | planted slice found (overlap 0.5) | findings there | CPU s per case |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, rows in table.groupby("finder", sort=False):
        nothing = rows[rows["scenario"] == SCENARIOS[0].name]
        planted = rows[rows["scenario"] == SCENARIOS[1].name]
        lines.append(
            f"| {name} | {len(planted)} | {(nothing['findings'] > 0).mean():.0%} |"
            f" {(planted['overlap'] >= 0.5).mean():.0%} | {planted['findings'].mean():.1f} |"
            f" {rows['seconds'].median():.1f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=0)
    options = parser.parse_args()
    records = []
    for name, (_, package) in FINDERS.items():
        if package and importlib.util.find_spec(package) is None:
            print(f"{name} is left out, because the package {package} is not installed.")
            continue
        for scenario in SCENARIOS:
            cases = CASES_OF_SLICEGUARD if name == "sliceguard" else CASES
            records += [measure(scenario, k, name) for k in range(options.cases or cases)]
    text = summary(pd.DataFrame(records))
    print(text)
    if not options.cases:
        explained = (__doc__ or "").split("    pip")[0].strip()
        (HERE / "peers.md").write_text(f"# Other finders of slices\n\n{explained}\n\n{text}\n")


if __name__ == "__main__":
    main()
