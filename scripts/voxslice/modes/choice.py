"""Choose the modes of a task among the slices of all searches and models."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from voxslice.modes.candidates import MIN_FIT, Candidate
from voxslice.modes.equations import Equations, equations
from voxslice.modes.memberships import Memberships
from voxslice.modes.selection import SHARED, choose, group, next_unexplained

MAX_SUGGESTED = 3
"""Largest number of modes that are not confirmed."""
MIN_CLEAR = 2.0
"""Smallest excess loss of a suggested mode, in standard errors."""


@dataclass(frozen=True)
class Mode:
    """A failure mode before it is measured.

    Attributes:
        candidate: the slice that stands for the mode, whose utterances the mode holds
        linked: the slices that share at least half of the errors of the smaller one with it
        confirmed: whether a slice of these utterances is confirmed for any model
        evidence: for each model for which the mode is confirmed, the rows of the confirmed slices
            that stand for it, the best one first. At least half of the errors in the mode, and of
            those in the slice, are in both
    """

    candidate: Candidate
    linked: list[Candidate]
    confirmed: bool
    evidence: dict[str, list[pd.Series]]


def choose_modes(
    candidates: Sequence[Candidate],
    losses: Mapping[str, np.ndarray],
    speakers: np.ndarray | None,
    *,
    classification: bool,
    indirect: Collection[str],
) -> list[Mode]:
    """Choose the modes.

    Args:
        candidates: the slices of all searches and models
        losses: loss of each utterance by model, NaN if the model did not score it
        classification: whether losses are 0 or 1. In a regression every utterance has an error, so
            that slices share their excess over the mean loss
        speakers: speaker of each utterance; None if not known
        indirect: columns that describe how the voice sounds

    Returns:
        the modes: confirmed ones first, then by the errors that they hold beyond their size
    """
    if not candidates:
        return []
    memberships = Memberships.of([candidate.mask for candidate in candidates])
    models = {name: equations(memberships, loss, speakers) for name, loss in losses.items()}
    errors = {
        name: memberships.shared(loss if classification else loss - np.nanmean(loss))
        for name, loss in losses.items()
    }
    counts = memberships.shared(np.ones(len(memberships.pattern)))
    confirmed = {name: np.array([c.confirmed_for(name) for c in candidates]) for name in losses}
    preferred = np.array([c.tested and bool(c.rule) and not c.uses(indirect) for c in candidates])
    chosen = choose(models, confirmed, preferred, counts, len(memberships.pattern))
    overlap = _overlaps(candidates, errors)
    whole = _errors(candidates, errors)
    clear = np.max([model.statistics() for model in models.values()], axis=0)
    any_model = np.logical_or.reduce(list(confirmed.values()))
    stand = [
        _simplest(
            _representative(members, preferred, clear, whole),
            candidates,
            any_model & preferred,
            counts,
            clear,
        )
        for members in group(chosen, overlap, whole)
    ]
    stand += _suggested(candidates, models, preferred, chosen, overlap)
    modes = [
        (_beyond_size(candidates[i].mask, evidence or losses, losses), mode)
        for i in dict.fromkeys(stand)
        for linked in [[int(k) for k in np.flatnonzero(overlap[i] >= SHARED)]]
        for evidence in [_evidence(i, linked, candidates, errors) if any_model[i] else {}]
        for mode in [
            Mode(candidates[i], [candidates[k] for k in linked], bool(any_model[i]), evidence)
        ]
    ]
    return [mode for _, mode in sorted(modes, key=lambda m: (not m[1].confirmed, -m[0]))]


def _found_for(candidate: Candidate) -> set[str]:
    """The models for which a candidate is confirmed; if there is none, those it was found for."""
    models = {row["model"] for row in candidate.rows}
    return {model for model in models if candidate.confirmed_for(model)} or models


def _errors(candidates: Sequence[Candidate], errors: Mapping[str, np.ndarray]) -> np.ndarray:
    """Errors of each candidate, of the models that it is found for."""
    return np.array(
        [
            sum(float(errors[model][i, i]) for model in sorted(_found_for(candidate)))
            for i, candidate in enumerate(candidates)
        ]
    )


def _overlaps(candidates: Sequence[Candidate], errors: Mapping[str, np.ndarray]) -> np.ndarray:
    """Share of the errors of the smaller of two candidates that are in both.

    Args:
        candidates: the candidates
        errors: for each model, errors that are in two candidates

    Returns:
        the largest share of the models for which one of both is found, shape (candidates,
        candidates)
    """
    found = {model: np.array([model in _found_for(c) for c in candidates]) for model in errors}
    shares = []
    for model, both in errors.items():
        own = np.diagonal(both)
        smaller = np.minimum(own[:, None], own[None, :])
        share = np.divide(both, smaller, out=np.zeros(both.shape), where=smaller > 0)
        shares.append(np.where(found[model][:, None] | found[model][None, :], share, 0))
    largest = np.clip(np.max(shares, axis=0), 0, 1)
    np.fill_diagonal(largest, 1)
    return np.asarray(largest)


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
    chosen: int,
    candidates: Sequence[Candidate],
    named: np.ndarray,
    counts: np.ndarray,
    clear: np.ndarray,
) -> int:
    """Find the candidate with the fewest conditions that fits a chosen one.

    Args:
        chosen: position of the chosen candidate
        candidates: all candidates
        named: the candidates whose name holds what was tested, mask of shape (candidates,)
        counts: number of utterances that are in two candidates, shape (candidates, candidates)
        clear: excess loss of each candidate in standard errors

    Returns:
        position of the simplest candidate whose precision and recall are at least 0.8
    """
    conditions = candidates[chosen].conditions
    fitting = [
        (len(other.conditions), -float(clear[i]), i)
        for i in map(int, np.flatnonzero(named))
        for other in [candidates[i]]
        if not conditions or len(other.conditions) < len(conditions)
        if counts[chosen, i] >= MIN_FIT * max(counts[chosen, chosen], counts[i, i])
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


def _evidence(
    i: int,
    linked: Sequence[int],
    candidates: Sequence[Candidate],
    errors: Mapping[str, np.ndarray],
) -> dict[str, list[pd.Series]]:
    """For each model, the confirmed slices that stand for a mode.

    The first one is the representative, or else the slice that shares the largest part of its
    errors.
    """
    evidence: dict[str, list[pd.Series]] = {}
    for model, both in errors.items():
        either = np.maximum(both[i, i], np.diagonal(both))
        fit = np.divide(both[i], either, out=np.zeros(len(both)), where=either > 0)
        for k in sorted(linked, key=lambda k: (k != i, -fit[k], k)):
            rows = [row for row in candidates[k].rows if row["model"] == model]
            rows = [row for row in rows if bool(row["confirmed"])]
            if rows and (k == i or fit[k] >= SHARED):
                evidence.setdefault(model, []).extend(rows)
    return evidence


def _beyond_size(
    mask: np.ndarray, models: Collection[str], losses: Mapping[str, np.ndarray]
) -> float:
    """Losses of a mode beyond its share of the utterances, the most of some models."""
    return max(float(np.nansum(losses[m][mask] - np.nanmean(losses[m]))) for m in models)
