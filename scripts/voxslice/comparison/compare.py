"""Compare pairs of models, overall and on groups of utterances."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import false_discovery_control

from voxslice.comparison.groups import Group
from voxslice.comparison.paired_tests import ALPHA, is_equivalent, mcnemar, sign_flip
from voxslice.names import CHANCE
from voxslice.scores.bootstrap import FEW_SPEAKERS, bootstrap_interval, speaker_sums
from voxslice.speakers import count_speakers
from voxslice.task import Task

COMPARISON_COLUMNS = [
    "slice", "kind", "rule", "support", "speakers", "reliable", "model_a", "model_b", "value_a",
    "value_b", "difference", "low", "high", "both_right", "only_a_wrong", "only_b_wrong",
    "both_wrong", "p", "q", "verdict", "strictly", "equivalent",
]  # fmt: skip


def compare(
    losses: Mapping[str, np.ndarray],
    groups: Mapping[str, Group],
    speakers: np.ndarray | None,
    *,
    task: Task,
    resamples: int,
    seed: int,
    pairs: Sequence[tuple[str, str]] | None = None,
) -> pd.DataFrame:
    """Compare pairs of models on all utterances and on each group.

    The verdict is on model b compared with model a. It is `better` or `worse` if q is at most 0.05
    and the interval, of at least five speakers, does not contain zero (McNemar's test treats
    utterances as independent, the interval does not). Otherwise it is `equivalent` if the models
    are equivalent within the margin, or `undecided`. Few speakers agree by chance: in simulations,
    two equally good models got a verdict in 30, 18 and 9 % of the cases with 2, 3 and 4 speakers,
    and in 7, 6 and 5 % with 5, 10 and 20 speakers.

    Args:
        losses: losses of each model, shape (utterances,), for the same utterances in the same order
        groups: groups by id; `all` is added as the first one
        speakers: speaker of each utterance, None to treat every utterance as independent
        task: what is measured, with the margin of equivalence
        resamples: number of bootstrap resamples and of random sign flips
        seed: seed of both
        pairs: pairs of models, None for all pairs

    Returns:
        one row per group and pair, in the columns `COMPARISON_COLUMNS`: the metric of both models;
        `difference` (b minus a) and its 95 % interval from resampling speakers (missing if all
        resamples agree); `reliable`, whether there are enough known speakers for the interval; for
        a classification the counts of who is wrong and the exact p of McNemar's test, for a
        regression p of a sign-flip test of the speakers' loss differences; `q`, which adjusts p for
        all rows (Benjamini and Hochberg); `verdict`; `strictly`, whether the better model of a
        classification makes no error that the other one does not make; and `equivalent`
    """
    count = len(next(iter(losses.values())))
    everyone = Group("all", "all utterances", np.ones(count, dtype=bool))
    groups = {"all": everyone, **groups}
    stacked = np.stack([group.mask for group in groups.values()], axis=1).astype(float)
    rows: list[dict] = []
    sides: list[int] = []  # 1 if the interval lies above zero, -1 if below, 0 otherwise
    for a, b in combinations(losses, 2) if pairs is None else pairs:
        change = task.difference(losses[a], losses[b])
        parts = np.stack([stacked, stacked * change[:, None]], axis=-1)
        sums = speaker_sums(parts, speakers)
        units = (sums[..., 0] > 0).sum(0)  # speakers with utterances in each group
        low, high = bootstrap_interval(sums, _mean, resamples=resamples, seed=seed, speakers=units)
        side = np.select([low > 0, high < 0], [1, -1], 0)
        # if all resamples agree, the bootstrap shows no uncertainty
        shown = np.where(low == high, np.nan, [low, high])
        for position, (name, group) in enumerate(groups.items()):
            mask, support = group.mask, int(group.mask.sum())
            known_speakers = count_speakers(None if speakers is None else speakers[mask])
            enough = (support if known_speakers is None else known_speakers) >= FEW_SPEAKERS
            row = {
                "slice": name,
                "kind": group.kind,
                "rule": group.rule,
                "support": support,
                "speakers": known_speakers,
                "reliable": known_speakers is not None and enough,
                "model_a": a,
                "model_b": b,
                "value_a": _metric(losses[a][mask], task),
                "value_b": _metric(losses[b][mask], task),
                "difference": float(change[mask].mean()) if support else np.nan,
                "low": shown[0, position],
                "high": shown[1, position],
            }
            if task.is_classification:
                row |= _errors(losses[a][mask] > 0, losses[b][mask] > 0)
                row["p"] = mcnemar(row["only_a_wrong"], row["only_b_wrong"])
            else:
                row["p"] = sign_flip(sums[:, position, 1], resamples=resamples, seed=seed)
            if task.margin is not None:
                row["equivalent"] = enough and is_equivalent(
                    (low[position], high[position]),
                    task.margin,
                    support=support if task.is_classification else None,
                )
            rows.append(row)
            sides.append(side[position] if enough else 0)
    table = pd.DataFrame(rows, columns=COMPARISON_COLUMNS)
    if len(table):
        table["q"] = false_discovery_control(table["p"].astype(float))
    for name in ["speakers", "both_right", "only_a_wrong", "only_b_wrong", "both_wrong"]:
        table[name] = table[name].astype("Int64")
    table["equivalent"] = table["equivalent"].astype("boolean")
    table["verdict"] = _verdicts(table, np.array(sides), task)
    table["strictly"] = pd.array([pd.NA] * len(table), dtype="boolean")
    if task.is_classification:
        better, worse = table["verdict"] == "better", table["verdict"] == "worse"
        table["strictly"] = (better & (table["only_b_wrong"] == 0)) | (
            worse & (table["only_a_wrong"] == 0)
        )
    overall = table["slice"] == "all"
    return pd.concat([table[overall], table[~overall]], ignore_index=True)


def compare_with_references(
    losses: Mapping[str, np.ndarray],
    references: Mapping[str, np.ndarray],
    groups: Mapping[str, Group],
    speakers: np.ndarray | None,
    *,
    task: Task,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Compare each model with each reference model.

    On groups, models are only compared with `chance` in a classification. It does not know the
    labels, so that it is equally good on all groups. How good the others are depends on the labels
    in a group.

    Args:
        losses: losses of each model, shape (utterances,)
        references: losses of each reference model, see `voxslice.scores.baselines`
        groups: groups by id
        speakers: speaker of each utterance, None to treat every utterance as independent
        task: what is measured, with the margin of equivalence
        resamples: number of bootstrap resamples and of random sign flips
        seed: seed of both

    Returns:
        a table as `compare` returns it, with the reference as model a; `q` adjusts p for the rows
        of one reference
    """
    tables = [
        compare(
            {**losses, reference: loss},
            groups if task.is_classification and reference == CHANCE else {},
            speakers,
            task=task,
            resamples=resamples,
            seed=seed,
            pairs=[(reference, model) for model in losses],
        )
        for reference, loss in references.items()
    ]
    return pd.concat(tables, ignore_index=True)


def _verdicts(table: pd.DataFrame, sides: np.ndarray, task: Task) -> np.ndarray:
    """The verdict of each row, given the side of zero that each interval lies on."""
    decided = table["q"].to_numpy(float) <= ALPHA
    rises, falls = decided & (sides > 0), decided & (sides < 0)
    better, worse = (rises, falls) if task.higher_is_better else (falls, rises)
    equivalent = table["equivalent"].to_numpy(bool, na_value=False)
    return np.select([better, worse, equivalent], ["better", "worse", "equivalent"], "undecided")


def regressions(table: pd.DataFrame, task: Task) -> pd.DataFrame:
    """The groups in which the later model of a pair is worse.

    The later model in the config is usually the newer or bigger one. A row is listed even if the
    difference is small. Its `verdict` is `worse` if the difference is more than chance.

    Args:
        table: comparison of models, as `compare` returns it
        task: what is measured

    Returns:
        these rows, the largest difference first
    """
    against = task.worsening(table["difference"])
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
