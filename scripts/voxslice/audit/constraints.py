"""Rules that the metadata of a dataset has to follow."""

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from voxslice.audit.finding import Finding
from voxslice.conditions import is_numeric

TOLERANCE = 1
"""Largest difference of a number of one speaker, such as the age, within a dataset."""
OVERLAP = 0.1
"""Seconds by which two utterances of a file may overlap, since annotations are rounded."""


def check_speakers(metadata: pd.DataFrame, columns: Sequence[str]) -> Iterator[Finding]:
    """Find utterances that contradict the other utterances of their speaker.

    Args:
        metadata: table with one row per utterance: the key, and `speaker` if speakers are known
        columns: columns that belong to a speaker. Those that the table lacks are left out.

    Yields:
        one finding per utterance whose category is not the most frequent one of the speaker, or
        whose number differs from the median of the speaker by more than 1. If two categories are
        equally frequent, all utterances of the speaker are found.
    """
    if "speaker" not in metadata:
        return
    for column in columns:
        if column not in metadata:
            continue
        known = metadata[metadata["speaker"].notna() & metadata[column].notna()]
        for speaker, rows in known.groupby("speaker", sort=True, observed=True):
            wrong, usual = _unusual(rows[column])
            for position in np.flatnonzero(wrong):
                value = rows[column].iloc[position]
                detail = f"{column} of speaker {speaker} is {value} here and {usual} elsewhere"
                yield Finding.of("speaker", rows.iloc[position], detail=detail)


def _unusual(values: pd.Series) -> tuple[np.ndarray, str]:
    """Which values of a speaker differ from the usual one, and the usual value as text.

    If several categories are the most frequent one, all values are unusual.
    """
    if is_numeric(values):
        numbers = values.to_numpy(dtype=float)
        middle = float(np.median(numbers))
        return np.abs(numbers - middle) > TOLERANCE, f"{middle:g}"
    texts = values.astype("string")
    counts = texts.value_counts().sort_index()
    usual = counts.index[counts == counts.max()]
    wrong = texts != usual[0] if len(usual) == 1 else texts.notna()
    return wrong.to_numpy(dtype=bool), " or ".join(usual)


def check_splits(metadata: pd.DataFrame, column: str) -> Iterator[Finding]:
    """Find speakers that are in more than one split.

    Args:
        metadata: table with one row per utterance: the key, and `speaker` if speakers are known
        column: column with the split of each utterance

    Yields:
        one finding per speaker, with the first utterances in two splits
    """
    if "speaker" not in metadata or column not in metadata:
        return
    known = metadata[metadata["speaker"].notna() & metadata[column].notna()]
    for speaker, rows in known.groupby("speaker", sort=True, observed=True):
        counts = rows[column].astype("string").value_counts().sort_index()
        if len(counts) > 1:
            texts = rows[column].astype("string")
            first, second = (
                rows[(texts == split).to_numpy(bool)].iloc[0] for split in counts.index[:2]
            )
            shown = ", ".join(f"{split} ({count:,})" for split, count in counts.items())
            yield Finding.of(
                "splits", first, second, detail=f"speaker {speaker} is in several splits: {shown}"
            )


def check_overlaps(metadata: pd.DataFrame) -> Iterator[Finding]:
    """Find parts of a file that are listed twice.

    Args:
        metadata: table with one row per utterance: `file`, `start` and `end` (seconds)

    Yields:
        one finding per utterance that begins before an earlier utterance of its file ends
    """
    rows = metadata.sort_values(["file", "start", "end"], kind="stable")
    longest = None
    for row in rows.itertuples():
        if longest is not None and longest.file == row.file:
            overlap = min(longest.end, row.end) - row.start
            if overlap > OVERLAP:
                yield Finding.of(
                    "listed twice",
                    row,
                    longest,
                    detail=f"{overlap:.2f} s of the file are in both utterances",
                )
            if longest.end >= row.end:
                continue
        longest = row
