"""Compare pairs of models, overall and on groups of utterances."""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import chain, combinations
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from voxslice.comparison.groups import Group
from voxslice.comparison.hidden_speaker import LARGEST, guarded_interval, hidden_difference
from voxslice.comparison.overall_metric import metric_sums, metric_value, rarest_label
from voxslice.comparison.paired_tests import (
    ALPHA,
    exchange_clusters,
    is_equivalent,
    mcnemar,
    sign_flips_of_clusters,
)
from voxslice.names import CHANCE
from voxslice.scores.bootstrap import FEW_SPEAKERS
from voxslice.scores.clusters import (
    Clusters,
    added_variances,
    cluster_interval,
    make_clusters,
)
from voxslice.speakers import count_speakers
from voxslice.task import Task, rises
from voxslice.units import Index

COMPARISON_COLUMNS = [
    "slice", "kind", "rule", "support", "speakers", "reliable", "model_a", "model_b", "metric",
    "value_a", "value_b", "difference", "low", "high", "both_right", "only_a_wrong", "only_b_wrong",
    "both_wrong", "mcnemar_p", "test", "p", "q", "verdict", "strictly", "equivalent", "regression",
]  # fmt: skip
EXCHANGE, SIGN_FLIPS = "exchange of speakers", "sign flips of speakers"
"""Tests in the table of comparisons, see `voxslice.comparison.paired_tests`."""
SHOWN, NOT_EXCLUDED, EXCLUDED = "shown", "not excluded", "excluded"
"""States of a regression, which is a group on which the later model is worse."""
ALL = "all"
"""Id of the group of all utterances."""


def compare(
    scores: Mapping[str, pd.DataFrame],
    groups: Mapping[str, Group],
    speakers: np.ndarray | None,
    *,
    task: Task,
    resamples: int,
    seed: int,
    pairs: Sequence[tuple[str, str]] | None = None,
    units: Sequence[Index] = (),
) -> pd.DataFrame:
    """Compare pairs of models on all utterances and on each group.

    All utterances are compared by the metric of the task, with a test that exchanges the models'
    predictions of whole speakers. Groups, which often have one label, are compared by the accuracy
    or the mean absolute error, with sign flips of the differences of whole speakers.

    The verdict is on model b compared with model a. It is `better` or `worse` if q is at most 0.05
    and the interval, of at least five speakers, does not contain zero. Otherwise it is `equivalent`
    if the models are equivalent within the margin, or `undecided`. A regression, which means that
    model b is worse, is `shown` if the verdict is `worse`. It is `excluded` if a loss above the
    margin is excluded (without a margin, if the whole interval of at least five speakers contains
    no loss). Otherwise it is `not excluded`, and the end of the interval says how large it may be.
    What is within the margin is decided by a wider interval, which allows for a speaker that the
    study has missed (`voxslice.comparison.hidden_speaker`).

    `bench/verdicts.py` measures how often all utterances get a verdict, for models whose rate of
    errors differs between speakers. Two equally good models got one in 3 to 5 % of 5,000 studies
    of 10 speakers and in 4 to 5 % of those of 20 speakers, for each metric. A model that makes half
    as many errors was found better in 32 and 59 % by the accuracy or the UAR, and in 95 and 100 %
    by the mean absolute error. With fewer than six speakers there is no verdict. The page
    `bench/verdicts.md` also says how often any of 13 groups gets a verdict.

    Args:
        scores: scores of each model, for the same utterances in the same order: `loss`, and
            `label` and `prediction` if the task's metric needs them
        groups: groups by id; `all` is added as the first one
        speakers: speaker of each utterance, None to treat every utterance as independent
        task: what is measured, with the metric and the margin of equivalence
        resamples: number of bootstrap resamples, and of random exchanges and sign flips
        seed: seed of all three
        pairs: pairs of models, None for all pairs
        units: for each kind of further units, such as sentences, the number of each utterance's
            unit. The tests then exchange and flip whole units of each kind, too, and the largest
            p-value counts. Intervals are those of `voxslice.scores.clusters.cluster_interval`

    Returns:
        one row per group and pair, in the columns `COMPARISON_COLUMNS`: the `metric` of the row and
        its values for both models; `difference` (b minus a) and its 95 % interval from resampling
        speakers (missing if all resamples agree); `reliable`, whether there are enough known
        speakers for the interval; for a classification the counts of who is wrong and `mcnemar_p`,
        the p-value of McNemar's test, which treats utterances as independent and decides nothing;
        the `test` and its `p`; `q`, which adjusts p: for all utterances over the pairs of models
        (Benjamini and Hochberg), for groups over all groups (by the largest statistic, see
        `voxslice.comparison.paired_tests.sign_flips`) and pairs (Bonferroni); `verdict`;
        `strictly`, whether the better model of a classification makes no error that the other one
        does not make; `equivalent`; and `regression`
    """
    pairs = list(combinations(scores, 2)) if pairs is None else list(pairs)
    clusters = make_clusters(len(next(iter(scores.values()))), speakers, units)
    tables = [
        _finished(rows, sides, task)
        for rows, sides in (
            _compare_overall(scores, pairs, speakers, clusters, task, resamples, seed),
            _compare_groups(scores, pairs, groups, speakers, clusters, task, resamples, seed),
        )
    ]
    return pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)


def _compare_overall(
    scores: Mapping[str, pd.DataFrame],
    pairs: Sequence[tuple[str, str]],
    speakers: np.ndarray | None,
    clusters: Clusters,
    task: Task,
    resamples: int,
    seed: int,
) -> tuple[list[dict], list[int]]:
    """Compare all utterances by the metric of the task: rows, and the sides of the intervals."""
    metric = task.overall_metric
    everyone = Group(ALL, "all utterances", np.ones(len(next(iter(scores.values()))), dtype=bool))
    sums = {name: metric_sums(scores[name], clusters.cell, metric) for name in {*chain(*pairs)}}
    rows, sides = [], []

    def change(both: np.ndarray) -> np.ndarray:
        return (metric_value(both[:, 1], metric) - metric_value(both[:, 0], metric))[:, None]

    for a, b in pairs:
        row = _row(ALL, everyone, a, b, scores, speakers, task)
        values = [float(metric_value(sums[name].sum(0), metric)) for name in (a, b)]
        both = np.stack([sums[a], sums[b]], axis=1)
        drawn: dict[str, Any] = {"resamples": resamples, "seed": seed}
        low, high = cluster_interval(both, change, clusters, **drawn)
        row |= _difference(metric, values, low[0], high[0])
        row["test"] = EXCHANGE
        added = [float(more[0]) for more in added_variances(both, change, clusters)]
        row["p"] = exchange_clusters(
            sums[a], sums[b], lambda total: metric_value(total, metric), clusters, added, **drawn
        )
        labels, support = 1, None
        if task.is_classification:
            labels, support = rarest_label(sums[a].sum(0), metric)
        ends = (low, high)
        if task.margin is not None:
            guarded = partial(guarded_interval, hidden=hidden_difference(task.margin, metric))
            ends = cluster_interval(both, change, clusters, guard=guarded, **drawn)
        row |= _within_margin(
            row, ends[0][0], ends[1][0], task.margin, support=support, labels=labels
        )
        rows.append(row)
        sides.append(_side(low[0], high[0]) if _enough(row) else 0)
    if rows:
        for row, q in zip(rows, false_discovery_control([row["p"] for row in rows]), strict=True):
            row["q"] = float(q)
    return rows, sides


def _compare_groups(
    scores: Mapping[str, pd.DataFrame],
    pairs: Sequence[tuple[str, str]],
    groups: Mapping[str, Group],
    speakers: np.ndarray | None,
    clusters: Clusters,
    task: Task,
    resamples: int,
    seed: int,
) -> tuple[list[dict], list[int]]:
    """Compare groups by accuracy or mean absolute error: rows, and the sides of the intervals."""
    rows: list[dict] = []
    sides: list[int] = []
    if not groups:
        return rows, sides
    stacked = np.stack([group.mask for group in groups.values()], axis=1).astype(float)
    losses = {name: table["loss"].to_numpy(float) for name, table in scores.items()}
    # the margin is in the unit of the task's metric
    margin = task.margin if rises(task.overall_metric) == task.higher_is_better else None
    for a, b in pairs:
        change = task.difference(losses[a], losses[b])
        sums = clusters.cell_sums(np.stack([stacked, stacked * change[:, None]], axis=-1))
        present = sums[..., 0] > 0
        drawn: dict[str, Any] = {"resamples": resamples, "seed": seed}
        low, high = cluster_interval(sums, _mean, clusters, present=present, **drawn)
        ends = (low, high)
        if margin is not None:
            guarded = partial(guarded_interval, hidden=hidden_difference(margin, task.metric))
            ends = cluster_interval(sums, _mean, clusters, present=present, guard=guarded, **drawn)
        of_sums = [more * stacked.sum(0) ** 2 for more in added_variances(sums, _mean, clusters)]
        parts = np.where(present, sums[..., 1], np.nan)
        alone, adjusted = sign_flips_of_clusters(parts, clusters, of_sums, **drawn)
        for place, (name, group) in enumerate(groups.items()):
            row = _row(name, group, a, b, scores, speakers, task)
            values = [_metric(losses[model][group.mask], task) for model in (a, b)]
            row |= _difference(task.metric, values, low[place], high[place])
            # the mean of the differences, which the interval is of, differs by rounding
            row["difference"] = float(change[group.mask].mean()) if row["support"] else np.nan
            row |= {"test": SIGN_FLIPS, "p": float(alone[place])}
            row["q"] = min(1.0, len(pairs) * float(adjusted[place]))
            support = row["support"] if task.is_classification else None
            row |= _within_margin(row, ends[0][place], ends[1][place], margin, support=support)
            rows.append(row)
            sides.append(_side(low[place], high[place]) if _enough(row) else 0)
    return rows, sides


def _row(
    name: str,
    group: Group,
    a: str,
    b: str,
    scores: Mapping[str, pd.DataFrame],
    speakers: np.ndarray | None,
    task: Task,
) -> dict:
    """The columns of a row that do not depend on the metric."""
    support = int(group.mask.sum())
    known_speakers = count_speakers(None if speakers is None else speakers[group.mask])
    row = {
        "slice": name,
        "kind": group.kind,
        "rule": group.rule,
        "support": support,
        "speakers": known_speakers,
        "reliable": known_speakers is not None and known_speakers >= FEW_SPEAKERS,
        "model_a": a,
        "model_b": b,
    }
    if task.is_classification:
        wrong = [scores[model]["loss"].to_numpy()[group.mask] > 0 for model in (a, b)]
        counts = _errors(*wrong)
        row |= counts
        row["mcnemar_p"] = mcnemar(counts["only_a_wrong"], counts["only_b_wrong"])
    return row


def _difference(metric: str, values: list[float], low: float, high: float) -> dict:
    """The metric of both models with their difference, without an interval of width zero."""
    if low == high:  # if all resamples agree, the bootstrap shows no uncertainty
        low = high = np.nan
    largest = LARGEST.get(metric, np.inf)
    low, high = np.clip([low, high], -largest, largest).tolist()
    return {
        "metric": metric,
        "value_a": values[0],
        "value_b": values[1],
        "difference": values[1] - values[0],
        "low": low,
        "high": high,
    }


def _within_margin(
    row: Mapping,
    low: float,
    high: float,
    margin: float | None,
    *,
    support: int | None,
    labels: int = 1,
) -> dict:
    """Whether the models are equivalent, and whether it is excluded that model b is worse.

    `low` and `high` are the ends of the guarded interval, or of the plain one without a margin.

    Model b may be worse by less than the margin. Without a margin it may not be worse at all, and
    models are not called equivalent.
    """
    loss = -low if rises(row["metric"]) else high  # how much worse model b may be
    if margin is None:
        return {"excluded": bool(_enough(row) and loss <= 0)}
    return {
        "equivalent": _enough(row)
        and is_equivalent((low, high), margin, support=support, labels=labels),
        "excluded": _enough(row)
        and is_equivalent((0.0, loss), margin, support=support, labels=labels),
    }


def _enough(row: Mapping) -> bool:
    """Whether there are enough speakers, or utterances if the speakers are not known."""
    units = row["support"] if row["speakers"] is None else row["speakers"]
    return bool(units >= FEW_SPEAKERS)


def _side(low: float, high: float) -> int:
    """1 if an interval lies above zero, -1 if it lies below, otherwise 0."""
    return int(low > 0) - int(high < 0)


def _finished(rows: list[dict], sides: list[int], task: Task) -> pd.DataFrame:
    """Table of some rows with their verdicts."""
    table = pd.DataFrame(rows, columns=COMPARISON_COLUMNS)
    for name in ["speakers", "both_right", "only_a_wrong", "only_b_wrong", "both_wrong"]:
        table[name] = table[name].astype("Int64")
    table["equivalent"] = table["equivalent"].astype("boolean")
    table["verdict"] = _verdicts(table, np.array(sides, dtype=int))
    table["strictly"] = pd.array([pd.NA] * len(table), dtype="boolean")
    if task.is_classification:
        better, worse = table["verdict"] == "better", table["verdict"] == "worse"
        table["strictly"] = (better & (table["only_b_wrong"] == 0)) | (
            worse & (table["only_a_wrong"] == 0)
        )
    excluded = np.array([row["excluded"] for row in rows], dtype=bool)
    table["regression"] = np.select(
        [table["verdict"] == "worse", excluded], [SHOWN, EXCLUDED], NOT_EXCLUDED
    )
    return table


def compare_with_references(
    scores: Mapping[str, pd.DataFrame],
    references: Mapping[str, pd.DataFrame],
    groups: Mapping[str, Group],
    speakers: np.ndarray | None,
    *,
    task: Task,
    resamples: int,
    seed: int,
    units: Sequence[Index] = (),
) -> pd.DataFrame:
    """Compare each model with each reference model.

    On groups, models are only compared with `chance` in a classification. It does not know the
    labels, so that it is equally good on all groups. How good the others are depends on the labels
    in a group.

    Args:
        scores: scores of each model, for the same utterances in the same order
        references: scores of each reference model, see `voxslice.scores.baselines`
        groups: groups by id
        speakers: speaker of each utterance, None to treat every utterance as independent
        task: what is measured, with the metric and the margin of equivalence
        resamples: number of bootstrap resamples, and of random exchanges and sign flips
        seed: seed of all three
        units: for each kind of further units the number of each utterance's unit

    Returns:
        a table as `compare` returns it, with the reference as model a; `q` adjusts p for the rows
        of one reference
    """
    tables = [
        compare(
            {**scores, reference: table},
            groups if task.is_classification and reference == CHANCE else {},
            speakers,
            task=task,
            resamples=resamples,
            seed=seed,
            pairs=[(reference, model) for model in scores],
            units=units,
        )
        for reference, table in references.items()
    ]
    return pd.concat(tables, ignore_index=True)


def _verdicts(table: pd.DataFrame, sides: np.ndarray) -> np.ndarray:
    """The verdict of each row, given the side of zero that each interval lies on."""
    decided = table["q"].to_numpy(float) <= ALPHA
    signs = np.array([1 if rises(metric) else -1 for metric in table["metric"]], dtype=int)
    better, worse = decided & (sides * signs > 0), decided & (sides * signs < 0)
    equivalent = table["equivalent"].to_numpy(bool, na_value=False)
    return np.select([better, worse, equivalent], ["better", "worse", "equivalent"], "undecided")


def worsening(table: pd.DataFrame) -> pd.Series:
    """How much worse model b is than model a in each row of a comparison.

    Args:
        table: comparison of models, as `compare` returns it

    Returns:
        the size of the difference, positive where model b is worse
    """
    return table["difference"].where(~table["metric"].map(rises).astype(bool), -table["difference"])


def regressions(table: pd.DataFrame) -> pd.DataFrame:
    """The groups in which the later model of a pair is worse.

    The later model in the config is usually the newer or bigger one. A row is listed even if the
    difference is small. Its `verdict` is `worse` if the difference is more than chance.

    Args:
        table: comparison of models, as `compare` returns it

    Returns:
        these rows, the largest difference first
    """
    against = worsening(table)
    worse = table.assign(_against=against)[against > 0]
    order = ["_against", "support", "slice", "model_a", "model_b"]
    worse = worse.sort_values(order, ascending=[False, False, True, True, True])
    return worse.drop(columns="_against").reset_index(drop=True)


def _mean(sums: np.ndarray) -> np.ndarray:
    """Means from sums of ones and of values, along the last axis."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[..., 1] / sums[..., 0]


def _metric(loss: np.ndarray, task: Task) -> float:
    """The metric of some utterances, NaN if there are none."""
    if len(loss) == 0:
        return float("nan")
    return task.metric_of(float(loss.mean()))


def _errors(a: np.ndarray, b: np.ndarray) -> dict[str, int]:
    """Count utterances by which of two models is wrong, given masks of the errors of both."""
    return {
        "both_right": int((~a & ~b).sum()),
        "only_a_wrong": int((a & ~b).sum()),
        "only_b_wrong": int((~a & b).sum()),
        "both_wrong": int((a & b).sum()),
    }
