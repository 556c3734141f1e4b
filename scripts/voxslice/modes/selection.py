"""Choose the few slices that explain the errors of all slices."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from voxslice.modes.equations import Equations

MIN_UNEXPLAINED = 0.5
"""Share of a slice's excess loss above which the chosen slices do not explain it."""
SHARED = 0.5
"""Share of the errors of the smaller of two slices above which they share their errors."""


def choose(
    models: Mapping[str, Equations],
    confirmed: Mapping[str, np.ndarray],
    preferred: np.ndarray,
    counts: np.ndarray,
    utterances: int,
) -> list[int]:
    """Choose the fewest slices that explain the excess loss of all confirmed slices.

    Slices of several searches overlap: a coarse rule may hold two groups that fail, and one group
    may be found by several rules. So slices are fitted together. Among the preferred ones, those
    are chosen that maximise the log-likelihood of all models less a penalty per slice (twice the
    logarithm of the number of slices, plus that of the number of utterances, as in the Bayesian
    information criterion of Schwarz, Annals of Statistics 6 (1978), 461-464). Slices are added,
    dropped and exchanged, one for one and one for two, until nothing is better. So two groups win
    against the coarse rule that holds them and utterances that do not fail. Then a confirmed slice
    is added if the chosen ones explain less than half of its excess loss, the clearest one first.

    Args:
        models: normal equations of each model, for the same slices
        confirmed: the slices that are confirmed for each model, mask of shape (slices,)
        preferred: the slices that are considered first, mask of shape (slices,)
        counts: number of utterances that are in two slices, shape (slices, slices)
        utterances: number of all utterances

    Returns:
        positions of the chosen slices, in the order in which they were chosen
    """
    any_model = np.logical_or.reduce(list(confirmed.values()))
    candidates = [int(i) for i in np.flatnonzero(any_model & preferred)]
    chosen: list[int] = []
    if candidates:
        penalty = np.log(utterances) + 2 * np.log(len(candidates))
        chosen = _search(models, confirmed, candidates, _parts(counts, candidates), float(penalty))
    while (i := next_unexplained(models, confirmed, preferred, chosen)) is not None:
        chosen.append(i)
    return chosen


def next_unexplained(
    models: Mapping[str, Equations],
    candidates: Mapping[str, np.ndarray],
    preferred: np.ndarray,
    chosen: Sequence[int],
    least: float = 0.0,
) -> int | None:
    """Find the clearest slice whose excess loss is mostly not explained by chosen slices.

    Args:
        models: normal equations of each model
        candidates: the slices to look at for each model, mask of shape (slices,)
        preferred: the slices that are considered first, mask of shape (slices,)
        chosen: positions of the chosen slices
        least: smallest excess loss in standard errors

    Returns:
        position of the slice; None if the chosen slices explain at least half of each excess
    """
    rest = [
        (bool(preferred[i]), float(clear[i]), -int(i))
        for name, model in models.items()
        for clear in [model.statistics()]
        for i in np.flatnonzero(candidates[name] & (model.unexplained(chosen) > MIN_UNEXPLAINED))
        if i not in chosen and clear[i] > least
    ]
    return -max(rest)[2] if rest else None


def _search(
    models: Mapping[str, Equations],
    confirmed: Mapping[str, np.ndarray],
    candidates: Sequence[int],
    parts: Mapping[int, Sequence[int]],
    penalty: float,
) -> list[int]:
    """Maximise the penalised likelihood by adding, dropping and exchanging slices."""

    def score(chosen: tuple[int, ...]) -> float:
        excess = {name: model.coefficients(chosen)[1:] for name, model in models.items()}
        for k, i in enumerate(chosen):
            # next to the others, each slice has to be worse for a model for which it is confirmed
            if not any(confirmed[name][i] and excess[name][k] > 0 for name in models):
                return -np.inf
        gain = sum(model.explained(chosen) for model in models.values())
        return gain - penalty * len(chosen)

    best: tuple[int, ...] = ()
    best_score = score(best)
    while True:
        others = [i for i in candidates if i not in best]
        moves = [(*best, i) for i in others]
        for old in best:
            kept = tuple(i for i in best if i != old)
            moves += [kept, *((*kept, i) for i in others)]
            moves += [
                (*kept, *pair) for pair in combinations(parts[old], 2) if not {*pair} & {*kept}
            ]
        scores = [score(move) for move in moves]
        if not moves or max(scores) <= best_score + 1e-9:
            return list(best)
        best_score = max(scores)
        best = moves[scores.index(best_score)]


def _parts(counts: np.ndarray, candidates: Sequence[int]) -> dict[int, list[int]]:
    """For each slice, the other slices of which at least half of the utterances are in it."""
    return {
        whole: [i for i in candidates if i != whole and 2 * counts[i, whole] >= counts[i, i]]
        for whole in candidates
    }


def group(chosen: Sequence[int], share: np.ndarray, errors: np.ndarray) -> list[list[int]]:
    """Group chosen slices that share their errors.

    A slice joins the slice with the most errors that shares at least half of the errors of the
    smaller one. So a slice that is chosen beside its own parts, because it also fails elsewhere, is
    one mode with them.

    Args:
        chosen: positions of the chosen slices
        share: share of the errors of the smaller of two slices that are in both, shape
            (slices, slices)
        errors: errors of each slice, shape (slices,)

    Returns:
        the groups, each with the positions of its slices, the one with the most errors first
    """
    groups: list[list[int]] = []
    for i in sorted(chosen, key=lambda i: (-errors[i], i)):
        leader = next((members for members in groups if share[i, members[0]] >= SHARED), None)
        if leader is None:
            groups.append([i])
        else:
            leader.append(i)
    return groups
