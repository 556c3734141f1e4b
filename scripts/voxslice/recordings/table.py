"""The segments of all recordings of a dataset, and an overview of the recordings."""

from collections.abc import Mapping
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from voxslice.errors import InputError
from voxslice.recordings.segments import (
    FRAME_SECONDS,
    ONSET,
    TOLERANCE,
    Lengths,
    Part,
    fixed_parts,
    segments_of,
    speech_segments,
)
from voxslice.recordings.turns import TURN
from voxslice.utterance_keys import KEY

RECORDING = ["recording", "recording_start", "recording_end"]
"""Columns of a segment with the key of its recording in the table of the user."""
FIXED = [*KEY, *RECORDING, "speech_share", "short"]
"""Columns of every segment. Further columns are labels of its channel or its turn."""
DECIMALS = 3
"""Decimals of the start and end of a segment in seconds."""
NO_SPEECH = "no speech was found"
NO_TURNS = "it has no turns"

Groups = list[tuple[list[Part], dict[str, Any]]]
"""Segments of a recording in groups, with the labels of each group."""


class Recordings(NamedTuple):
    """Segments of a dataset.

    Attributes:
        segments: one row per segment with the columns `FIXED` and labels, sorted by key
        overview: one row per recording: its key, `segments`, `segment_seconds`, `speech_seconds`,
            `short` (number of segments below the shortest wanted length) and `note`
    """

    segments: pd.DataFrame
    overview: pd.DataFrame


def segment_recordings(
    speech: pd.DataFrame,
    *,
    by: str,
    lengths: Lengths,
    turns: pd.DataFrame | None,
    channels: pd.DataFrame | None,
    source: str,
) -> Recordings:
    """Divide the recordings of a dataset into segments.

    Args:
        speech: recordings with the probability of speech and the level of each frame, as
            `voxslice.recordings.speech.detect_speech` returns them
        by: `silero` for parts with speech, `turns` for turns of speakers, or `fixed` for segments
            of the same length
        lengths: wanted lengths
        turns: turns with the files of their recordings; None unless `by` is `turns`
        channels: the files of separated channels, as `voxslice.recordings.channels` returns them;
            None if recordings are read as mono
        source: what lists the recordings, for messages

    Returns:
        the segments and the overview. A recording that cannot be read is one segment, so that
        inference reports the reason

    Raises:
        InputError: if there is no segment
    """
    of_file = {} if turns is None else dict(iter(turns.groupby("file", sort=False)))
    separated = {} if channels is None else channels.set_index("file").to_dict("index")
    tables, rows = [], []
    for row in speech.itertuples(index=False):
        probabilities, levels = np.asarray(row.probabilities), np.asarray(row.levels)
        seconds = row.end - row.start
        groups: Groups
        if row.reason:
            groups = [([(0.0, seconds)], {})]
        elif by == "turns":
            own = of_file.get(row.file)
            groups = [] if own is None else _groups_of(own, (row.start, row.end), levels, lengths)
        elif by == "fixed":
            groups = [(fixed_parts(seconds, lengths), {})]
        else:
            groups = [(speech_segments(probabilities, levels, lengths), {})]
        channel = separated.get(row.file)
        table = _table(groups, seconds, probabilities, lengths.min)
        table = table.assign(
            file=row.file,
            start=(table["start"] + row.start).round(DECIMALS),
            end=(table["end"] + row.start).round(DECIMALS),
            recording=channel["recording"] if channel else row.file,
            recording_start=row.start,
            recording_end=row.end,
        )
        if channel:
            table = table.assign(speaker=row.file, channel=channel["channel"])
        tables.append(table)
        silent = NO_TURNS if by == "turns" else NO_SPEECH
        rows.append(
            {
                **dict(zip(KEY, (row.file, row.start, row.end), strict=True)),
                "segments": len(table),
                "segment_seconds": float((table["end"] - table["start"]).sum()),
                "speech_seconds": float((probabilities >= ONSET).sum() * FRAME_SECONDS),
                "short": int(table["short"].sum()),
                "note": row.reason
                or row.note
                or (channel or {}).get("note")
                or ("" if len(table) else silent),
            }
        )
    segments = _distinct(pd.concat(tables, ignore_index=True))
    if segments.empty:
        raise InputError(f"{source} lists no recording with speech: name other recordings.")
    labels = [name for name in segments if name not in FIXED]
    return Recordings(segments[[*FIXED, *labels]], pd.DataFrame(rows))


def _groups_of(
    turns: pd.DataFrame, span: tuple[float, float], levels: np.ndarray, lengths: Lengths
) -> Groups:
    """Segments of the turns of a recording: turns of one speaker in succession are joined."""
    start, end = span
    inside = turns[(turns["start"] < end) & (turns["end"] > start)]
    names = [name for name in inside if name not in TURN[:3]]
    labels = inside[names].astype(object).where(inside[names].notna(), None).to_dict("records")
    parts = [
        (max(first - start, 0.0), min(last, end) - start)
        for first, last in zip(inside["start"], inside["end"], strict=True)
    ]
    numbered = groupby(range(len(parts)), key=lambda number: tuple(labels[number].values()))
    runs = [list(numbers) for _, numbers in numbered]
    return [
        (segments_of([parts[number] for number in run], levels, lengths), labels[run[0]])
        for run in runs
    ]


def _table(
    groups: Groups, seconds: float, probabilities: np.ndarray, shortest: float
) -> pd.DataFrame:
    """Segments of one recording with their times in it, their share of speech and their labels."""
    rows: list[Mapping[str, Any]] = []
    for parts, labels in groups:
        for start, end in parts:
            end = min(end, seconds)
            frames = probabilities[int(start / FRAME_SECONDS) : int(np.ceil(end / FRAME_SECONDS))]
            rows.append(
                {
                    "start": start,
                    "end": end,
                    "speech_share": float(np.mean(frames >= ONSET)) if len(frames) else 0.0,
                    "short": end - start < shortest - TOLERANCE,
                    **labels,
                }
            )
    types = {"start": float, "end": float, "speech_share": float, "short": bool}
    return pd.DataFrame(rows, columns=None if rows else list(types)).astype(types)


def _distinct(segments: pd.DataFrame) -> pd.DataFrame:
    """Keep one of several segments with the same times, without labels in which they differ.

    Two speakers may have turns with exactly the same times. Nobody knows which one a model hears.
    """
    ordered = segments.sort_values(KEY, kind="stable", ignore_index=True)
    again = ordered.duplicated(KEY, keep=False)
    if not again.any():
        return ordered
    labels = [name for name in ordered if name not in FIXED]
    several = ordered[again].groupby(KEY)[labels].transform("nunique", dropna=False) > 1
    ordered.loc[again, labels] = ordered.loc[again, labels].mask(several, None)
    return ordered.drop_duplicates(KEY, ignore_index=True)


def describe(recordings: Recordings, shortest: float) -> str:
    """Describe the segments of a dataset in a few sentences.

    Args:
        recordings: segments and overview
        shortest: shortest wanted segment in seconds

    Returns:
        the sentences
    """
    segments, overview = recordings
    seconds = (overview["end"] - overview["start"]).sum()
    lines = [
        f"{len(segments)} segments of {len(overview)} recordings hold"
        f" {overview['segment_seconds'].sum() / 60:,.1f} of {seconds / 60:,.1f} minutes;"
        f" {overview['speech_seconds'].sum() / max(seconds, TOLERANCE):.1%} of the time is speech.",
        f"{segments['short'].mean():.1%} of the segments are shorter than {shortest:g} s.",
    ]
    lines += [f"{row.file}: {row.note}." for row in overview.itertuples() if row.note]
    return "\n".join(lines)
