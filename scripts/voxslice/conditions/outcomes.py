"""What conditions cost each model, on all utterances and on groups of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from voxslice.comparison.compare import ALL, compare
from voxslice.comparison.groups import Group
from voxslice.conditions.interactions import interaction_tests
from voxslice.slices.drop_intervals import drop_interval
from voxslice.speakers import number_speakers
from voxslice.task import Task
from voxslice.units import Index

CLEAN = "clean"
"""Name of the original audio among the conditions. No condition of a config can have it."""
OUTCOME_COLUMNS = [
    "model", "condition", "group", "kind", "rule", "support", "speakers", "reliable", "metric",
    "clean", "value", "difference", "low", "high", "unchanged", "changed_to", "changed_to_share",
    "shift", "test", "p", "q", "verdict", "excess", "excess_low", "excess_high", "p_excess",
    "evidence",
]  # fmt: skip
MODEL_COLUMNS = [
    "condition", "model_a", "model_b", "metric", "support", "speakers", "value_a", "value_b",
    "difference", "low", "high", "p", "q", "verdict",
]  # fmt: skip
WORST_COLUMNS = [
    "model", "metric", "clean", "condition", "value", "difference", "low", "high", "q", "verdict",
    "mean", "conditions", "tied",
]  # fmt: skip

Scores = Mapping[str, Mapping[str, pd.DataFrame]]
"""Scores of each model in each condition, for the same utterances in the same order. The first
condition of each model is `clean`."""


@dataclass(frozen=True)
class _Comparison:
    """A model in a condition, and the name that it has in a comparison."""

    name: str
    model: str
    condition: str


def condition_outcomes(
    scores: Scores,
    groups: Mapping[str, Group],
    speakers: np.ndarray | None,
    *,
    task: Task,
    resamples: int,
    seed: int,
    units: Sequence[Index] = (),
) -> pd.DataFrame:
    """Compare each model in each condition with the same model on clean audio.

    All utterances are compared by the metric of the task, groups by the accuracy or the mean
    absolute error, with the tests of `voxslice.comparison.compare.compare`.

    Args:
        scores: scores of each model in each condition
        groups: groups of the utterances by id; `all` is added as the first one
        speakers: speaker of each utterance, None to treat every utterance as independent
        task: what is measured, with the metric and the margin
        resamples: number of bootstrap resamples, and of random exchanges and sign flips
        seed: seed of every random step
        units: for each kind of further units, such as sentences, the number of each utterance's
            unit

    Returns:
        one row per model, condition and group, in the columns `OUTCOME_COLUMNS`:

        - `clean` and `value`: the `metric` on clean audio and in the condition; `difference`: the
          second minus the first, with its 95 % interval from resampling speakers; `test`, `p`, `q`
          and `verdict` of the comparison
        - `unchanged`: share of the utterances with the same predicted class, or with a number that
          changes by at most the margin of the task (missing without a margin)
        - `changed_to`: the class that the largest share (`changed_to_share`) of the changed
          predictions goes to; for a regression `shift`, the mean change of the prediction
        - `excess`: how much more the metric gets worse in the group than on all other utterances,
          with a 95 % interval that treats speakers as units; `p_excess`, adjusted for the table,
          and `evidence`, see `voxslice.conditions.interactions`. They are missing for `all`
    """
    comparisons = _comparisons(scores)
    if not comparisons:
        return pd.DataFrame(columns=OUTCOME_COLUMNS)
    tables = {
        _name(model, condition): table
        for model, of_model in scores.items()
        for condition, table in of_model.items()
    }
    compared = compare(
        tables,
        groups,
        speakers,
        task=task,
        resamples=resamples,
        seed=seed,
        pairs=[(_name(pair.model, CLEAN), pair.name) for pair in comparisons],
        units=units,
    )
    names = {pair.name: pair for pair in comparisons}
    compared = compared.rename(
        columns={"slice": "group", "value_a": "clean", "value_b": "value"}
    ).assign(
        model=[names[name].model for name in compared["model_b"]],
        condition=[names[name].condition for name in compared["model_b"]],
    )
    whole = np.ones(len(next(iter(tables.values()))), dtype=bool)
    masks = {ALL: whole, **{name: group.mask for name, group in groups.items()}}
    changes = pd.DataFrame(
        [
            _changes(scores[pair.model], pair.condition, mask, task)
            | {"model": pair.model, "condition": pair.condition, "group": name}
            for pair in comparisons
            for name, mask in masks.items()
        ]
    )
    excesses = _excesses(scores, comparisons, groups, speakers, units, seed)
    place = ["model", "condition", "group"]
    table = compared.merge(changes, on=place, how="left").merge(excesses, on=place, how="left")
    order = {
        (pair.model, pair.condition, name): (number, place)
        for number, pair in enumerate(comparisons)
        for place, name in enumerate(masks)
    }
    keys = [order[key] for key in zip(*(table[name] for name in place), strict=True)]
    table = table.iloc[sorted(range(len(keys)), key=keys.__getitem__)]
    return table[OUTCOME_COLUMNS].reset_index(drop=True)


def models_in_conditions(
    scores: Scores,
    pairs: list[tuple[str, str]],
    speakers: np.ndarray | None,
    *,
    task: Task,
    resamples: int,
    seed: int,
    units: Sequence[Index] = (),
) -> pd.DataFrame:
    """Compare the models with each other, on clean audio and in each condition.

    Args:
        scores: scores of each model in each condition
        pairs: pairs of models
        speakers: speaker of each utterance, None to treat every utterance as independent
        task: what is measured, with the metric and the margin
        resamples: number of bootstrap resamples, and of random exchanges
        seed: seed of both
        units: for each kind of further units the number of each utterance's unit

    Returns:
        one row per condition and pair of models, in the columns `MODEL_COLUMNS`, see
        `voxslice.comparison.compare.compare`. `q` adjusts p for all rows
    """
    conditions = list(dict.fromkeys(name for of_model in scores.values() for name in of_model))
    tables = {
        _name(model, condition): table
        for model, of_model in scores.items()
        for condition, table in of_model.items()
    }
    made = [
        (condition, a, b)
        for condition in conditions
        for a, b in pairs
        if condition in scores[a] and condition in scores[b]
    ]
    if not made:
        return pd.DataFrame(columns=MODEL_COLUMNS)
    table = compare(
        tables,
        {},
        speakers,
        task=task,
        resamples=resamples,
        seed=seed,
        pairs=[(_name(a, condition), _name(b, condition)) for condition, a, b in made],
        units=units,
    )
    for number, name in enumerate(("condition", "model_a", "model_b")):
        table[name] = [row[number] for row in made]
    return table[MODEL_COLUMNS]


def worst_conditions(outcomes: pd.DataFrame) -> pd.DataFrame:
    """The condition in which each model is worst on all utterances, beside the mean of all.

    Args:
        outcomes: table that `condition_outcomes` returns

    Returns:
        one row per model, in the columns `WORST_COLUMNS`: the figures of its worst `condition`, the
        `mean` of the metric over all `conditions` (their number), which hides the worst one, and
        the ids of other conditions that are as bad (`tied`, with commas between them)
    """
    rows = []
    whole = outcomes[outcomes["group"] == ALL]
    for model, table in whole.groupby("model", sort=False):
        worsening = table["difference"] * np.where(table["metric"] == "mae", 1, -1)
        if worsening.isna().all():
            continue
        worst = table.loc[worsening.idxmax()]
        tied = table["condition"][np.isclose(table["value"], worst["value"], rtol=0)]
        rows.append(
            {name: worst[name] for name in WORST_COLUMNS[:-3]}
            | {"mean": float(table["value"].mean()), "conditions": len(table)}
            | {"tied": ", ".join(tied[tied != worst["condition"]])}
            | {"model": model}
        )
    return pd.DataFrame(rows, columns=WORST_COLUMNS)


def _name(model: str, condition: str) -> str:
    """Name of a model in a condition in a comparison. No id of a model contains a line break."""
    return f"{model}\n{condition}"


def _comparisons(scores: Scores) -> list[_Comparison]:
    """All models and conditions except clean audio."""
    return [
        _Comparison(_name(model, condition), model, condition)
        for model, of_model in scores.items()
        for condition in of_model
        if condition != CLEAN
    ]


def _changes(
    of_model: Mapping[str, pd.DataFrame], condition: str, mask: np.ndarray, task: Task
) -> dict[str, object]:
    """How the predictions for some utterances change in a condition."""
    before = of_model[CLEAN]["prediction"][mask]
    after = of_model[condition]["prediction"][mask]
    row: dict[str, object] = {
        "unchanged": np.nan, "changed_to": None, "changed_to_share": np.nan, "shift": np.nan,
    }  # fmt: skip
    if not len(before):
        return row
    if not task.is_classification:
        change = after.to_numpy(float) - before.to_numpy(float)
        row["shift"] = float(change.mean())
        if task.margin is not None:
            row["unchanged"] = float((np.abs(change) <= task.margin).mean())
        return row
    changed = before.astype(str).to_numpy() != after.astype(str).to_numpy()
    row["unchanged"] = float(1 - changed.mean())
    if changed.any():
        names, counts = np.unique(after.astype(str).to_numpy()[changed], return_counts=True)
        row["changed_to"] = str(names[counts.argmax()])
        row["changed_to_share"] = float(counts.max() / counts.sum())
    return row


def _excesses(
    scores: Scores,
    comparisons: list[_Comparison],
    groups: Mapping[str, Group],
    speakers: np.ndarray | None,
    units: Sequence[Index],
    seed: int,
) -> pd.DataFrame:
    """How much more each group is hurt than all other utterances, with the tests of the table."""
    changes = np.stack(
        [
            scores[pair.model][pair.condition]["loss"].to_numpy(float)
            - scores[pair.model][CLEAN]["loss"].to_numpy(float)
            for pair in comparisons
        ],
        axis=1,
    )
    found = interaction_tests(
        [group.mask for group in groups.values()], changes, speakers, seed=seed, units=units
    )
    clusters = None if speakers is None else number_speakers(speakers)[0]
    rows = []
    for place, (name, group) in enumerate(groups.items()):
        for number, pair in enumerate(comparisons):
            change = changes[:, number]
            figures = dict.fromkeys(("excess", "excess_low", "excess_high"), np.nan)
            if group.mask.any() and not group.mask.all():
                low, high = drop_interval(change, group.mask, clusters)
                excess = float(change[group.mask].mean() - change[~group.mask].mean())
                # an interval of width zero would say that nothing is uncertain
                low, high = (low, high) if low < high else (np.nan, np.nan)
                figures = {"excess": excess, "excess_low": low, "excess_high": high}
            rows.append(
                {"model": pair.model, "condition": pair.condition, "group": name}
                | figures
                | {
                    "p_excess": found.p[place, number],
                    "evidence": found.evidence[place, number] or None,
                }
            )
    columns = ["model", "condition", "group", "excess", "excess_low", "excess_high", "p_excess"]
    return pd.DataFrame(rows, columns=[*columns, "evidence"])
