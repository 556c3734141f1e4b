"""Which slices each utterance is in, so that equal utterances are counted once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Memberships:
    """Membership of utterances in slices.

    Attributes:
        patterns: different combinations of slices, shape (patterns, slices), 0 or 1
        pattern: position of the combination of each utterance, shape (utterances,)
    """

    patterns: np.ndarray
    pattern: np.ndarray

    @classmethod
    def of(cls, masks: Sequence[np.ndarray]) -> "Memberships":
        """Combine slices.

        Args:
            masks: the utterances of each slice, at least one mask of shape (utterances,)

        Returns:
            the memberships
        """
        packed = np.packbits(np.stack(masks), axis=0).T
        rows, pattern = np.unique(packed, axis=0, return_inverse=True)
        patterns = np.unpackbits(rows, axis=1, count=len(masks)).astype(float)
        return cls(patterns, pattern.reshape(-1))

    def shared(self, weights: np.ndarray) -> np.ndarray:
        """Sum of weights of the utterances that are in two slices.

        Args:
            weights: weight of each utterance, NaN to leave it out, shape (utterances,)

        Returns:
            shape (slices, slices); the diagonal holds the sum of each slice
        """
        sums = np.bincount(self.pattern, np.nan_to_num(weights), len(self.patterns))
        return self.patterns.T @ (sums[:, None] * self.patterns)
