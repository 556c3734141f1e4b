"""Regression of a model's losses on the membership in slices, with speakers as random effects."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array

from voxslice.modes.memberships import Memberships
from voxslice.speakers import number_speakers


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


def equations(memberships: Memberships, loss: np.ndarray, speakers: np.ndarray | None) -> Equations:
    """Set up the regression of a model's loss on the membership in slices.

    The variances within and between speakers are estimated from the losses by moments (one-way
    analysis of variance; Searle, Casella and McCulloch, Variance Components, 1992, section 3.6).
    The equations are divided by the variance of an utterance, or by the median of the variances
    inside the slices if that is larger: losses vary more where errors are frequent, and there
    slices are told apart.

    Args:
        memberships: the slices of each utterance
        loss: loss of each utterance, NaN if the model did not score it
        speakers: speaker of each utterance, as `voxslice.speakers.speakers_of` returns them; None
            to treat utterances as independent

    Returns:
        the normal equations
    """
    scored = ~np.isnan(loss)
    loss, pattern = loss[scored], memberships.pattern[scored]
    numbers = np.arange(len(loss)) if speakers is None else number_speakers(speakers[scored])[0]
    within, between = _variances(loss, numbers)
    design = np.column_stack([np.ones(len(memberships.patterns)), memberships.patterns])
    count = np.bincount(pattern, minlength=len(design)).astype(float)
    sums = np.bincount(pattern, loss, len(design))
    squares = np.bincount(pattern, loss**2, len(design))
    products = design.T @ (count[:, None] * design)
    with_loss = design.T @ sums
    inside = np.divide(
        design.T @ squares, products[0], where=products[0] > 0, out=np.zeros(len(with_loss))
    )
    inside -= (
        np.divide(with_loss, products[0], where=products[0] > 0, out=np.zeros(len(with_loss))) ** 2
    )
    variance = max(within, float(np.median(inside[1:])))
    if between > 0:
        shape = (int(numbers.max()) + 1, len(design))
        by_speaker = coo_array((np.ones(len(loss)), (numbers, pattern)), shape=shape).tocsr()
        sizes = np.bincount(numbers, minlength=shape[0])
        scaled = by_speaker.multiply((between / (within + sizes * between))[:, None]).T.tocsr()
        products -= design.T @ ((scaled @ by_speaker) @ design)
        with_loss -= design.T @ (scaled @ np.bincount(numbers, loss, shape[0]))
    return Equations(products / variance, with_loss / variance)


def _variances(loss: np.ndarray, numbers: np.ndarray) -> tuple[float, float]:
    """Variance of utterances within speakers, and of speakers."""
    sizes, sums = np.bincount(numbers).astype(float), np.bincount(numbers, loss)
    total = max(float(loss.var()), 1e-12)
    groups, n = int((sizes > 0).sum()), len(loss)
    if groups in (1, n):
        return total, 0.0
    means = np.divide(sums, sizes, out=np.zeros(len(sizes)), where=sizes > 0)
    within = float(((loss - means[numbers]) ** 2).sum()) / (n - groups)
    among = float((sizes * (means - loss.mean()) ** 2).sum()) / (groups - 1)
    scale = (n - float((sizes**2).sum()) / n) / (groups - 1)
    return max(within, 1e-12), max((among - within) / scale, 0.0)
