"""Faults in the audio of utterances, by what their examination found."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from voxslice.audit.copies import near_copies
from voxslice.audit.exact_copies import content_of
from voxslice.audit.finding import Finding
from voxslice.utterance_keys import KEY

CLIPPED = 0.001
"""Smallest share of clipped samples of clipped audio."""
CUT_OFF = -6.0
"""Smallest level in dB of the first or last 10 ms of audio that is cut off, relative to its loud
parts."""
MIN_SAME_LENGTH = 10
"""Smallest number of utterances that end within speech, all with the length of the longest
utterance, if the dataset was cut at this length."""


def check_audio(examined: pd.DataFrame, shortest: float) -> Iterator[Finding]:
    """Find utterances whose audio cannot be read, is silent, too short, clipped or cut off.

    Args:
        examined: table with one row per utterance, see `voxslice.audit.examine.examine`
        shortest: duration in seconds of the shortest utterance that is not far too short

    Yields:
        the findings. A silent or unreadable utterance has no other finding here. If a dataset was
        cut at one length, this is one finding, and the ends of these utterances are no findings.
    """
    cut = _cut_at_one_length(examined)
    if cut.any():
        seconds = float((examined["end"] - examined["start"])[cut].iloc[0])
        yield Finding(
            *("same length", None, None, None),
            detail=f"{cut.sum():,} of {len(examined):,} utterances end within speech at"
            f" {seconds:.2f} s, the length of the longest utterance",
        )
    for row, cut_here in zip(examined.itertuples(), cut, strict=True):
        seconds = row.end - row.start
        if not pd.isna(row.reason):
            yield Finding.of("unreadable", row, detail=row.reason)
            continue
        if not pd.isna(row.silence) and row.silence:
            yield Finding.of("silent", row, detail=row.silence)
            continue
        if seconds < shortest:
            yield Finding.of("too short", row, detail=f"{seconds:.2f} s")
        if row.clipping >= CLIPPED:
            yield Finding.of("clipped", row, detail=f"{row.clipping:.1%} of the samples")
        sides = {"begins": row.begins} if cut_here else {"begins": row.begins, "ends": row.ends}
        within = " and ".join(side for side, level in sides.items() if level >= CUT_OFF)
        if within:
            yield Finding.of("cut off", row, detail=f"the audio {within} within speech")


def _cut_at_one_length(examined: pd.DataFrame) -> np.ndarray:
    """Find the utterances whose end was cut off when the whole dataset was cut at one length.

    Args:
        examined: table with one row per utterance, see `voxslice.audit.examine.examine`

    Returns:
        mask of shape (utterances,), false everywhere if the dataset was not cut at one length
    """
    lengths = (examined["end"] - examined["start"]).round(3).to_numpy()
    cut = (examined["ends"] >= CUT_OFF).to_numpy() & (lengths == lengths.max(initial=0))
    return cut if cut.sum() >= MIN_SAME_LENGTH else np.zeros(len(examined), dtype=bool)


def check_copies(examined: pd.DataFrame, splits: pd.Series | None = None) -> Iterator[Finding]:
    """Find utterances with the same audio: exact copies, and near copies of one recording.

    Args:
        examined: table with one row per utterance, see `voxslice.audit.examine.examine`
        splits: split of each utterance, in the order of the table; None if there are none

    Yields:
        for an exact copy, the utterance and the first one with the same samples. For a near copy,
        the utterance and the first one that it is a copy of, and further pairs only where they
        name an utterance that no pair has named, or the first copy in another split. So the number
        of findings grows with the utterances, and not with the pairs among them. Silent utterances
        are left out, and parts of a file that overlap.
    """
    table = examined.reset_index(drop=True)
    first_of: dict[str, int] = {}
    for row, content in content_of(table).dropna().items():
        first = first_of.setdefault(content, row)
        if first != row:
            yield _copy("exact copy", table, first, row, "the same samples", splits)
    kept = sorted(first_of.values())
    keys = list(table[KEY].itertuples())
    words, loud = ([table[name][row] for row in kept] for name in ("words", "loud"))
    named: set[int] = set()
    in_other_split: set[int] = set()
    for copy in near_copies(words, loud):
        first, second = kept[copy.first], kept[copy.second]
        crosses = second not in in_other_split and _split_note(splits, first, second) != ""
        if _overlap(keys[first], keys[second]) or ({first, second} <= named and not crosses):
            continue
        named |= {first, second}
        in_other_split |= {second} if crosses else set()
        detail = f"{copy.errors:.0%} of the fingerprint differ"
        yield _copy("near copy", table, first, second, detail, splits)


def _overlap(row: Any, other: Any) -> bool:
    """Whether two utterances share a part of a file."""
    return bool(row.file == other.file and row.start < other.end and other.start < row.end)


def _split_note(splits: pd.Series | None, first: int, second: int) -> str:
    """Name the splits of two utterances if they differ; empty if they are equal or not known."""
    if splits is None:
        return ""
    pair = [splits.iloc[first], splits.iloc[second]]
    if pd.isna(pair).any() or pair[0] == pair[1]:
        return ""
    return f"; in the splits {pair[0]} and {pair[1]}"


def _copy(
    issue: str, table: pd.DataFrame, first: int, second: int, detail: str, splits: pd.Series | None
) -> Finding:
    """Make a finding about two copies, and say if they are in different splits."""
    detail += _split_note(splits, first, second)
    return Finding.of(issue, table.loc[second], table.loc[first], detail=detail)
