"""Find utterances that are copies of each other, by their fingerprints."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from voxslice.audit.fingerprints import BITS, HOP, RATE

MAX_EQUAL = 16
"""Equal words that are compared with each other. A word that is more frequent describes no
recording in particular."""
MIN_VOTES = 2
"""Smallest number of equal words at one distance in time, for two utterances to be compared."""
MAX_ERRORS = 0.1
"""Largest share of different bits of two copies. It is about one half for other recordings."""
MIN_FRAMES = round(0.2 * RATE / HOP)
"""Smallest number of loud frames that two copies have in common: 0.2 s, which describe 0.6 s of
audio, since each frame lasts 0.37 s."""
MIN_SHARE = 0.5
"""Smallest share of the loud frames of the shorter one that two copies have in common. Two vowels
may be alike by chance, but not most of two utterances."""


class Copy(NamedTuple):
    """Two utterances with the same audio.

    Attributes:
        first: row of the first utterance
        second: row of the second utterance
        errors: share of different bits, from 0 to `MAX_ERRORS`
    """

    first: int
    second: int
    errors: float


def near_copies(words: Sequence[np.ndarray], loud: Sequence[np.ndarray]) -> list[Copy]:
    """Find the pairs of utterances that are copies of the same recording.

    Copies may have another level, another encoding, weak noise, or other ends. Time and memory grow
    with the number of frames, and not with the number of pairs.

    Args:
        words: fingerprint of each utterance, see `voxslice.audit.fingerprints.fingerprint`
        loud: whether each of its frames is loud

    Returns:
        the pairs, sorted by row
    """
    copies: dict[tuple[int, int], float] = {}
    for first, second, shift in _candidates(words, loud):
        errors = min(
            _errors(words[first], loud[first], words[second], loud[second], shift + near)
            for near in (-1, 0, 1)
        )
        if errors <= min(MAX_ERRORS, copies.get((first, second), 1.0)):
            copies[first, second] = errors
    return [Copy(*pair, copies[pair]) for pair in sorted(copies)]


def _candidates(
    words: Sequence[np.ndarray], loud: Sequence[np.ndarray]
) -> list[tuple[int, int, int]]:
    """Pairs of utterances with equal words at the same distance in time, and the distance."""
    frames = [np.flatnonzero(mask) for mask in loud]
    if not sum(map(len, frames)):
        return []
    values = np.concatenate([one[at] for one, at in zip(words, frames, strict=True)])
    owner = np.repeat(np.arange(len(words)), [len(at) for at in frames])
    position = np.concatenate(frames)
    order = np.lexsort((position, owner, values))
    values, owner, position = values[order], owner[order], position[order]
    votes = []
    for step in range(1, MAX_EQUAL + 1):
        same = (values[step:] == values[:-step]) & (owner[step:] != owner[:-step])
        at = np.flatnonzero(same)
        votes.append(
            np.stack([owner[at], owner[at + step], position[at] - position[at + step]], axis=1)
        )
    pairs, counts = np.unique(np.concatenate(votes), axis=0, return_counts=True)
    return [(int(a), int(b), int(shift)) for a, b, shift in pairs[counts >= MIN_VOTES]]


def _errors(
    words: np.ndarray, loud: np.ndarray, other: np.ndarray, other_loud: np.ndarray, shift: int
) -> float:
    """Share of different bits in the loud frames that two utterances have in common.

    Args:
        words: fingerprint of the first utterance
        loud: whether its frames are loud
        other: fingerprint of the second utterance
        other_loud: whether its frames are loud
        shift: number of frames by which the second utterance begins later within the first one

    Returns:
        the share; 1 if they have too few loud frames in common
    """
    first = slice(max(shift, 0), max(min(len(words), len(other) + shift), 0))
    second = slice(max(-shift, 0), max(min(len(other), len(words) - shift), 0))
    common = loud[first] & other_loud[second]
    if common.sum() < max(MIN_FRAMES, MIN_SHARE * min(loud.sum(), other_loud.sum())):
        return 1.0
    different = np.bitwise_count(words[first][common] ^ other[second][common])
    return float(different.mean() / BITS)
