"""The results of all models in all conditions, as the workflow writes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from voxslice.comparison.compare import ALL
from voxslice.comparison.groups import MIN_SUPPORT, Group, align, category_groups
from voxslice.comparison.tables import compared_pairs
from voxslice.conditions.outcomes import (
    CLEAN,
    Scores,
    condition_outcomes,
    models_in_conditions,
    worst_conditions,
)
from voxslice.conditions.pooled import pooled_slices
from voxslice.speakers import speakers_of
from voxslice.task import Task
from voxslice.units import units_of
from voxslice.utterance_keys import KEY

MODE_KIND = "mode"
"""Kind of a group that holds the utterances of a failure mode."""
BROKEN_COLUMNS = ["model", "condition", "group", *KEY, "label", "before", "after"]
MAX_BROKEN = 3
"""Largest number of utterances to listen to of a model, condition and group."""
LEVEL = 0.05
"""Largest adjusted p-value of a group whose utterances are listed to listen to."""


@dataclass(frozen=True)
class ConditionTables:
    """The results of the models of a task in all conditions.

    Attributes:
        outcomes: one row per model, condition and group, see
            `voxslice.conditions.outcomes.condition_outcomes`
        slices: slices of the search over all conditions, see
            `voxslice.conditions.pooled.pooled_slices`
        models: one row per condition and pair of models, see
            `voxslice.conditions.outcomes.models_in_conditions`
        worst: the worst condition of each model
        broken: utterances to listen to, see `broken_utterances`
    """

    outcomes: pd.DataFrame
    slices: pd.DataFrame
    models: pd.DataFrame
    worst: pd.DataFrame
    broken: pd.DataFrame


def compare_conditions(
    clean: Mapping[str, pd.DataFrame],
    in_conditions: Mapping[str, Mapping[str, pd.DataFrame]],
    metadata: pd.DataFrame,
    modes: pd.DataFrame,
    members: pd.DataFrame,
    *,
    columns: Sequence[str],
    task: Task,
    sources: Mapping[str, str],
    alpha: float,
    resamples: int,
    seed: int,
    units: Sequence[str] = (),
) -> ConditionTables:
    """Compute what conditions cost the models of a task, and whom.

    Only utterances that all models have scored on clean audio and in all conditions are compared.

    Args:
        clean: scores on clean audio of each model
        in_conditions: scores of each model by condition, in the order of the config
        metadata: the metadata of all utterances
        modes: the failure modes, see `voxslice.modes.table`
        members: `mode` and the keys of the utterances of each mode
        columns: columns of the metadata whose categories are groups, and which the search names
        task: what is measured, with the metric and the margin
        sources: source of each derived model
        alpha: level of the search
        resamples: number of resamples
        seed: seed of every random step
        units: columns of the metadata that name units beside the speaker

    Returns:
        the tables
    """
    named = {
        (model, condition): table
        for model, of_model in in_conditions.items()
        for condition, table in {CLEAN: clean[model], **of_model}.items()
    }
    keys, aligned = _align(named)
    left_out = max((len(table) for table in clean.values()), default=0) - len(keys)
    print(f"{len(keys)} utterances are compared, {left_out} are not scored in every condition")
    scores: dict[str, dict[str, pd.DataFrame]] = {model: {} for model in in_conditions}
    for (model, condition), table in aligned.items():
        scores[model][condition] = table
    known = keys.merge(metadata, on=KEY, how="left")
    speakers = speakers_of(keys, metadata)
    numbered = units_of(keys, metadata, units)
    groups = condition_groups(keys, known[list(columns)], modes, members)
    outcomes = condition_outcomes(
        scores, groups, speakers, task=task, resamples=resamples, seed=seed, units=numbered
    )
    return ConditionTables(
        outcomes,
        pooled_slices(
            scores,
            known,
            speakers,
            features=columns,
            task=task,
            alpha=alpha,
            seed=seed,
            units=numbered,
        ),
        models_in_conditions(
            scores,
            compared_pairs(list(scores), sources),
            speakers,
            task=task,
            resamples=resamples,
            seed=seed,
            units=numbered,
        ),
        worst_conditions(outcomes),
        broken_utterances(scores, groups, outcomes, keys, speakers),
    )


def condition_groups(
    keys: pd.DataFrame, table: pd.DataFrame, modes: pd.DataFrame, members: pd.DataFrame
) -> dict[str, Group]:
    """Groups of utterances for which conditions are compared.

    Args:
        keys: keys of the compared utterances
        table: the metadata columns of these utterances
        modes: the failure modes
        members: `mode` and the keys of the utterances of each mode

    Returns:
        the categories, and the modes that a model confirms, by ids such as `emotion=anger` and
        `mode 1`. A mode that holds the same utterances as a category, or fewer than ten, is left
        out
    """
    groups = category_groups(table, {})
    seen = {group.mask.tobytes() for group in groups.values()}
    index = pd.MultiIndex.from_frame(keys[KEY])
    confirmed = modes[modes["confirmed"].astype(bool)]
    for mode, name in confirmed.drop_duplicates("mode")[["mode", "name"]].itertuples(index=False):
        rows = members[members["mode"] == mode]
        mask = np.asarray(index.isin(pd.MultiIndex.from_frame(rows[KEY])))
        if mask.sum() >= MIN_SUPPORT and mask.tobytes() not in seen:
            seen.add(mask.tobytes())
            groups[f"mode {mode}"] = Group(MODE_KIND, str(name), mask)
    return groups


def broken_utterances(
    scores: Scores,
    groups: Mapping[str, Group],
    outcomes: pd.DataFrame,
    keys: pd.DataFrame,
    speakers: np.ndarray | None,
) -> pd.DataFrame:
    """List utterances that a condition makes worse, to listen to them before and after.

    Args:
        scores: scores of each model in each condition
        groups: the groups by id
        outcomes: table of `voxslice.conditions.outcomes.condition_outcomes`
        keys: keys of the utterances
        speakers: speaker of each utterance, None if the speakers are not known

    Returns:
        for each model and condition up to three utterances of all (`all`) and of each group that
        the condition hurts more than others, in the columns `BROKEN_COLUMNS`: the `label` and the
        prediction `before` (clean audio) and `after` (in the condition). The largest increase of
        the loss comes first, and different speakers are preferred
    """
    order = keys.assign(_speaker=speakers if speakers is not None else np.arange(len(keys)))
    rows = [pd.DataFrame(columns=BROKEN_COLUMNS)]
    chosen = outcomes[(outcomes["group"] == ALL) | (outcomes["p_excess"] <= LEVEL)]
    names = ["model", "condition", "group"]
    for model, condition, group in chosen[names].itertuples(index=False):
        before, after = scores[model][CLEAN], scores[model][condition]
        table = order.assign(
            label=before["label"],
            before=before["prediction"],
            after=after["prediction"],
            _change=after["loss"].to_numpy(float) - before["loss"].to_numpy(float),
        )
        inside = groups[group].mask if group != ALL else np.ones(len(keys), dtype=bool)
        table = table[inside & (table["_change"] > 0).to_numpy()]
        table = table.sort_values(["_change", *KEY], ascending=[False, True, True, True])
        again = table.groupby("_speaker").cumcount()
        table = table.iloc[np.argsort(again.to_numpy(), kind="stable")].head(MAX_BROKEN)
        if len(table):
            table = table.assign(model=model, condition=condition, group=group)
            rows.append(table[BROKEN_COLUMNS])
    return pd.concat(rows if len(rows) == 1 else rows[1:], ignore_index=True)


def _align(
    named: Mapping[tuple[str, str], pd.DataFrame],
) -> tuple[pd.DataFrame, dict[tuple[str, str], pd.DataFrame]]:
    """Select the utterances that every model has scored in every condition."""
    numbered = {str(number): table for number, table in enumerate(named.values())}
    keys, aligned = align(numbered)
    return keys, dict(zip(named, aligned.values(), strict=True))
