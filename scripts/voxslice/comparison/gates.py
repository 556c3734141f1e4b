"""Gates: whether a derived model keeps the quality of its source, overall and on every group.

A gate is a requirement on the measured metrics, not a statistical test.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from voxslice.task import rises

MIN_SUPPORT = 30
"""Smallest number of utterances of a group with a gate, so that a single error matters little."""
GATE_COLUMNS = [
    "model", "source", "slice", "rule", "support", "metric", "value", "source_value", "ratio",
    "passed",
]  # fmt: skip


def compare_with_sources(
    comparison: pd.DataFrame, sources: Mapping[str, str], *, gate: float
) -> pd.DataFrame:
    """Compare derived models with their sources.

    Args:
        comparison: comparison of all models, see `voxslice.comparison.compare.compare`
        sources: source of each derived model
        gate: share of the source's quality that a derived model has to keep, from 0 to 1

    Returns:
        one row per derived model and group, all utterances first, in the columns `GATE_COLUMNS`:
        the metric of both models; `ratio`, the share of the quality that is kept, which is the
        metric divided by that of the source, or the mean absolute error of the source divided by
        that of the model (missing if the divisor is not positive); and `passed`, whether the ratio
        is at least `gate`. If the metric of the source is negative, which a concordance can be, the
        model passes if it is not worse
    """
    tables = [pd.DataFrame(columns=GATE_COLUMNS)]
    for model, source in sources.items():
        forwards = (comparison["model_a"] == source) & (comparison["model_b"] == model)
        backwards = (comparison["model_a"] == model) & (comparison["model_b"] == source)
        gated = (comparison["slice"] == "all") | (comparison["support"] >= MIN_SUPPORT)
        rows = comparison[(forwards | backwards) & gated]
        first = rows["model_a"] == model
        table = rows[["slice", "rule", "support", "metric"]].assign(model=model, source=source)
        table["value"] = rows["value_a"].where(first, rows["value_b"])
        table["source_value"] = rows["value_b"].where(first, rows["value_a"])
        tables.append(table)
    table = pd.concat([t for t in tables if len(t)] or tables, ignore_index=True)[
        [name for name in GATE_COLUMNS if name not in ("ratio", "passed")]
    ]
    value, other = (table[name].to_numpy(float) for name in ("value", "source_value"))
    higher = table["metric"].map(rises).to_numpy(bool)
    ratio_of, divisor = np.where(higher, value, other), np.where(higher, other, value)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(ratio_of == divisor, 1.0, ratio_of / divisor)
    table["ratio"] = np.where(np.isfinite(ratio) & (divisor >= 0), ratio, np.nan)
    # a model that keeps exactly the share must not fail because of rounding
    needed = np.where(divisor < 0, divisor, gate * divisor)
    table["passed"] = ratio_of >= needed - 1e-12 * np.abs(needed)
    return table


def summaries(gates: pd.DataFrame, gate: float) -> list[str]:
    """Summarise the gates of each derived model in a sentence.

    Args:
        gates: gates of all derived models, as `compare_with_sources` returns them
        gate: share of the source's quality that a derived model has to keep

    Returns:
        one sentence per derived model
    """
    sentences = []
    for (model, source), table in gates.groupby(["model", "source"], sort=False):
        passed = int(table["passed"].sum())
        verdict = "passes its gates" if passed == len(table) else "fails its gates"
        text = f"{model} {verdict}: {passed} of {len(table)} keep {gate:.4g} of {source}"
        failed = table[~table["passed"].astype(bool)].sort_values("ratio", kind="stable")
        if len(failed):
            row = failed.iloc[0]
            text += f", the least {row['ratio']:.4g} on {row['rule']}"
        sentences.append(f"{text}.")
    return sentences
