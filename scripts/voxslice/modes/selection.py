"""Choose the few slices that explain the errors of all slices."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from voxslice.speakers import number_speakers

MIN_UNEXPLAINED = 0.5
"""Share of a slice's excess loss above which the chosen slices do not explain it."""
SHARED = 0.5
"""Share of the errors of the smaller of two slices above which they share their errors."""


@dataclass(frozen=True)
class Equations:
    """Normal equations of the regression of a model's loss on the membership in slices.

    Speakers have random intercepts. Rows and columns stand for the intercept and the slices.

    Attributes:
        products: shape (1 + slices, 1 + slices), divided by the variance of an utterance
        loss: products with the loss, shape (1 + slices,), divided by the same variance
    """

    products: np.ndarray
    loss: np.ndarray

    def coefficients(self, chosen: Sequence[int]) -> np.ndarray:
        """Intercept and excess loss of chosen slices, if they are fitted together."""
        index = [0, *(1 + i for i in chosen)]
        # slices may depend on each other linearly
        products = self.products[np.ix_(index, index)]
        return np.asarray(np.linalg.lstsq(products, self.loss[index], rcond=None)[0])

    def explained(self, chosen: Sequence[int]) -> float:
        """Twice the gain in the log-likelihood by chosen slices, compared with none."""
        index = [0, *(1 + i for i in chosen)]
        alone = self.loss[0] ** 2 / self.products[0, 0]
        return float(np.dot(self.coefficients(chosen), self.loss[index])) - float(alone)

    def unexplained(self, chosen: Sequence[int]) -> np.ndarray:
        """Share of each slice's excess loss that is left if chosen slices are fitted.

        Returns:
            shape (slices,), 1 if nothing is chosen; 0 for a slice without excess
        """
        index = [0, *(1 + i for i in chosen)]
        left = self.loss - self.products[:, index] @ self.coefficients(chosen)
        whole = self.loss - self.products[:, 0] * (self.loss[0] / self.products[0, 0])
        return np.divide(left, whole, out=np.zeros(len(left)), where=whole > 0)[1:]

    def statistics(self) -> np.ndarray:
        """Excess loss of each slice alone, in standard errors, shape (slices,)."""
        diagonal = np.diagonal(self.products)
        variance = diagonal - self.products[0] ** 2 / diagonal[0]
        excess = self.loss - self.products[0] * (self.loss[0] / diagonal[0])
        root = np.sqrt(np.maximum(variance, 0))
        return np.divide(excess, root, out=np.zeros(len(root)), where=root > 1e-9)[1:]


def equations(
    masks: Sequence[np.ndarray], loss: np.ndarray, speakers: np.ndarray | None
) -> Equations:
    """Set up the regression of a model's loss on the membership in slices.

    The variances within and between speakers are estimated from the losses by moments (one-way
    analysis of variance; Searle, Casella and McCulloch, Variance Components, 1992, section 3.6).
    The equations are divided by the variance of an utterance, or by the median of the variances
    inside the slices if that is larger.

    Args:
        masks: the utterances of each slice, masks of shape (utterances,)
        loss: loss of each utterance, NaN if the model did not score it
        speakers: speaker of each utterance, as `voxslice.speakers.speakers_of` returns them; None
            to treat utterances as independent

    Returns:
        the normal equations
    """
    scored = ~np.isnan(loss)
    loss = loss[scored]
    columns = [np.ones(len(loss), dtype=bool), *(mask[scored] for mask in masks)]
    numbers = np.arange(len(loss)) if speakers is None else number_speakers(speakers[scored])[0]
    sizes = np.bincount(numbers).astype(float)
    sums = np.stack([np.bincount(numbers, column, len(sizes)) for column in columns], axis=1)
    loss_sums = np.bincount(numbers, loss, len(sizes))
    within, between = _variances(loss, numbers, sizes, loss_sums)
    shrunken = between / (within + sizes * between)  # zero if speakers do not differ
    matrix = np.stack(columns, axis=1).astype(float)
    products = matrix.T @ matrix - sums.T @ (shrunken[:, None] * sums)
    with_loss = matrix.T @ loss - sums.T @ (shrunken * loss_sums)
    # losses vary more where errors are frequent, and there slices are told apart
    inside = [float(loss[column].var()) for column in columns[1:] if column.any()]
    variance = max(within, float(np.median(inside))) if inside else within
    return Equations(products / variance, with_loss / variance)


def _variances(
    loss: np.ndarray, numbers: np.ndarray, sizes: np.ndarray, sums: np.ndarray
) -> tuple[float, float]:
    """Variance of utterances within speakers, and of speakers."""
    total = max(float(loss.var()), 1e-12)
    groups, n = int((sizes > 0).sum()), len(loss)
    if groups in (1, n):
        return total, 0.0
    means = np.divide(sums, sizes, out=np.zeros(len(sizes)), where=sizes > 0)
    within = float(((loss - means[numbers]) ** 2).sum()) / (n - groups)
    among = float((sizes * (means - loss.mean()) ** 2).sum()) / (groups - 1)
    scale = (n - float((sizes**2).sum()) / n) / (groups - 1)
    return max(within, 1e-12), max((among - within) / scale, 0.0)


def choose(
    models: Mapping[str, Equations],
    confirmed: Mapping[str, np.ndarray],
    preferred: np.ndarray,
    masks: Sequence[np.ndarray],
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
        masks: the utterances of each slice, masks of shape (utterances,)

    Returns:
        positions of the chosen slices, in the order in which they were chosen
    """
    any_model = np.logical_or.reduce(list(confirmed.values()))
    candidates = [int(i) for i in np.flatnonzero(any_model & preferred)]
    chosen: list[int] = []
    if candidates:
        penalty = np.log(len(masks[0])) + 2 * np.log(len(candidates))
        chosen = _search(models, confirmed, candidates, _parts(masks, candidates), float(penalty))
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


def _parts(masks: Sequence[np.ndarray], candidates: Sequence[int]) -> dict[int, list[int]]:
    """For each slice, the other slices of which at least half of the utterances are in it."""
    return {
        whole: [
            i
            for i in candidates
            if i != whole and 2 * (masks[i] & masks[whole]).sum() >= masks[i].sum()
        ]
        for whole in candidates
    }


def shared_errors(first: np.ndarray, second: np.ndarray, losses: Sequence[np.ndarray]) -> float:
    """Share of the errors of the smaller of two slices that are in both.

    Args:
        first: the utterances of a slice, mask of shape (utterances,)
        second: the utterances of the other slice
        losses: losses of the models to look at, NaN if not scored, each of shape (utterances,)

    Returns:
        the largest share of these models, from 0 to 1
    """
    shares = [0.0]
    for loss in losses:
        smaller = min(np.nansum(loss[first]), np.nansum(loss[second]))
        if smaller > 0:
            shares.append(float(np.nansum(loss[first & second]) / smaller))
    return max(shares)


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
