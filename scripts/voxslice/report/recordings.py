"""Long recordings: their segments, results per recording, and a timeline of a failing one."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from voxslice.files import read_csv
from voxslice.report.answer import verdict_sentence
from voxslice.report.clips import LONGEST, PLAYER, Clip, encode, prediction_text, true_label
from voxslice.report.numbers import counted, share
from voxslice.report.study import Recordings, Study
from voxslice.report.tables import Cell, Column, Table, capital, count, model_cell, number
from voxslice.utterance_keys import KEY

RECORDINGS = "recordings"
"""Value of `answer_about` of a task whose answer is about recordings."""
WIDTH = 1000
"""Width of a timeline in units of its drawing."""
MAX_NOTES = 5
"""Largest number of recordings whose notes are listed."""


@dataclass(frozen=True)
class Bar:
    """A segment in the timeline of a model.

    Args:
        x: left edge, from 0 to `WIDTH`
        width: width in the same unit
        wrong: whether the prediction is wrong; in a regression, whether the error is above the mean
        text: times, prediction and probabilities
        jump: seconds at which the player has this segment; None if it does not
    """

    x: float
    width: float
    wrong: bool
    text: str
    jump: float | None


@dataclass(frozen=True)
class Timeline:
    """The predictions of all models for the segments of a recording.

    Args:
        title: file, duration and true labels
        rows: position and id of each model, for how long it is wrong, and its bars
        ticks: times at the edges of the quarters of the timeline
        part: left edge and width of the part of the recording that the player has
        clip: this part
    """

    title: str
    rows: list[tuple[int, str, str, list[Bar]]]
    ticks: list[str]
    part: tuple[float, float]
    clip: Clip


def read_recordings(paths: Sequence[str]) -> Recordings | None:
    """Read the results per recording.

    Args:
        paths: the overview, the segments, the metrics and the comparison; empty if the dataset has
            no long recordings

    Returns:
        the results, or None
    """
    if not paths:
        return None
    overview, segments, metrics, comparison = paths
    return Recordings(
        read_csv(overview), pd.read_parquet(segments), read_csv(metrics), read_csv(comparison)
    )


def answer_sentences(study: Study) -> list[str]:
    """The sentences before the answer of a task that is about recordings.

    Args:
        study: the study

    Returns:
        the comparison of the pair of models on recordings, or their metrics without a pair; empty
        if the task is about utterances
    """
    if study.recordings is None or study.task_settings.get("answer_about") != RECORDINGS:
        return []
    if len(study.pair) == 2:
        baseline, candidate = study.pair
        whole = replace(study, comparison=study.recordings.comparison)
        found = [f"On recordings, {verdict_sentence(whole, candidate, baseline)}"]
    else:
        measure, rows = study.overall_measure, study.recordings.metrics
        found = [
            f"{row.model}: {measure.short} {measure.text(row.value)} on"
            f" {counted(int(row.n), 'recording')}."
            for row in rows[rows["metric"] == study.overall_metric].itertuples()
        ]
    return [*found, "The rest of the answer is about their segments."]


def sentences(study: Study) -> list[str]:
    """Describe the segments of the recordings.

    Args:
        study: the study

    Returns:
        the number of segments and the share of speech, the share of segments that are too short,
        and notes on single recordings; empty if the dataset has no long recordings
    """
    if study.recordings is None:
        return []
    overview, segments = study.recordings.overview, study.recordings.segments
    seconds = (overview["end"] - overview["start"]).sum()
    lengths = segments["end"] - segments["start"]
    found = [
        f"{counted(len(segments), 'segment')} of {counted(len(overview), 'recording')};"
        f" {share(overview['speech_seconds'].sum() / max(seconds, 1e-9))} of the time is speech.",
        f"{share(segments['short'].mean())} of the segments, with"
        f" {share(lengths[segments['short']].sum() / max(lengths.sum(), 1e-9))} of their duration,"
        " are shorter than wanted.",
    ]
    noted = overview[overview["note"].notna()]
    found += [f"{row.file}: {row.note}." for row in noted.head(MAX_NOTES).itertuples()]
    if len(noted) > MAX_NOTES:
        found.append(f"{counted(len(noted) - MAX_NOTES, 'more recording')} with a note.")
    return found


def metric_table(study: Study) -> Table | None:
    """The metrics on recordings beside those on segments; None without long recordings."""
    if study.recordings is None:
        return None
    measured = study.recordings.metrics
    names = list(dict.fromkeys(measured["metric"]))
    columns = [Column("Model", number=False), Column("Unit", number=False)]
    for name in names:
        measure = study.measures[name]
        columns.append(Column(capital(measure.title), measure.unit))
    columns.append(Column("Number"))
    rows = []
    for model in study.models:
        for unit, table in (("recordings", measured), ("segments", study.metrics)):
            own = table[table["model"] == model.name].set_index("metric")
            cells = [model_cell(study, model.name), Cell(unit)]
            for name in names:
                row, measure = own.loc[name], study.measures[name]
                edges = measure.interval(row["low"], row["high"])
                cells.append(number(measure.number(row["value"]), row["value"], note=edges))
            rows.append([*cells, count(own["n"].iloc[0])])
    return Table("Metrics on recordings and on segments, with 95 % intervals", columns, rows)


def timeline(study: Study) -> Timeline | None:
    """Draw the predictions over the recording in which models are wrong for the longest time.

    Args:
        study: the study

    Returns:
        the timeline, without audio; None if no model is wrong, or without long recordings
    """
    if study.recordings is None:
        return None
    tables = [_judged(study, position) for position in range(len(study.models))]
    everything = pd.concat(tables)
    wrong = everything[everything["_wrong"]]
    if wrong.empty:
        return None
    lengths = wrong["end"] - wrong["start"]
    file = lengths.groupby(wrong["file"]).sum().idxmax()
    own = wrong[wrong["file"] == file]
    start = float(own.loc[(own["end"] - own["start"]).idxmax(), "start"].min())
    overview = study.recordings.overview
    spans = overview[overview["file"] == file]
    first, last = float(spans["start"].min()), float(spans["end"].max())
    start = max(min(start, last - LONGEST), first)
    clip = Clip(0, (file, start, min(start + LONGEST, last)), "", "", [])
    rows = []
    for position, (model, table) in enumerate(zip(study.models, tables, strict=True)):
        segments = table[table["file"] == file]
        durations = segments["end"] - segments["start"]
        told = f"{durations[segments['_wrong']].sum():.0f} of {durations.sum():.0f} s are errors"
        bars = [_bar(study, position, row, (first, last), clip) for _, row in segments.iterrows()]
        rows.append((position, model.name, told, bars))
    labels = list(dict.fromkeys(true_label(study, value) for value in own["label"]))
    title = f"{file}, {last - first:.0f} s. True label: {', '.join(labels)}."
    ticks = [_clock(first + quarter * (last - first) / 4) for quarter in range(5)]
    scale = WIDTH / max(last - first, 1e-9)
    part = round((start - first) * scale, 1), round((clip.key[2] - start) * scale, 1)
    return Timeline(title, rows, ticks, part, clip)


def with_sound(found: Timeline | None, audio: str | Path, budget: int) -> Timeline | None:
    """Add the audio of the part with the longest error to a timeline, if it fits into the page.

    Args:
        found: the timeline, or None
        audio: folder that the files are relative to
        budget: number of bytes that the player may add to the page

    Returns:
        the timeline
    """
    if found is None:
        return None
    clip = encode(found.clip, audio)
    return replace(found, clip=clip) if len(clip.audio) + PLAYER <= budget else found


def _judged(study: Study, position: int) -> pd.DataFrame:
    """Scores of a model with the column `_wrong`."""
    scores = study.models[position].scores
    limit = 0 if study.classification else scores["loss"].mean()
    return scores.assign(_wrong=scores["loss"] > limit).reset_index(drop=True)


def _clock(seconds: float) -> str:
    """A time in minutes and seconds, such as `1:05`."""
    return f"{round(seconds) // 60}:{round(seconds) % 60:02}"


def _bar(study: Study, position: int, row: pd.Series, span: tuple[float, float], clip: Clip) -> Bar:
    """The bar of a segment."""
    first, last = span
    start, end = (float(row[name]) for name in KEY[1:])
    scale = WIDTH / max(last - first, 1e-9)
    shown = prediction_text(study, position, row)
    details = f" ({shown.details})" if shown.details else ""
    text = (
        f"{start:.1f} to {end:.1f} s: true {true_label(study, row['label'])}, predicted"
        f" {shown.prediction}{details}"
    )
    inside = clip.key[1] <= start < clip.key[2]
    return Bar(
        round((start - first) * scale, 1),
        round(max((end - start) * scale, 1), 1),
        bool(row["_wrong"]),
        text,
        round(start - clip.key[1], 2) if inside else None,
    )
