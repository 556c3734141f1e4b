"""The cards of the failure modes: what the report tells about each of them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from voxslice.files import as_booleans
from voxslice.modes.table import SAME_SPEAKERS
from voxslice.report.channel_notes import channel_note
from voxslice.report.modes import Mode, decisive
from voxslice.report.numbers import counted, decimal, probability, share, significant
from voxslice.report.searches import only_in_search
from voxslice.report.slice_tables import edges, slice_name
from voxslice.report.study import Study, by_severity, rule_text
from voxslice.report.tables import Cell, Column, Table, capital, model_cell, number, plain, text_of

MAX_DIFFERENCES = 3
"""Largest number of differences that a card names. A folded table lists all of them."""
SIGNIFICANT = 0.05
"""Largest q of a difference that a card names."""
EVIDENCE = {
    "within speakers": "Confirmed: the same speakers do worse here than elsewhere.",
    "across speakers": "Confirmed: the speakers in it do worse than other speakers.",
    "held-out speakers": "Confirmed on speakers that did not choose it.",
    "rows": "Confirmed, with utterances treated as independent.",
}
"""Words for the evidence of a mode."""


@dataclass(frozen=True)
class Figures:
    """What a card tells about one model.

    Args:
        position: position of the model in the study
        model: id of the model
        confirmed: whether the mode is confirmed for the model
        tested: the figure that was tested, in words
        interval: 95 % interval of that figure
        compared: what the figure compares the mode with
        metric: metric inside and on all other utterances, with the drop if another figure was
            tested
        errors: share of the errors and of the utterances, in words
        notes: evidence, confusion or direction, speakers and searches, one sentence each
    """

    position: int
    model: str
    confirmed: bool
    tested: str
    interval: str
    compared: str
    metric: str
    errors: str
    notes: list[str]


@dataclass(frozen=True)
class Card:
    """What the page tells about a mode.

    Args:
        mode: the mode
        size: number of utterances and speakers
        summary: share of the errors that the mode holds of the first model that it is about
        figures: one entry per model
        channel: whether the channel may be the cause, see `voxslice.report.channel_notes`; empty
            if nothing is known of it
        hints: what is different in the utterances of the mode
        differences: table of all measured columns; None if no column was measured
        slices: table of the slices that the mode summarises
    """

    mode: Mode
    size: str
    summary: str
    figures: list[Figures]
    channel: str
    hints: list[str]
    differences: Table | None
    slices: Table


def cards(study: Study, modes: Sequence[Mode]) -> list[Card]:
    """Collect what the page tells about each mode.

    Args:
        study: the study
        modes: modes of the study

    Returns:
        one card per mode
    """
    return [_card(study, mode) for mode in modes]


def _card(study: Study, mode: Mode) -> Card:
    largest = mode.rows.loc[mode.rows["support"].idxmax()]
    worst = decisive(mode.rows).iloc[0]
    return Card(
        mode,
        size_text(largest),
        f"{_shares(study, worst)} ({worst['model']})",
        [_figures(study, row) for _, row in mode.rows.iterrows()],
        channel_note(study, mode.rule),
        _hints(study, mode),
        _differences(study, mode),
        _slices(study, mode),
    )


def size_text(row: pd.Series) -> str:
    """State how many utterances and speakers a mode has."""
    size = counted(int(row["support"]), "utterance")
    if pd.isna(row["speakers"]):
        return size
    speakers = int(row["speakers"])
    return f"{size} of {'one speaker' if speakers == 1 else counted(speakers, 'speaker')}"


def _shares(study: Study, row: pd.Series) -> str:
    """State the shares of the errors and of the utterances that a mode holds."""
    errors = "the errors" if study.classification else "the absolute error"
    utterances = share(row["share_of_utterances"])
    return f"{share(row['share_of_errors'])} of {errors} in {utterances} of the utterances"


def tested_figure(study: Study, row: pd.Series) -> str:
    """Write the figure of a mode that was tested, with its direction.

    Args:
        study: the study
        row: row of the table of modes

    Returns:
        the figure, such as `62.0 points worse`; a dash if it is missing
    """
    value = row["excess"]
    if not np.isfinite(value):
        return study.measure.change(value)
    return f"{study.measure.change(value)} {'worse' if value >= 0 else 'better'}"


def _figures(study: Study, row: pd.Series) -> Figures:
    measure, model = study.measure, study.models[row["position"]]
    evidence = text_of(row["evidence"])
    same_speakers = row["compared_with"] == SAME_SPEAKERS
    pooled = ""
    if same_speakers:
        limits = measure.interval(row["drop_low"], row["drop_high"])
        drop = f"{measure.change(row['drop'])} {limits}".rstrip()
        pooled = f": {drop} {'worse' if row['drop'] >= 0 else 'better'}"
    inside, elsewhere = measure.text(row["value"]), measure.text(row["rest"])
    errors = _shares(study, row)
    if study.classification:
        total = int(row["errors"] + row["errors_elsewhere"])
        if not row["errors"]:
            return _without_errors(model.name, int(row["position"]), total)
        errors += f" ({int(row['errors']):,} of {total:,})"
    confirmed = bool(as_booleans(pd.Series([row["confirmed"]]))[0])
    notes = [EVIDENCE.get(evidence, f"{capital(evidence)}.") if confirmed else "Not confirmed."]
    if row.get("only_in_search", False):
        notes = [only_in_search(study.study_searches, study.dataset, study.task, row)]
    if confirmed:
        notes += _about_interval(study, row, same_speakers)
    if confirmed:
        notes += _unflagged(study, row)
    if text_of(row["confusion"]):
        notes.append(f"{capital(text_of(row['confusion']))}.")
    if text_of(row["leading_speaker"]) and row["speakers"] != 1:
        notes.append(f"Speaker {row['leading_speaker']} makes more than half of these errors.")
    if text_of(row["searches"]):
        searches = text_of(row["searches"])
        plural = "searches" if "," in searches else "search"
        notes.append(f"Found by the {plural} {searches}.")
    else:
        notes.append("No search found it for this model.")
    if pd.notna(row["stability"]):
        notes.append(f"{share(row['stability'])} of other seeds find it again.")
    return Figures(
        int(row["position"]),
        model.name,
        confirmed,
        tested_figure(study, row),
        edges(measure, row),
        f"than {_others(row)}",
        f"{capital(measure.title)} {inside} here, {elsewhere} on all other utterances{pooled}",
        errors,
        notes,
    )


def _others(row: pd.Series) -> str:
    """Name the utterances that the tested figure compares a mode with."""
    same = row["compared_with"] == SAME_SPEAKERS
    return "the same speakers elsewhere" if same else "on all other utterances"


def _about_interval(study: Study, row: pd.Series, same_speakers: bool) -> list[str]:
    """Tell what was corrected in the figure of a confirmed mode, and why it may contain zero."""
    is_corrected = pd.notna(row.get("measured"))
    low = row["measured_low"] if is_corrected else row["low"]
    notes = []
    if same_speakers and low <= 0 < row["excess"]:
        notes.append(_few(int(row["speakers"])))
    elif is_corrected and row["low"] <= 0:
        notes.append("It is hardly clearer than chance allows, so the difference may be small.")
    if is_corrected:
        measure = study.measure
        limits = measure.interval(row["measured_low"], row["measured_high"])
        measured = f"{measure.change(row['measured'])} {limits}".rstrip()
        notes.append(f"Before the correction for its choice by the search: {measured}.")
    return notes


def _few(speakers: int) -> str:
    """Explain an interval that holds zero although a test within speakers confirms the mode."""
    if speakers == 1:
        return "It is one speaker, who says nothing about others."
    return (
        f"The test is about these {speakers} speakers. They are too few to show how large the"
        " difference is for others, so the interval contains zero."
    )


def _unflagged(study: Study, row: pd.Series) -> list[str]:
    """Say whether a confirmed mode stays confirmed without the utterances that the audit flags."""
    if pd.isna(row["flagged"]) or pd.isna(row["confirmed_unflagged"]):
        return []
    number = int(row["flagged"])
    if str(row["confirmed_unflagged"]) == "True":
        if not number:
            return []
        them = "it" if number == 1 else "them"
        return [
            f"The audit of the data flags {number:,} of the utterances here. Without {them}, it is"
            " still confirmed."
        ]
    size = ""
    if np.isfinite(row["excess_unflagged"]):
        size = (
            f": then it is {tested_figure(study, pd.Series({'excess': row['excess_unflagged']}))}"
        )
    return [
        "Not confirmed without the utterances that the audit of the data flags"
        f" ({number:,} of them here){size}. Look at these utterances first."
    ]


def _without_errors(model: str, position: int, total: int) -> Figures:
    """What a card tells about a model that makes no error in the mode."""
    notes = [] if not total else [f"All of its {counted(total, 'error')} are elsewhere."]
    return Figures(position, model, False, "No errors", "", "here", "", "", notes)


def _hints(study: Study, mode: Mode) -> list[str]:
    """Describe the clearest differences between the utterances of a mode and others."""
    table = study.mode_differences
    table = table[(table["mode"] == mode.name) & (table["q"] <= SIGNIFICANT)]
    order = table["difference"].abs().sort_values(ascending=False, kind="stable").index
    hints = []
    for _, row in table.loc[order[:MAX_DIFFERENCES]].iterrows():
        distance = row["inside"] - row["outside"]
        others = "other utterances"
        if pd.notna(row["speakers"]):
            others = "the same speakers’ other utterances"
        size = f"{significant(abs(distance))} {text_of(row['unit'])}".rstrip()
        hints.append(
            f"{capital(str(row['column']))} is {size} {'higher' if distance > 0 else 'lower'} than"
            f" in {others}."
        )
    return hints


def _differences(study: Study, mode: Mode) -> Table | None:
    """Make the table of the measured columns inside and outside a mode."""
    table = study.mode_differences[study.mode_differences["mode"] == mode.name]
    if not len(table):
        return None
    columns = [
        Column("Column", number=False),
        Column("Inside", meaning="mean of the utterances of the mode"),
        Column("Out\u00adside", meaning="mean of the other utterances, of the same speakers"),
        Column("Standardised difference"),
        Column("Speakers"),
        Column("q", meaning="p-value, adjusted for all columns"),
    ]
    rows = [
        [
            Cell(str(row["column"]), note=text_of(row["unit"])),
            number(significant(row["inside"]), row["inside"]),
            number(significant(row["outside"]), row["outside"]),
            number(decimal(row["difference"], 2), row["difference"]),
            plain("" if pd.isna(row["speakers"]) else int(row["speakers"])),
            number(probability(row["q"]), row["q"]),
        ]
        for _, row in table.iterrows()
    ]
    return Table(f"What is different in {mode.title}", columns, rows)


def _slices(study: Study, mode: Mode) -> Table:
    """Make the table of the slices that a mode summarises."""
    links = study.mode_slices[study.mode_slices["mode"] == mode.name]
    found = {model.name: by_severity(model.slices) for model in study.models}
    columns = [
        Column("Model", number=False),
        Column("Slice", number=False, meaning="rule on the metadata, and id of the slice"),
        Column("Search", number=False),
        Column("Utter\u00adances"),
        Column("Drop", study.measure.step, meaning="how much worse it is inside"),
        Column("Of its errors", "%", meaning="share that the mode holds"),
    ]
    rows = []
    for link in links.to_dict("records"):
        table = found[link["model"]]
        same = table[(table["slice"] == link["slice"]) & (table["search"] == link["search"])]
        row = same.iloc[0]
        held = 100 * float(link["share"])
        rows.append(
            [
                model_cell(study, link["model"]),
                Cell(rule_text(row), note=slice_name(row), mark="rule"),
                Cell(
                    str(link["search"]),
                    note="confirmed" if row["confirmed"] else "not confirmed",
                ),
                number(f"{int(row['support']):,}", int(row["support"])),
                number(study.measure.signed(row["drop"]), row["drop"]),
                number(decimal(held, 0), held),
            ]
        )
    return Table(f"Slices of {mode.title}", columns, rows)
