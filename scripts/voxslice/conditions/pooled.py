"""Search for slices over all conditions at once, with the condition as a column."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from voxslice.comparison.groups import MIN_SUPPORT
from voxslice.conditions.outcomes import CLEAN, Scores
from voxslice.conditions.scores import CONDITION
from voxslice.sampling import sampled
from voxslice.scores.clusters import crossing_units
from voxslice.slices.drop_intervals import drop_interval
from voxslice.slices.max_tests import MIN_SPEAKERS_ACROSS
from voxslice.slices.search import find_slices
from voxslice.speakers import UNKNOWN_SPEAKER, count_speakers, number_speakers
from voxslice.task import Task
from voxslice.units import Index

UTTERANCE = "_utterance"
"""Column of the pooled table that holds the number of the utterance. No dataset can have it."""
SPEAKER_IN_CONDITION = "_speaker_in_condition"
"""Column of the pooled table that holds the speaker and the condition. No dataset can have it."""
UNIT_IN_CONDITION = "_unit_in_condition_"
"""Prefix of the columns of the pooled table that number the units in each condition."""
EFFECT = "_effect_of_"
"""Prefix of the columns of the pooled table that hold a category and the condition."""
DEPTH = 3
"""Largest number of conditions of a rule."""
EVIDENCE = "within utterances"
"""Test that confirms a slice of the pooled search."""
MAX_UTTERANCES = 2000
"""Largest number of utterances that are searched; of more, a random sample is."""
POOLED_COLUMNS = [
    "model", "rule", "support", "speakers", "value", "elsewhere", "drop", "low", "high", "p", "q",
    "evidence", "confirmed", "searched", "utterances", "note",
]  # fmt: skip


def pooled_slices(
    scores: Scores,
    metadata: pd.DataFrame,
    speakers: np.ndarray | None,
    *,
    features: Sequence[str],
    task: Task,
    alpha: float,
    seed: int,
    units: Sequence[Index] = (),
    depth: int = DEPTH,
    min_support: int = MIN_SUPPORT,
) -> pd.DataFrame:
    """Search for conditions, and groups in conditions, in which a model has more errors.

    The pooled table has one row per utterance and condition, including clean audio. The losses of
    an utterance in all conditions are repeated measures: an utterance that is difficult is so in
    all of them. So losses are compared within each utterance, which is permuted among its
    conditions. It finds that a condition, or a condition for a group, is worse than other
    conditions of the same utterances. It cannot find groups that are equally bad in all conditions:
    those are slices of the clean audio. A slice that names a group is confirmed only if its
    condition costs the group more than others.

    A condition may help or hurt single speakers. Then their utterances in the condition are alike,
    and few speakers tell little about a group. So a speaker in a condition is a unit: the variance
    of each rule is increased by what the utterances of such units share
    (`voxslice.slices.units`). What all speakers of a category lose in a condition is not part of
    it: that is what the search looks for. Only categories with at least five speakers can be
    distinguished from their speakers. The same applies to further units, such as sentences.

    Args:
        scores: scores of each model in each condition
        metadata: the metadata of the same utterances, in the same order
        speakers: speaker of each utterance, None if the speakers are not known
        features: columns of the metadata that rules may name besides the condition
        task: what is measured
        alpha: level at which a slice is confirmed
        seed: seed of the sample and of the search
        units: for each kind of further units, such as sentences, the number of each utterance's
            unit
        depth: largest number of conditions of a rule, at least 2 to name a group in a condition
        min_support: smallest number of rows of a slice

    Returns:
        one row per slice, best first within a model, in the columns `POOLED_COLUMNS`: `support`
        (number of rows, each an utterance in a condition), `value` (the metric in the slice),
        `elsewhere` (the metric of the same utterances in the other conditions), `drop` (how much
        worse it is in the slice, with a 95 % interval that treats speakers as units), p and q as in
        `voxslice.slices.search.find_slices`, and the number of `utterances` that were searched
    """
    rows: list[dict] = []
    for model, of_model in scores.items():
        if set(of_model) == {CLEAN}:
            continue
        sample = sampled(len(metadata), MAX_UTTERANCES, seed)
        losses = np.stack(
            [table["loss"].to_numpy(float)[sample] for table in of_model.values()], axis=1
        )
        table = metadata.iloc[sample][list(features)].reset_index(drop=True)
        pooled = table.loc[np.repeat(np.arange(len(sample)), len(of_model))].reset_index(drop=True)
        pooled[CONDITION] = np.tile(list(of_model), len(sample))
        pooled[UTTERANCE] = np.repeat(np.arange(len(sample)).astype(str), len(of_model))
        # a slice is worse than the same utterances elsewhere, not worse than all rows
        centred = (losses - losses.mean(axis=1, keepdims=True)).ravel()
        of_sample = None if speakers is None else speakers[sample]
        in_conditions, effects = [], []
        if of_sample is not None:
            pooled[SPEAKER_IN_CONDITION] = _speakers_in_conditions(of_sample, list(of_model))
            in_conditions = [SPEAKER_IN_CONDITION]
            of_units = crossing_units(of_sample, [unit[sample] for unit in units])
            for number, unit in enumerate(of_units):
                in_conditions.append(f"{UNIT_IN_CONDITION}{number}")
                pooled[in_conditions[-1]] = np.add.outer(
                    unit * len(of_model), np.arange(len(of_model))
                ).ravel()
            for name in features:
                effects.append(f"{EFFECT}{name}")
                pooled[effects[-1]] = _effect(table[name], [of_sample, *of_units], list(of_model))
        found = find_slices(
            pooled,
            centred - centred.min(),
            [CONDITION, *features],
            UTTERANCE,
            depth=depth,
            min_support=min_support,
            alpha=alpha,
            seed=seed,
            across=False,
            naming=CONDITION,
            units=in_conditions,
            effects=effects,
            centred=task.is_classification,
        )
        for slice_ in found.slices.to_dict("records"):
            inside = np.zeros(losses.size, dtype=bool)
            inside[slice_.pop("rows")] = True
            rows.append(
                {"model": model, "searched": found.searched, "utterances": len(sample)}
                | slice_
                | _figures(inside.reshape(losses.shape), losses, of_sample, task)
                | {"evidence": EVIDENCE if slice_["confirmed"] else None}
            )
    table = pd.DataFrame(rows, columns=POOLED_COLUMNS)
    return table.astype({"speakers": "Int64", "confirmed": bool})


def _speakers_in_conditions(speakers: np.ndarray, conditions: Sequence[str]) -> list[str | None]:
    """Speaker and condition of each row of the pooled table; missing if the speaker is unknown."""
    return [
        None if speaker == UNKNOWN_SPEAKER else f"{speaker}\n{condition}"
        for speaker in speakers
        for condition in conditions
    ]


def _effect(column: pd.Series, units: Sequence[np.ndarray], conditions: Sequence[str]) -> list[str]:
    """Category and condition of each row of the pooled table.

    The category is left out if it has few speakers or few units of another kind, so that it is not
    mistaken for them, and if the column holds numbers.
    """
    names = column.astype("string").fillna("").to_numpy(str)
    counts = pd.DataFrame(dict(enumerate(units))).groupby(names).nunique().min(axis=1)
    kept = counts.index[counts >= MIN_SPEAKERS_ACROSS]
    if pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
        kept = kept[:0]
    shown = np.where(np.isin(names, kept), names, "")
    return [f"{name}\n{condition}" for name in shown for condition in conditions]


def _figures(
    inside: np.ndarray, losses: np.ndarray, speakers: np.ndarray | None, task: Task
) -> dict[str, object]:
    """Measure a slice, compared with the same utterances in the other conditions.

    Args:
        inside: mask of the rows of the slice, shape (utterances, conditions)
        losses: losses, of the same shape
        speakers: speaker of each utterance
        task: what is measured

    Returns:
        columns of `POOLED_COLUMNS`
    """
    members = inside.any(axis=1)
    loss, mask = losses[members].ravel(), inside[members].ravel()
    clusters = None
    if speakers is not None:
        clusters = np.repeat(number_speakers(speakers[members])[0], inside.shape[1])
    here, elsewhere = float(loss[mask].mean()), np.nan
    low = high = np.nan
    if not mask.all():
        elsewhere = float(loss[~mask].mean())
        low, high = drop_interval(loss, mask, clusters)
    return {
        "support": int(mask.sum()),
        "speakers": None if speakers is None else count_speakers(speakers[members]),
        "value": task.metric_of(here),
        "elsewhere": task.metric_of(elsewhere),
        "drop": here - elsewhere,
        "low": low,
        "high": high,
    }
