"""Segments of a recording: parts with speech that are joined, and cut where they are too long.

Parts and segments are pairs of a start and an end, in seconds since the start of the recording.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from voxslice.recordings.silero_vad import FRAME, RATE

FRAME_SECONDS = FRAME / RATE
"""Duration of a frame."""
ONSET, OFFSET = 0.5, 0.35
"""Speech needs a frame of at least `ONSET`, and extends over frames of at least `OFFSET`."""
MIN_PAUSE = 0.3
"""Seconds without speech that are a pause. Shorter ones are closures within words."""
MIN_SPEECH = 0.15
"""Seconds of speech below which a part is a click or another short sound."""
PAD = 0.1
"""Seconds that are added before and after speech, at most half of the pause."""
SMOOTHED = 5
"""Frames over which levels are averaged to find a quiet place (160 ms)."""

TOLERANCE = 1e-6
"""Seconds by which a rounded length may differ from the wanted one."""

Part = tuple[float, float]


@dataclass(frozen=True)
class Lengths:
    """Wanted lengths of segments in seconds.

    Attributes:
        min: shortest wanted segment
        max: longest segment
        join: longest pause within a segment
    """

    min: float
    max: float
    join: float


def speech_parts(probabilities: np.ndarray) -> list[Part]:
    """Find the parts of a recording with speech.

    Args:
        probabilities: probability of speech of each frame, shape (frames,)

    Returns:
        the parts in their order
    """
    changes = np.flatnonzero(np.diff(np.concatenate([[0], probabilities >= OFFSET, [0]])))
    spoken = [
        (first * FRAME_SECONDS, stop * FRAME_SECONDS)
        for first, stop in changes.reshape(-1, 2).tolist()
        if probabilities[first:stop].max() >= ONSET
    ]
    parts = _merged(spoken, MIN_PAUSE)
    return [(start, end) for start, end in parts if end - start >= MIN_SPEECH]


def speech_segments(probabilities: np.ndarray, levels: np.ndarray, lengths: Lengths) -> list[Part]:
    """Divide the speech of a recording into segments with a margin around the speech.

    Args:
        probabilities: probability of speech of each frame, shape (frames,)
        levels: level of each frame in dB
        lengths: wanted lengths, which include the margins; pauses are those without margins

    Returns:
        the segments in their order, see `segments_of`
    """
    inside = replace(lengths, min=lengths.min - 2 * PAD, max=lengths.max - 2 * PAD)
    found = segments_of(speech_parts(probabilities), levels, inside)
    return _padded(found, len(probabilities) * FRAME_SECONDS)


def segments_of(parts: Sequence[Part], levels: np.ndarray, lengths: Lengths) -> list[Part]:
    """Join parts over short pauses up to the longest length, and cut parts that are longer.

    Parts that follow each other with pauses of at most `join` are joined so that as few segments as
    possible are shorter than `min`, with as few segments as possible, and with the longest pauses
    between them. A longer part is first cut at its quietest places.

    Args:
        parts: the parts, sorted by their starts
        levels: level of each frame in dB
        lengths: wanted lengths

    Returns:
        the segments in their order; none is longer than `max`, and some may be shorter than `min`
    """
    pieces = [piece for part in _merged(parts, 0) for piece in _cut(part, levels, lengths)]
    chains: list[list[Part]] = []
    for piece in pieces:
        if chains and piece[0] - chains[-1][-1][1] <= lengths.join:
            chains[-1].append(piece)
        else:
            chains.append([piece])
    return [segment for chain in chains for segment in _joined(chain, lengths)]


def fixed_parts(seconds: float, lengths: Lengths) -> list[Part]:
    """Divide a recording into segments of the longest length, without regard to speech.

    Args:
        seconds: duration of the recording
        lengths: wanted lengths

    Returns:
        the segments in their order; the last one is shorter unless the length fits
    """
    count = max(math.ceil(round(seconds / lengths.max, 6)), 1)
    edges = [*(lengths.max * number for number in range(count)), seconds]
    return list(itertools.pairwise(edges))


def _cut(part: Part, levels: np.ndarray, lengths: Lengths) -> list[Part]:
    """Cut a part at its quietest places until no piece is longer than the longest length.

    A piece has at least half of the longest length, so that there is a quiet place to choose. The
    last piece is not shorter than `min` if that is possible.
    """
    start, end = part
    powers = np.convolve(10 ** (levels / 10), np.ones(SMOOTHED) / SMOOTHED, mode="same")
    pieces = []
    while end - start > lengths.max + TOLERANCE:
        latest = start + lengths.max
        if end - latest < lengths.min:
            latest = max(end - lengths.min, start + lengths.max / 2)
        first = math.ceil((start + lengths.max / 2) / FRAME_SECONDS)
        stop = max(math.floor(latest / FRAME_SECONDS), first) + 1
        place = latest
        if first < len(powers):
            place = min((first + int(np.argmin(powers[first:stop]))) * FRAME_SECONDS, latest)
        pieces.append((start, place))
        start = place
    return [*pieces, (start, end)]


def _joined(chain: Sequence[Part], lengths: Lengths) -> list[Part]:
    """Join the parts of a chain to segments, by dynamic programming over their ends."""
    # the best way to join the first parts: number of short segments, number of segments, minus the
    # pauses between them, and the number of parts before the last segment
    best: list[tuple[int, int, float, int]] = [(0, 0, 0.0, 0)]
    for stop in range(1, len(chain) + 1):
        ways: list[tuple[int, int, float, int]] = []
        for first in range(stop - 1, -1, -1):
            length = chain[stop - 1][1] - chain[first][0]
            if ways and length > lengths.max + TOLERANCE:
                break
            short, count, pauses, _ = best[first]
            pause = chain[first][0] - chain[first - 1][1] if first else 0.0
            ways.append(
                (short + (length < lengths.min - TOLERANCE), count + 1, pauses - pause, first)
            )
        best.append(min(ways))
    segments: list[Part] = []
    stop = len(chain)
    while stop:
        first = best[stop][-1]
        segments.append((chain[first][0], chain[stop - 1][1]))
        stop = first
    return segments[::-1]


def _merged(parts: Sequence[Part], pause: float) -> list[Part]:
    """Merge parts that overlap or have shorter pauses between them."""
    merged: list[Part] = []
    for start, end in parts:
        if merged and start - merged[-1][1] < pause:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _padded(parts: Sequence[Part], seconds: float) -> list[Part]:
    """Add a margin to each part, at most half of the pause."""
    edges = [-PAD, *(time for part in parts for time in part), seconds + PAD]
    margins = [
        min(PAD, (after - before) / 2)
        for before, after in zip(edges[::2], edges[1::2], strict=True)
    ]
    return [
        (max(start - margins[index], 0), min(end + margins[index + 1], seconds))
        for index, (start, end) in enumerate(parts)
    ]
