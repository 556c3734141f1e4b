"""Gates: whether a derived model keeps the quality of its source, overall and on every slice.

A gate is a requirement on what was measured, not a test: no slice may lose more than the share,
however few of its utterances that is.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from voxslice.task import Task

MIN_SUPPORT = 30
"""On fewer utterances a slice has no gate: one of them would be more than the share."""
GATE_COLUMNS = [
    "model", "source", "slice", "rule", "support", "value", "source_value", "ratio", "passed",
]  # fmt: skip


def hold_against_sources(
    comparison: pd.DataFrame, sources: Mapping[str, str], *, task: Task, kept: float
) -> pd.DataFrame:
    """Hold derived models against their sources.

    Args:
        comparison: as `voxslice.comparison.compare` gives it, with the pairs of both
        sources: of each derived model
        task: what is measured
        kept: share of the source's quality that has to be kept, from 0 to 1

    Returns:
        one row per derived model and slice, of all utterances first, in the columns of
        `GATE_COLUMNS`: the metric of both models; `ratio`, the share of the quality that is kept
        (accuracy divided by that of the source, or the source's mean absolute error divided by that
        of the model; missing where it has no bound, as for a source with accuracy 0); and whether
        the ratio is at least `kept`
    """
    tables = [pd.DataFrame(columns=GATE_COLUMNS)]
    for model, source in sources.items():
        forwards = (comparison["model_a"] == source) & (comparison["model_b"] == model)
        backwards = (comparison["model_a"] == model) & (comparison["model_b"] == source)
        gated = (comparison["slice"] == "all") | (comparison["support"] >= MIN_SUPPORT)
        rows = comparison[(forwards | backwards) & gated]
        first = rows["model_a"] == model
        table = rows[["slice", "rule", "support"]].assign(model=model, source=source)
        table["value"] = rows["value_a"].where(first, rows["value_b"])
        table["source_value"] = rows["value_b"].where(first, rows["value_a"])
        tables.append(table)
    table = pd.concat([t for t in tables if len(t)] or tables, ignore_index=True)[
        ["model", "source", "slice", "rule", "support", "value", "source_value"]
    ]
    value, other = (table[name].to_numpy(float) for name in ("value", "source_value"))
    better, over = (value, other) if task.higher_is_better else (other, value)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(better == over, 1.0, better / over)
    table["ratio"] = np.where(np.isfinite(ratio), ratio, np.nan)
    # rounding must not fail a model that keeps just the share
    table["passed"] = better >= kept * over * (1 - 1e-12)
    return table


def summaries(gates: pd.DataFrame, kept: float) -> list[str]:
    """One sentence a derived model on what it keeps.

    Args:
        gates: as `hold_against_sources` gives them
        kept: share of the source's quality that has to be kept
    """
    said = []
    for (model, source), table in gates.groupby(["model", "source"], sort=False):
        passed = int(table["passed"].sum())
        verdict = "passes its gates" if passed == len(table) else "fails its gates"
        text = f"{model} {verdict}: {passed} of {len(table)} keep {kept:.4g} of {source}"
        lost = table[~table["passed"].astype(bool)].sort_values("ratio", kind="stable")
        if len(lost):
            row = lost.iloc[0]
            text += f", the least {row['ratio']:.4g} on {row['rule']}"
        said.append(f"{text}.")
    return said
