"""Find utterances that are copies of each other, by their fingerprints."""

from collections.abc import Iterator, Sequence
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


BLOCK = 2**14
"""Loud frames of the utterances that are compared with all others at a time. A smaller block needs
less memory, and finds the same copies."""


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


def near_copies(words: Sequence[np.ndarray], loud: Sequence[np.ndarray]) -> Iterator[Copy]:
    """Find the pairs of utterances that are copies of the same recording.

    Copies may have another level, another encoding, weak noise, or other ends. Time grows with the
    number of frames, and not with the number of pairs. The utterances are compared in blocks, so
    that memory does not grow with the number of copies.

    Args:
        words: fingerprint of each utterance, see `voxslice.audit.fingerprints.fingerprint`
        loud: whether each of its frames is loud

    Yields:
        the pairs, sorted by row
    """
    for block in _candidates(words, loud):
        copies: dict[tuple[int, int], float] = {}
        for first, second, shift in block:
            errors = min(
                _errors(words[first], loud[first], words[second], loud[second], shift + near)
                for near in (-1, 0, 1)
            )
            if errors <= min(MAX_ERRORS, copies.get((first, second), 1.0)):
                copies[first, second] = errors
        yield from (Copy(*pair, copies[pair]) for pair in sorted(copies))


def _candidates(
    words: Sequence[np.ndarray], loud: Sequence[np.ndarray]
) -> Iterator[list[tuple[int, int, int]]]:
    """Pairs of utterances with equal words at the same distance in time, and the distance.

    The pairs of a block have their first utterances in common.
    """
    frames = [np.flatnonzero(mask) for mask in loud]
    ends = np.cumsum([0, *map(len, frames)])
    if not ends[-1]:
        return
    values = np.concatenate([one[at] for one, at in zip(words, frames, strict=True)])
    owner = np.repeat(np.arange(len(words), dtype=np.int32), np.diff(ends))
    position = np.concatenate(frames).astype(np.int32)
    order = np.lexsort((position, owner, values))
    values, owner, position = values[order], owner[order], position[order]
    place = np.empty_like(order)  # of each frame among the sorted ones
    place[order] = np.arange(len(order))
    begin = 0
    while begin < len(words):
        # at least one utterance, and as many as have the frames of a block
        end = max(begin + 1, int(np.searchsorted(ends, ends[begin] + BLOCK, side="right")) - 1)
        own = place[ends[begin] : ends[end]]
        votes = []
        for step in range(1, MAX_EQUAL + 1):
            at = own[own + step < len(values)]
            at = at[(values[at + step] == values[at]) & (owner[at + step] != owner[at])]
            other = at + step
            votes.append(
                np.stack([owner[at], owner[other], position[at] - position[other]], axis=1)
            )
        pairs, counts = np.unique(np.concatenate(votes), axis=0, return_counts=True)
        yield [(int(a), int(b), int(shift)) for a, b, shift in pairs[counts >= MIN_VOTES]]
        begin = end


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
