"""The failure modes of a task, as the workflow writes them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from voxslice.modes.candidates import Candidate, gather
from voxslice.modes.channels import associations, categories_of_people, people_of
from voxslice.modes.choice import Mode, choose_modes
from voxslice.modes.differences import differences
from voxslice.modes.errors import confusions, leading_speaker
from voxslice.modes.rules import read_rule
from voxslice.modes.unflagged import Retest, without_flagged
from voxslice.names import WITHIN
from voxslice.rule_conditions import is_numeric
from voxslice.slices.corrected_drops import NOT_CORRECTED, corrected_slice
from voxslice.slices.excess import within_speakers
from voxslice.slices.table import summarise
from voxslice.speakers import speakers_of
from voxslice.task import Task
from voxslice.utterance_keys import KEY

REST, NONE = "rest", "none"
"""Modes in the tables that stand for the utterances, and the slices, of no mode."""
SAME_SPEAKERS, ALL_OTHERS = "same speakers", "all other utterances"

MODE_COLUMNS = [
    "mode", "model", "name", "rule", "precision", "recall", "support", "speakers", "value", "rest",
    "drop", "drop_low", "drop_high", "compared_with", "excess", "low", "high", "corrected",
    "corrected_low", "corrected_high", "evidence", "confirmed", "confirmed_by", "errors",
    "errors_elsewhere", "share_of_errors", "share_of_utterances", "searches", "slices", "confusion",
    "leading_speaker", "stability", "flagged", "excess_unflagged", "p_unflagged",
    "confirmed_unflagged",
]  # fmt: skip
LINK_COLUMNS = ["mode", "model", "search", "slice", "share", "representative"]


@dataclass(frozen=True)
class ModeTables:
    """The failure modes of a task.

    Attributes:
        modes: one row per mode and model, and one row with the mode `rest` per model, in the
            columns `MODE_COLUMNS`
        members: `mode` and the keys of the utterances of each mode
        slices: the mode of each slice, in the columns `LINK_COLUMNS`
        differences: what is different in each mode, see `voxslice.modes.differences`
        channels: how the recordings of groups of people differ from those of other people, see
            `voxslice.modes.channels`
    """

    modes: pd.DataFrame
    members: pd.DataFrame
    slices: pd.DataFrame
    differences: pd.DataFrame
    channels: pd.DataFrame


def find_modes(
    scores: Mapping[str, pd.DataFrame],
    slices: Mapping[str, pd.DataFrame],
    members: Mapping[str, pd.DataFrame],
    metadata: pd.DataFrame,
    flagged: pd.DataFrame,
    *,
    task: Task,
    seed: int,
    people: Sequence[str] = (),
    channel: Sequence[str] = (),
    indirect: Collection[str] = (),
    units: Mapping[str, str] | None = None,
) -> ModeTables:
    """Turn the slices of all searches and models into the few failure modes behind them.

    `voxslice.modes.selection.choose` chooses the slices that explain the errors. Chosen slices that
    share at least half of the errors of the smaller one are one mode. In a regression, every
    utterance has an error, so that the excess over the mean error counts. The slice that stands for
    a mode is one whose name holds exactly the utterances that were tested, on columns that are not
    indirect, with the clearest excess of errors. A slice with fewer conditions takes its place if
    it fits with precision and recall of at least 0.8. All other slices are linked to the modes with
    which they share errors.

    Args:
        scores: scores of each model, as `voxslice.scores.scores` computes them
        slices: table of slices of each model
        members: `slice` and the keys of the utterances of the slices of each model
        metadata: the metadata of all utterances
        flagged: keys of the utterances that the audit of the data flags
        task: what is measured
        seed: seed of the tests without the flagged utterances, and of those of the recordings
        people: columns that describe people
        channel: columns that describe the recording
        indirect: columns that describe how the voice sounds, and not who speaks, what is expressed
            or how it was recorded. A rule on them names a mode only if no other one explains it
        units: unit of each column that has one

    Returns:
        the tables
    """
    units = units or {}
    losses = {model: _losses(table, metadata) for model, table in scores.items()}
    speakers = speakers_of(metadata, metadata)
    candidates = gather(slices, members, metadata, units)
    modes = choose_modes(
        candidates,
        losses,
        speakers,
        classification=task.is_classification,
        indirect=indirect,
    )
    numbered = {str(number): mode for number, mode in enumerate(modes, start=1)}
    masks = {name: mode.candidate.mask for name, mode in numbered.items()}
    index = pd.MultiIndex.from_frame(metadata[KEY])
    is_flagged = index.isin(pd.MultiIndex.from_frame(flagged[KEY]))
    retests = {
        model: without_flagged(
            {name: masks[name] for name, mode in numbered.items() if model in mode.evidence},
            losses[model],
            is_flagged,
            speakers,
            seed=seed,
        )
        if is_flagged.any()
        else {}
        for model in scores
    }
    rows = [
        _row(name, model, mode, scores[model], losses[model], metadata, speakers, task)
        | _unflagged(
            mode, model, losses[model], is_flagged, speakers, task, retests[model].get(name)
        )
        for name, mode in numbered.items()
        for model in scores
    ]
    confirmed = [masks[name] for name, mode in numbered.items() if mode.confirmed]
    held = np.logical_or.reduce([np.zeros(len(metadata), dtype=bool), *confirmed])
    rows += [_rest_row(model, held, losses[model], speakers, task) for model in scores]
    numbers = [
        name
        for name in metadata.columns
        if name not in (*KEY, "duration") and is_numeric(metadata[name])
    ]
    rule_columns = {
        name: {condition.column for condition in mode.candidate.conditions}
        for name, mode in numbered.items()
    }
    return ModeTables(
        pd.DataFrame(rows, columns=MODE_COLUMNS).astype(
            {
                "speakers": "Int64",
                "slices": "Int64",
                "confirmed": bool,
                "flagged": "Int64",
                "confirmed_unflagged": "boolean",
            }
        ),
        _members(masks, metadata),
        _links(numbered, candidates, losses),
        differences(masks, metadata, numbers, rule_columns, units, speakers),
        _channels(modes, metadata, losses, people, channel, units, seed),
    )


def _channels(
    modes: Sequence[Mode],
    metadata: pd.DataFrame,
    losses: Mapping[str, np.ndarray],
    people: Sequence[str],
    channel: Sequence[str],
    units: Mapping[str, str],
    seed: int,
) -> pd.DataFrame:
    """Compare the recordings of the modes of people, and of categories of people, with others.

    Only utterances that all models have scored count.
    """
    scored = np.logical_and.reduce([np.isfinite(loss) for loss in losses.values()])
    table = metadata[scored].reset_index(drop=True)
    groups = {group.rule: group for group in categories_of_people(table, people)}
    for rule in [mode.candidate.rule for mode in modes if mode.candidate.rule]:
        group = people_of(rule, read_rule(rule, table), people)
        if group is not None:
            groups[rule] = group
    speakers = speakers_of(table, table)
    return associations(list(groups.values()), table, channel, speakers, units, seed=seed)


def _losses(scores: pd.DataFrame, metadata: pd.DataFrame) -> np.ndarray:
    """Loss of each utterance of the metadata, NaN if the model did not score it."""
    merged = metadata[KEY].merge(scores[[*KEY, "loss"]], on=KEY, how="left")
    return merged["loss"].to_numpy(dtype=float)


def _row(
    name: str,
    model: str,
    mode: Mode,
    scores: pd.DataFrame,
    loss: np.ndarray,
    metadata: pd.DataFrame,
    speakers: np.ndarray | None,
    task: Task,
) -> dict[str, Any]:
    """One row of the table of modes."""
    candidate, evidence = mode.candidate, mode.evidence.get(model, [])
    linked = [row for other in mode.linked for row in other.rows if row["model"] == model]
    inside = metadata.loc[candidate.mask, KEY].merge(scores, on=KEY)
    of_inside = None if speakers is None else speakers_of(inside, metadata)
    return {
        "mode": name,
        "model": model,
        "name": candidate.name,
        "rule": candidate.rule or None,
        "precision": candidate.precision,
        "recall": candidate.recall,
        **_figures(candidate.mask, loss, speakers, task, _is_within(mode, model)),
        **_corrected(mode, model, loss, speakers),
        "evidence": evidence[0]["evidence"] if evidence else None,
        "confirmed": bool(evidence),
        "confirmed_by": ", ".join(dict.fromkeys(row["search"] for row in evidence)) or None,
        "searches": ", ".join(dict.fromkeys(row["search"] for row in linked)) or None,
        "slices": len({row["slice"] for row in linked}),
        "confusion": confusions(inside, task) or None,
        "leading_speaker": leading_speaker(inside["loss"].to_numpy(float), of_inside) or None,
        "stability": _stability(mode, model),
    }


def _corrected(
    mode: Mode, model: str, loss: np.ndarray, speakers: np.ndarray | None
) -> dict[str, float]:
    """The excess of a mode for a model that confirms it, corrected for its choice by the search."""
    found = NOT_CORRECTED
    if model in mode.evidence:
        row, scored = mode.evidence[model][0], ~np.isnan(loss)
        found = corrected_slice(
            loss[scored],
            mode.candidate.mask[scored],
            None if speakers is None else speakers[scored],
            row["evidence"],
            float(row["detectable"]),
        )
    return {
        "corrected": found.value, "corrected_low": found.low, "corrected_high": found.high
    }  # fmt: skip


def _unflagged(
    mode: Mode,
    model: str,
    loss: np.ndarray,
    flagged: np.ndarray,
    speakers: np.ndarray | None,
    task: Task,
    retest: Retest | None,
) -> dict[str, Any]:
    """The figures of a mode without the utterances that the audit flags.

    Without flagged utterances nothing is tested again, and a confirmed mode stays confirmed.
    """
    mask = mode.candidate.mask
    kept = np.where(flagged, np.nan, loss)
    inside, outside = (np.isfinite(kept[side]).any() for side in (mask, ~mask))
    excess = np.nan
    if inside and outside:
        excess = _figures(mask, kept, speakers, task, _is_within(mode, model))["excess"]
    stays = True if model in mode.evidence and not flagged.any() else None
    return {
        "flagged": int((mask & flagged & np.isfinite(loss)).sum()),
        "excess_unflagged": excess,
        "p_unflagged": np.nan if retest is None else retest.p,
        "confirmed_unflagged": stays if retest is None else retest.confirmed,
    }


def _is_within(mode: Mode, model: str) -> bool:
    """Whether a mode was tested within speakers, for a model or else for another one."""
    rows = mode.evidence.get(model) or next(iter(mode.evidence.values()), [])
    return bool(rows) and rows[0]["evidence"] == WITHIN


def _stability(mode: Mode, model: str) -> float:
    """Share of other seeds that find the slice of a model again; NaN if there is none."""
    own = [row for row in mode.candidate.rows if row["model"] == model]
    rows = mode.evidence.get(model) or own
    return float(rows[0]["stability"]) if rows else np.nan


def _figures(
    mask: np.ndarray, loss: np.ndarray, speakers: np.ndarray | None, task: Task, within: bool
) -> dict[str, Any]:
    """Size, metric and excess of some utterances for a model."""
    scored = ~np.isnan(loss)
    inside, values = mask[scored], loss[scored]
    of_scored = None if speakers is None else speakers[scored]
    summary = summarise(inside, values, of_scored, task)
    excess = summary["drop"], summary["low"], summary["high"]
    if within:
        found = within_speakers(values, inside, of_scored)
        within = not np.isnan(found.value)
        excess = (found.value, found.low, found.high) if within else excess
    whole = float(values.sum())
    errors = float(values[inside].sum())
    return {
        "support": summary["support"],
        "speakers": summary["speakers"],
        "value": summary["value"],
        "rest": summary["rest"],
        "drop": summary["drop"],
        "drop_low": summary["low"],
        "drop_high": summary["high"],
        "compared_with": SAME_SPEAKERS if within else ALL_OTHERS,
        "excess": excess[0],
        "low": excess[1],
        "high": excess[2],
        "errors": errors,
        "errors_elsewhere": whole - errors,
        "share_of_errors": errors / whole if whole else np.nan,
        "share_of_utterances": float(inside.mean()) if len(inside) else np.nan,
    }


def _rest_row(
    model: str, held: np.ndarray, loss: np.ndarray, speakers: np.ndarray | None, task: Task
) -> dict[str, Any]:
    """The row of the utterances that no confirmed mode holds."""
    figures = _figures(~held, loss, speakers, task, within=False)
    dropped = ("drop", "drop_low", "drop_high", "excess", "low", "high", "compared_with")
    kept = {name: value for name, value in figures.items() if name not in dropped}
    return {"mode": REST, "model": model, "confirmed": False, **kept}


def _members(masks: Mapping[str, np.ndarray], metadata: pd.DataFrame) -> pd.DataFrame:
    """The utterances of each mode."""
    empty = metadata[KEY].iloc[:0].assign(mode=pd.Series(dtype=str))
    parts = [metadata.loc[mask, KEY].assign(mode=name) for name, mask in masks.items()]
    return pd.concat([empty, *parts], ignore_index=True)[["mode", *KEY]]


def _links(
    modes: Mapping[str, Mode], candidates: Sequence[Candidate], losses: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """The modes of each slice, or `none`."""
    rows = []
    for candidate in candidates:
        held = {
            name: mode
            for name, mode in modes.items()
            if any(candidate is other for other in mode.linked)
        }
        for row in candidate.rows:
            loss = losses[row["model"]]
            errors = float(np.nansum(loss[candidate.mask]))
            link = {name: row[name] for name in ("model", "search", "slice")}
            for name, mode in held.items():
                both = float(np.nansum(loss[candidate.mask & mode.candidate.mask]))
                share = both / errors if errors else np.nan
                stands = candidate is mode.candidate
                rows.append({"mode": name, **link, "share": share, "representative": stands})
            if not held:
                rows.append({"mode": NONE, **link, "share": np.nan, "representative": False})
    table = pd.DataFrame(rows, columns=LINK_COLUMNS)
    return table.astype({"share": float, "representative": bool})
