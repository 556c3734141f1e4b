"""Gates: whether a derived model keeps the quality of its source, overall and on every group.

A gate is passed if it is shown that the derived model keeps the required share of the quality, and
failed if it is shown that it does not. Otherwise it is undecided: more utterances or more speakers
are needed. `bench/gates.py` measures how often gates are passed and failed wrongly.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from voxslice.comparison.compare import ALL
from voxslice.comparison.groups import Group
from voxslice.comparison.overall_metric import metric_sums, metric_value, rarest_label
from voxslice.comparison.paired_tests import ALPHA, sign_flips_of_clusters
from voxslice.names import FAILED, PASSED, UNDECIDED
from voxslice.scores.bootstrap import FEW_SPEAKERS
from voxslice.scores.clusters import Clusters, added_variances, cluster_interval, make_clusters
from voxslice.speakers import count_speakers
from voxslice.task import Task, rises
from voxslice.units import Index

MIN_SUPPORT = 30
"""Smallest number of utterances of a group with a gate."""
ROUNDING = 1e-12
"""A model that keeps exactly the share must not fail because of rounding."""
GATE_COLUMNS = [
    "model", "source", "slice", "rule", "support", "speakers", "metric", "value", "source_value",
    "ratio", "low", "high", "q", "answer",
]  # fmt: skip


def compare_with_sources(
    scores: Mapping[str, pd.DataFrame],
    groups: Mapping[str, Group],
    speakers: np.ndarray | None,
    sources: Mapping[str, str],
    *,
    task: Task,
    gate: float,
    resamples: int,
    seed: int,
    units: Sequence[Index] = (),
) -> pd.DataFrame:
    """Compare derived models with their sources.

    The kept quality is the metric minus `gate` times that of the source, or for an error the
    source's minus `gate` times the model's. Its 95 % interval resamples speakers.

    - A gate is `passed` if the interval contains no negative value, and if there are enough
      utterances of a classification to show a loss beyond the gate at least once with a probability
      of 0.95. A model passes its gates if it passes all of them, so nothing is adjusted.
    - A gate is `failed` if the whole interval is negative. On a group, the sign-flip test of the
      speakers' kept quality, adjusted for all groups of the model, must be significant as well.

    Args:
        scores: scores of each model, for the same utterances in the same order
        groups: groups by id; all utterances are added as the first one
        speakers: speaker of each utterance, None to treat every utterance as independent
        sources: source of each derived model
        task: what is measured
        gate: share of the source's quality that a derived model has to keep, from 0 to 1
        resamples: number of bootstrap resamples and of random sign flips
        seed: seed of both
        units: for each kind of further units, such as sentences, the number of each utterance's
            unit, see `voxslice.scores.clusters`

    Returns:
        one row per derived model and group of at least 30 utterances, all utterances first, in the
        columns `GATE_COLUMNS`: the metric of both models; `ratio`, the share of the quality that is
        kept, which is the metric divided by that of the source, or the mean absolute error of the
        source divided by that of the model (missing if the divisor is not positive), with its 95 %
        interval (`low`, `high`); `q` of the test on groups; and `answer`. If the metric of the
        source is negative, which a concordance can be, the model must not be worse
    """
    tables = [pd.DataFrame(columns=GATE_COLUMNS)]
    gated = {name: group for name, group in groups.items() if group.mask.sum() >= MIN_SUPPORT}
    drawn: dict[str, Any] = {"resamples": resamples, "seed": seed}
    for model, source in sources.items():
        if model not in scores or source not in scores:
            continue
        pair = scores[source], scores[model]
        clusters = make_clusters(len(scores[model]), speakers, units)
        rows = [_overall(*pair, speakers, clusters, task, gate, drawn)]
        if gated:
            rows += _on_groups(*pair, gated, speakers, clusters, task, gate, drawn)
        tables.append(pd.DataFrame(rows).assign(model=model, source=source)[GATE_COLUMNS])
    table = pd.concat([t for t in tables if len(t)] or tables, ignore_index=True)
    table["speakers"] = table["speakers"].astype("Int64")
    return table


def _overall(
    source: pd.DataFrame,
    model: pd.DataFrame,
    speakers: np.ndarray | None,
    clusters: Clusters,
    task: Task,
    gate: float,
    drawn: Mapping[str, Any],
) -> dict:
    """The gate on all utterances, by the metric of the task."""
    metric = task.overall_metric
    sums = np.stack(
        [metric_sums(table, clusters.cell, metric) for table in (source, model)], axis=1
    )

    def statistic(total: np.ndarray) -> np.ndarray:
        values = metric_value(total[:, 0], metric), metric_value(total[:, 1], metric)
        return np.stack(_kept(*values, gate, rises(metric)), axis=-1)

    low, high = cluster_interval(sums, statistic, clusters, **drawn)
    total = sums.sum(0, keepdims=True)
    labels, rarest = 1, None
    if task.is_classification:
        labels, rarest = rarest_label(total[0, 0], metric)
    values = [float(metric_value(total[:, side], metric)[0]) for side in (0, 1)]
    row = _row(ALL, "all utterances", len(source), speakers, metric, values, gate)
    row |= {"low": low[0], "high": high[0], "q": np.nan}
    row["answer"] = _answer(row, low[1], high[1], 0.0, gate, support=rarest, labels=labels)
    return row


def _on_groups(
    source: pd.DataFrame,
    model: pd.DataFrame,
    groups: Mapping[str, Group],
    speakers: np.ndarray | None,
    clusters: Clusters,
    task: Task,
    gate: float,
    drawn: Mapping[str, Any],
) -> list[dict]:
    """The gates on groups, by the accuracy or the mean absolute error."""
    masks = np.stack([group.mask for group in groups.values()], axis=1)[..., None].astype(float)
    qualities = [task.metric_of(table["loss"].to_numpy(float)) for table in (source, model)]
    each = np.stack([np.ones(len(source)), *qualities], axis=-1)
    sums = clusters.cell_sums(masks * each[:, None])
    present = sums[..., 0] > 0
    rising = task.higher_is_better

    def statistic(total: np.ndarray) -> np.ndarray:
        with np.errstate(invalid="ignore", divide="ignore"):
            means = total[..., 1] / total[..., 0], total[..., 2] / total[..., 0]
        return np.concatenate(_kept(*means, gate, rising), axis=-1)

    low, high = cluster_interval(sums, statistic, clusters, present=np.tile(present, 2), **drawn)
    first, second = (sums[..., 2], sums[..., 1]) if rising else (sums[..., 1], sums[..., 2])
    support = masks[..., 0].sum(0)
    added = [
        more[len(groups) :] * support**2 for more in added_variances(sums, statistic, clusters)
    ]
    kept_sums = np.where(present, first - gate * second, np.nan)
    _, q = sign_flips_of_clusters(kept_sums, clusters, added, **drawn)
    rows = []
    for place, (name, group) in enumerate(groups.items()):
        values = [float(quality[group.mask].mean()) for quality in qualities]
        own = None if speakers is None else speakers[group.mask]
        row = _row(name, group.rule, int(group.mask.sum()), own, task.metric, values, gate)
        row |= {"low": low[place], "high": high[place], "q": float(q[place])}
        support = row["support"] if task.is_classification else None
        kept = low[len(groups) + place], high[len(groups) + place]
        row["answer"] = _answer(row, *kept, row["q"], gate, support=support)
        rows.append(row)
    return rows


def _kept(
    source: np.ndarray, model: np.ndarray, gate: float, rising: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Share of the quality that is kept, and what is kept beyond the gate, negative if too little.

    The share is NaN if the divisor is not positive. If the divisor is negative, the model must not
    be worse.
    """
    numerator, divisor = (model, source) if rising else (source, model)
    with np.errstate(invalid="ignore", divide="ignore"):
        ratio = np.where(numerator == divisor, 1.0, numerator / divisor)
    ratio = np.where(np.isfinite(ratio) & (divisor >= 0), ratio, np.nan)
    beyond = numerator - np.where(divisor < 0, divisor, gate * divisor)
    return ratio, np.where(np.abs(beyond) <= ROUNDING * np.abs(divisor), 0.0, beyond)


def _row(
    name: str,
    rule: str,
    support: int,
    speakers: np.ndarray | None,
    metric: str,
    values: list[float],
    gate: float,
) -> dict:
    """The columns of a gate that are no answer. `values` are those of the source and the model."""
    ratio, _ = _kept(np.array(values[0]), np.array(values[1]), gate, rises(metric))
    return {
        "slice": name,
        "rule": rule,
        "support": support,
        "speakers": count_speakers(speakers),
        "metric": metric,
        "value": values[1],
        "source_value": values[0],
        "ratio": float(ratio),
    }


def _answer(
    row: Mapping,
    low: float,
    high: float,
    q: float,
    gate: float,
    *,
    support: int | None,
    labels: int = 1,
) -> str:
    """Answer a gate from the interval of what is kept beyond it.

    `support` is the number of utterances of a classification that could show a loss, those of the
    rarest label if the metric averages over several labels. It is None for a regression.
    """
    units = row["support"] if row["speakers"] is None else row["speakers"]
    if units < FEW_SPEAKERS:
        return UNDECIDED
    if high < 0:
        return FAILED if q <= ALPHA else UNDECIDED
    allowed = (1 - gate) * row["source_value"]  # loss of the metric that the gate allows
    seen = support is None or (1 - min(1.0, labels * allowed)) ** support <= ALPHA
    # if the gate allows no loss, models that agree on all utterances show nothing
    seen = seen or (allowed <= 0 and low > 0)
    return PASSED if low >= 0 and seen else UNDECIDED


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
        counts = table["answer"].value_counts()
        text = f"{model} has to keep {gate:.4g} of {source}: " + ", ".join(
            f"{counts.get(answer, 0)} of {len(table)} gates {answer}"
            if answer == PASSED
            else f"{counts.get(answer, 0)} {answer}"
            for answer in (PASSED, FAILED, UNDECIDED)
        )
        failed = table[table["answer"] == FAILED].sort_values("ratio", kind="stable")
        if len(failed):
            row = failed.iloc[0]
            text += f", the least {row['ratio']:.4g} on {row['rule']}"
        sentences.append(f"{text}.")
    return sentences
