"""The failure modes of a task, as the workflow writes them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from voxslice.conditions import is_numeric
from voxslice.modes.candidates import MIN_FIT, Candidate, gather
from voxslice.modes.differences import differences
from voxslice.modes.errors import confusions, leading_speaker
from voxslice.modes.excess import within_speakers
from voxslice.modes.selection import (
    SHARED,
    Equations,
    choose,
    equations,
    group,
    next_unexplained,
    shared_errors,
)
from voxslice.slices.table import summarise
from voxslice.speakers import speakers_of
from voxslice.task import Task
from voxslice.utterance_keys import KEY

REST, NONE = "rest", "none"
"""Modes in the tables that stand for the utterances, and the slices, of no mode."""
MAX_SUGGESTED = 3
"""Largest number of modes that are not confirmed."""
MIN_CLEAR = 2.0
"""Smallest excess loss of a suggested mode, in standard errors."""
WITHIN = "within speakers"
SAME_SPEAKERS, ALL_OTHERS = "same speakers", "all other utterances"

MODE_COLUMNS = [
    "mode", "model", "name", "rule", "precision", "recall", "support", "speakers", "value", "rest",
    "drop", "drop_low", "drop_high", "compared_with", "excess", "low", "high", "evidence",
    "confirmed", "errors", "errors_elsewhere", "share_of_errors", "share_of_utterances", "searches",
    "slices", "confusion", "leading_speaker", "stability",
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
    """

    modes: pd.DataFrame
    members: pd.DataFrame
    slices: pd.DataFrame
    differences: pd.DataFrame


@dataclass(frozen=True)
class _Mode:
    """A mode before it is measured: its representative, and the candidates that belong to it."""

    representative: int
    linked: tuple[int, ...]
    confirmed: bool


def find_modes(
    scores: Mapping[str, pd.DataFrame],
    slices: Mapping[str, pd.DataFrame],
    members: Mapping[str, pd.DataFrame],
    metadata: pd.DataFrame,
    *,
    task: Task,
    indirect: Collection[str] = (),
    units: Mapping[str, str] | None = None,
) -> ModeTables:
    """Turn the slices of all searches and models into the few failure modes behind them.

    `voxslice.modes.selection.choose` chooses the slices that explain the errors. Chosen slices that
    share at least half of the errors of the smaller one are one mode. The slice that stands for a
    mode is one whose name holds exactly the utterances that were tested, on columns that are not
    indirect, with the clearest excess of errors. A slice with fewer conditions takes its place if
    it fits with precision and recall of at least 0.8. All other slices are linked to the modes with
    which they share errors.

    Args:
        scores: scores of each model, as `voxslice.scores.scores` computes them
        slices: table of slices of each model
        members: `slice` and the keys of the utterances of the slices of each model
        metadata: the metadata of all utterances
        task: what is measured
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
    modes = _choose(candidates, losses, speakers, indirect)
    order = _order(modes, candidates, losses)
    numbered = {str(number): mode for number, mode in enumerate(order, start=1)}
    masks = {name: candidates[mode.representative].mask for name, mode in numbered.items()}
    rows = [
        _row(name, model, candidates, mode, scores[model], losses[model], metadata, speakers, task)
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
        name: {condition.column for condition in candidates[mode.representative].conditions}
        for name, mode in numbered.items()
    }
    return ModeTables(
        pd.DataFrame(rows, columns=MODE_COLUMNS).astype(
            {"speakers": "Int64", "slices": "Int64", "confirmed": bool}
        ),
        _members(masks, metadata),
        _links(numbered, candidates, losses),
        differences(masks, metadata, numbers, rule_columns, units, speakers),
    )


def _losses(scores: pd.DataFrame, metadata: pd.DataFrame) -> np.ndarray:
    """Loss of each utterance of the metadata, NaN if the model did not score it."""
    merged = metadata[KEY].merge(scores[[*KEY, "loss"]], on=KEY, how="left")
    return merged["loss"].to_numpy(dtype=float)


# which slices are one mode


def _choose(
    candidates: Sequence[Candidate],
    losses: Mapping[str, np.ndarray],
    speakers: np.ndarray | None,
    indirect: Collection[str],
) -> list[_Mode]:
    """Choose the modes, and link every candidate that shares errors with one."""
    if not candidates:
        return []
    masks = [candidate.mask for candidate in candidates]
    models = {name: equations(masks, loss, speakers) for name, loss in losses.items()}
    confirmed = {
        name: np.array([candidate.confirmed_for(name) for candidate in candidates])
        for name in losses
    }
    preferred = np.array([c.tested and bool(c.rule) and not c.uses(indirect) for c in candidates])
    chosen = choose(models, confirmed, preferred, masks)
    overlap = _overlaps(candidates, losses)
    errors = np.array([_errors(candidate, losses) for candidate in candidates])
    clear = np.max([model.statistics() for model in models.values()], axis=0)
    any_model = np.logical_or.reduce(list(confirmed.values()))
    named = any_model & preferred
    representatives = [
        _simplest(_representative(members, preferred, clear, errors), candidates, named, clear)
        for members in group(chosen, overlap, errors)
    ]
    representatives += _suggested(candidates, models, preferred, chosen, overlap)
    return [
        _Mode(i, tuple(int(k) for k in np.flatnonzero(overlap[i] >= SHARED)), bool(any_model[i]))
        for i in dict.fromkeys(representatives)
    ]


def _found_for(candidate: Candidate) -> set[str]:
    """The models for which a candidate is confirmed; if there is none, those it was found for."""
    models = {row["model"] for row in candidate.rows}
    return {model for model in models if candidate.confirmed_for(model)} or models


def _errors(candidate: Candidate, losses: Mapping[str, np.ndarray]) -> float:
    """Sum of the losses of the models for which a candidate is found."""
    return sum(
        float(np.nansum(losses[model][candidate.mask])) for model in sorted(_found_for(candidate))
    )


def _overlaps(candidates: Sequence[Candidate], losses: Mapping[str, np.ndarray]) -> np.ndarray:
    """Share of the errors of the smaller of two candidates that are in both, for each pair."""
    share = np.ones((len(candidates), len(candidates)))
    for i, first in enumerate(candidates):
        for k, second in enumerate(candidates[:i]):
            models = sorted(_found_for(first) | _found_for(second))
            share[i, k] = share[k, i] = shared_errors(
                first.mask, second.mask, [losses[model] for model in models]
            )
    return share


def _representative(
    members: Sequence[int], preferred: np.ndarray, clear: np.ndarray, errors: np.ndarray
) -> int:
    """The member of a group that stands for it.

    Among the preferred members that hold at least half of the errors of the member with the most
    errors, it is the clearest one. If there is none, it is the member with the most errors.
    """
    most = max(members, key=lambda i: (errors[i], -i))
    holding = [i for i in members if preferred[i] and errors[i] >= SHARED * errors[most]]
    return max(holding, key=lambda i: (clear[i], -i)) if holding else most


def _simplest(
    chosen: int, candidates: Sequence[Candidate], named: np.ndarray, clear: np.ndarray
) -> int:
    """Find the candidate with the fewest conditions that fits a chosen one.

    Args:
        chosen: position of the chosen candidate
        candidates: all candidates
        named: the candidates whose name holds what was tested, mask of shape (candidates,)
        clear: excess loss of each candidate in standard errors

    Returns:
        position of the simplest candidate whose precision and recall are at least 0.8
    """
    mask, conditions = candidates[chosen].mask, candidates[chosen].conditions
    fitting = [
        (len(other.conditions), -float(clear[i]), i)
        for i in map(int, np.flatnonzero(named))
        for other in [candidates[i]]
        if not conditions or len(other.conditions) < len(conditions)
        if (hits := int((other.mask & mask).sum())) >= MIN_FIT * max(other.mask.sum(), mask.sum())
        and hits
    ]
    return min(fitting)[2] if fitting else chosen


def _suggested(
    candidates: Sequence[Candidate],
    models: Mapping[str, Equations],
    preferred: np.ndarray,
    chosen: Sequence[int],
    overlap: np.ndarray,
) -> list[int]:
    """The clearest candidates that are confirmed for no model and share errors with no mode."""
    found: list[int] = []
    while len(found) < MAX_SUGGESTED:
        apart = (overlap[:, [*chosen, *found]] < SHARED).all(axis=1)
        open_for = {
            name: apart & np.array([candidate.only_suggested(name) for candidate in candidates])
            for name in models
        }
        i = next_unexplained(models, open_for, preferred, [*chosen, *found], MIN_CLEAR)
        if i is None:
            break
        found.append(i)
    return found


def _order(
    modes: Sequence[_Mode], candidates: Sequence[Candidate], losses: Mapping[str, np.ndarray]
) -> list[_Mode]:
    """Sort modes: confirmed ones first, then by the errors that they hold beyond their size."""

    def key(mode: _Mode) -> tuple[bool, float]:
        mask = candidates[mode.representative].mask
        models = [m for m in losses if _evidence_row(candidates, mode, m, losses[m]) is not None]
        excess = [
            float(np.nansum(loss[mask] - np.nanmean(loss)))
            for loss in (losses[model] for model in models or losses)
        ]
        return not mode.confirmed, -max(excess)

    return sorted(modes, key=key)


# the tables


def _evidence_row(
    candidates: Sequence[Candidate], mode: _Mode, model: str, loss: np.ndarray
) -> pd.Series | None:
    """Row of the confirmed slice of a model that stands for a mode; None if there is none.

    It is the representative, or else the linked slice with the largest overlap. At least half of
    the errors in the mode, and at least half of those in the slice, have to be in both.
    """
    if not mode.confirmed:
        return None
    whole = candidates[mode.representative].mask

    def fit(i: int) -> float:
        mask = candidates[i].mask
        both = float(np.nansum(loss[mask & whole]))
        either = max(float(np.nansum(loss[side])) for side in (mask, whole))
        return both / either if either > 0 else 0.0

    for i in sorted(mode.linked, key=lambda i: (i != mode.representative, -fit(i), i)):
        for row in candidates[i].rows:
            if row["model"] == model and bool(row["confirmed"]) and fit(i) >= SHARED:
                return row
    return None


def _row(
    name: str,
    model: str,
    candidates: Sequence[Candidate],
    mode: _Mode,
    scores: pd.DataFrame,
    loss: np.ndarray,
    metadata: pd.DataFrame,
    speakers: np.ndarray | None,
    task: Task,
) -> dict[str, Any]:
    """One row of the table of modes."""
    candidate = candidates[mode.representative]
    evidence = _evidence_row(candidates, mode, model, loss)
    shown = candidate.rows[0] if evidence is None else evidence
    linked = [row for i in mode.linked for row in candidates[i].rows if row["model"] == model]
    inside = metadata.loc[candidate.mask, KEY].merge(scores, on=KEY)
    of_inside = None if speakers is None else speakers_of(inside, metadata)
    return {
        "mode": name,
        "model": model,
        "name": candidate.name,
        "rule": candidate.rule or None,
        "precision": candidate.precision,
        "recall": candidate.recall,
        **_figures(candidate.mask, loss, speakers, task, _is_within(candidate, shown)),
        "evidence": None if evidence is None else evidence["evidence"],
        "confirmed": evidence is not None,
        "searches": ", ".join(dict.fromkeys(row["search"] for row in linked)) or None,
        "slices": len({row["slice"] for row in linked}),
        "confusion": confusions(inside, task) or None,
        "leading_speaker": leading_speaker(inside["loss"].to_numpy(float), of_inside) or None,
        "stability": shown["stability"] if shown["model"] == model else np.nan,
    }


def _is_within(candidate: Candidate, shown: pd.Series) -> bool:
    """Whether the figure of a mode compares utterances of the same speakers."""
    confirmed = [row["evidence"] for row in candidate.rows if row["confirmed"]]
    evidence = shown["evidence"] if shown["confirmed"] else next(iter(confirmed), None)
    return bool(evidence == WITHIN)


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
    modes: Mapping[str, _Mode], candidates: Sequence[Candidate], losses: Mapping[str, np.ndarray]
) -> pd.DataFrame:
    """The mode of each slice, or `none`."""
    rows = []
    for i, candidate in enumerate(candidates):
        for row in candidate.rows:
            loss = losses[row["model"]]
            errors = float(np.nansum(loss[candidate.mask]))
            link = {name: row[name] for name in ("model", "search", "slice")}
            held = [(name, mode) for name, mode in modes.items() if i in mode.linked]
            for name, mode in held:
                both = float(np.nansum(loss[candidate.mask & candidates[mode.representative].mask]))
                share = both / errors if errors else np.nan
                stands = i == mode.representative
                rows.append({"mode": name, **link, "share": share, "representative": stands})
            if not held:
                rows.append({"mode": NONE, **link, "share": np.nan, "representative": False})
    table = pd.DataFrame(rows, columns=LINK_COLUMNS)
    return table.astype({"share": float, "representative": bool})
