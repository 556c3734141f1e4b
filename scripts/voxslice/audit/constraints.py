"""Rules that the metadata of a dataset has to follow."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from voxslice.audit.finding import Finding
from voxslice.data.name_parts import named_values
from voxslice.errors import InputError
from voxslice.rule_conditions import is_numeric

TOLERANCE = 1
"""Largest difference of two numbers of one speaker, such as the age, within a dataset."""
OVERLAP = 0.1
"""Seconds by which two utterances of a file may overlap, since annotations are rounded."""


def check_speakers(metadata: pd.DataFrame, columns: Sequence[str]) -> Iterator[Finding]:
    """Find utterances that contradict the other utterances of their speaker.

    Args:
        metadata: table with one row per utterance: the key, and `speaker` if speakers are known
        columns: columns that belong to a speaker. Those that the table lacks are left out.

    Yields:
        one finding per utterance whose category is not the most frequent one of the speaker, or
        whose number is not in the range of size 1 that holds most of the speaker's numbers. If two
        categories, or two ranges, are equally frequent, the utterances outside of any of them are
        found.
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
    """Which values of a speaker differ from the usual one, and the usual value as text."""
    if is_numeric(values):
        numbers = values.to_numpy(dtype=float)
        lows = np.unique(numbers)
        inside = (numbers >= lows[:, None]) & (numbers <= lows[:, None] + TOLERANCE)
        ranges = inside[inside.sum(axis=1) == inside.sum(axis=1).max()]
        ends = [(numbers[mask].min(), numbers[mask].max()) for mask in ranges]
        texts = [f"{low:g}" if low == high else f"{low:g} to {high:g}" for low, high in ends]
        return ~ranges.all(axis=0), " or ".join(texts)
    names = values.astype("string")
    counts = names.value_counts().sort_index()
    usual = counts.index[counts == counts.max()]
    wrong = names != usual[0] if len(usual) == 1 else names.notna()
    return wrong.to_numpy(dtype=bool), " or ".join(usual)


def check_file_names(
    metadata: pd.DataFrame, patterns: Mapping[str, Mapping[str, Any]]
) -> Iterator[Finding]:
    """Find utterances whose value contradicts the name of their file.

    Args:
        metadata: table with one row per utterance: the key and the metadata columns
        patterns: by column, `pattern` (regular expression that is searched in the path of the file,
            with the group `value`) and `map` (value of the column by the text of that group; a text
            that it lacks stands for itself)

    Yields:
        one finding per utterance with a value that differs. Utterances without a value, and files
        whose name does not fit the pattern, have none.

    Raises:
        InputError: if the pattern of a column fits no file
    """
    for column, settings in patterns.items():
        texts = named_values(metadata["file"], settings["pattern"])
        if len(texts) and not any(texts):
            raise InputError(
                f"The pattern of the column {column} fits no file name, such as"
                f" {metadata['file'].iloc[0]}: correct audit: file_names."
            )
        named = [None if text is None else settings["map"].get(text, text) for text in texts]
        values = metadata[column]
        for row, value, name in zip(metadata.itertuples(), values, named, strict=True):
            if name is not None and not pd.isna(value) and not _same(value, name):
                detail = f"{column} is {value} here and {name} in the name of the file"
                yield Finding.of("file name", row, detail=detail)


def count_unnamed(metadata: pd.DataFrame, pattern: str) -> int:
    """Count the utterances whose file name does not give a value.

    Args:
        metadata: table with one row per utterance
        pattern: regular expression with the group `value`, see `check_file_names`

    Returns:
        the number
    """
    return named_values(metadata["file"], pattern).count(None)


def _same(value: Any, name: Any) -> bool:
    """Whether a value of the metadata is the one that a file name gives, as text or as a number."""
    try:
        return str(value) == str(name) or float(value) == float(name)
    except (TypeError, ValueError):
        return False


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
