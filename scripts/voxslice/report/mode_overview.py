"""The overview of the failure modes: a chart and a table of the errors that they hold."""

from collections.abc import Sequence
from dataclasses import replace

import altair as alt
import numpy as np
import pandas as pd

from voxslice.files import as_booleans
from voxslice.report.drawing import LINE, Drawing, draw, label_layers, label_width, style, wrapped
from voxslice.report.mode_cards import size_text
from voxslice.report.modes import REST, Mode, decisive
from voxslice.report.numbers import decimal
from voxslice.report.slice_tables import edges
from voxslice.report.study import Study
from voxslice.report.tables import Cell, Column, Table, capital, model_cell, number, text_of
from voxslice.shown_text import visible

MAX_CHART_MODES = 8
"""Largest number of modes in the chart."""
WIDTH = 520
"""Width of the chart without its labels, in pixels."""


def overview(
    study: Study, modes: Sequence[Mode], *, every_model: bool, brief: bool = False
) -> Table:
    """Make a table of some modes.

    Args:
        study: the study
        modes: modes of the study
        every_model: whether each mode has one row per model, or only those of the models for which
            it is confirmed (the model with the largest share of its errors if there is none)
        brief: whether each mode has one row only, without rows of the utterances that no mode holds

    Returns:
        the table; unless it is brief, its last rows are of the utterances that no mode holds
    """
    errors = "Share of errors" if study.classification else "Share of the absolute error"
    columns = [
        Column("Failure mode", number=False),
        Column("Model", number=False),
        Column(errors, "%"),
        Column("Share of utterances", "%"),
        Column(capital(study.measure.title), study.measure.unit, meaning="in the mode"),
        Column("Worse by", study.measure.step, meaning="corrected for the search, 95 % interval"),
        Column("Evidence", number=False),
    ]
    rows = []
    for mode in modes:
        shown = mode.rows if every_model else decisive(mode.rows)
        shown = shown.head(1) if brief else shown
        for place, (_, row) in enumerate(shown.iterrows()):
            confirmed = bool(as_booleans(pd.Series([row["confirmed"]]))[0])
            title = Cell(capital(mode.title), note=size_text(row)) if place == 0 else Cell("")
            rows.append(
                [
                    title,
                    *_shares_cells(study, row),
                    number(study.measure.number(row["value"]), row["value"]),
                    number(
                        study.measure.signed(row["excess"]),
                        row["excess"],
                        note=edges(study.measure, row),
                    ),
                    Cell(text_of(row["evidence"]) if confirmed else "not confirmed"),
                ]
            )
    rest = study.modes[(study.modes["mode"] == REST) & (not brief)]
    for place, (_, row) in enumerate(rest.iterrows()):
        rows.append(
            [
                Cell("No failure mode" if place == 0 else ""),
                *_shares_cells(study, row),
                number(study.measure.number(row["value"]), row["value"]),
                Cell(""),
                Cell(""),
            ]
        )
    return Table("Failure modes, the worst first", columns, rows)


def _shares_cells(study: Study, row: pd.Series) -> list[Cell]:
    held, size = 100 * float(row["share_of_errors"]), 100 * float(row["share_of_utterances"])
    return [
        model_cell(study, row["model"]),
        number(decimal(held, 0), held),
        number(decimal(size, 0), size),
    ]


def share_chart(study: Study, modes: Sequence[Mode]) -> Drawing:
    """Draw the share of the errors that each mode holds beside its share of the utterances.

    Args:
        study: the study
        modes: modes of the study

    Returns:
        the chart, with one bar per mode and model, and a line for the share of the utterances; its
        note explains it
    """
    shown = list(modes[:MAX_CHART_MODES])
    parts = [mode.rows.assign(label=f"{mode.name}  {mode.title}") for mode in shown]
    rest = study.modes[study.modes["mode"] == REST]
    parts.append(rest.assign(label="no failure mode"))
    table = pd.concat(parts, ignore_index=True)
    models = [model.name for model in study.models]
    rows = pd.DataFrame(
        {
            "text": table["label"],
            "label": [wrapped(visible(text), lines=2) for text in table["label"]],
            "model": table["model"],
            "errors": 100 * table["share_of_errors"].astype(float),
            "utterances": 100 * table["share_of_utterances"].astype(float),
        }
    )
    labels = list(dict.fromkeys(rows["label"]))
    bar, gap = 11, 8
    step = max(bar * len(models), LINE * max(label.count("\n") + 1 for label in labels)) + gap
    thick = (step - gap) / len(models)
    rows["top"] = [
        step * labels.index(label) + gap / 2 + thick * models.index(model)
        for label, model in zip(rows["label"], rows["model"], strict=True)
    ]
    rows["middle"], rows["bottom"] = rows["top"] + thick / 2, rows["top"] + thick - 1
    height = step * len(labels)
    vertical = alt.Scale(domain=[0, height], reverse=True, nice=False)
    colours = [style(position)[0] for position in range(len(models))]
    what = "errors" if study.classification else "absolute error"
    tips = [
        alt.Tooltip("text:N", title="mode"),
        alt.Tooltip("model:N"),
        alt.Tooltip("errors:Q", title=f"% of the {what}", format=".1f"),
        alt.Tooltip("utterances:Q", title="% of the utterances", format=".1f"),
    ]
    highest = float(np.nanmax([*rows["errors"], *rows["utterances"], 1.0]))
    x = alt.X(
        "zero:Q",
        title=f"Share of the {what} (bars) and of the utterances (lines), %",
        scale=alt.Scale(domain=[0, highest], nice=True),
        axis=alt.Axis(tickCount=8),
    )
    base = alt.Chart(rows.assign(zero=0.0))
    y = alt.Y("top:Q", scale=vertical, axis=None)
    layers = [
        base.mark_rect(opacity=0.85).encode(
            x=x,
            x2="errors:Q",
            y=y,
            y2="bottom:Q",
            color=alt.Color("model:N", scale=alt.Scale(domain=models, range=colours), legend=None),
            tooltip=tips,
        ),
        base.mark_rule(color="var(--ink)", strokeWidth=2.5).encode(
            x=alt.X("utterances:Q"), y=y, y2="bottom:Q", tooltip=tips
        ),
    ]
    names = pd.DataFrame({"label": labels})
    names["y"] = [step * (place + 0.5) for place in range(len(labels))]
    layers += label_layers(names, alt.Y("y:Q", scale=vertical, axis=None))
    chart = alt.layer(*layers).properties(width=WIDTH, height=height)
    name = f"Share of the {what} of each failure mode"
    drawing = draw(chart, name, left=label_width(labels))
    note = (
        f"A bar that passes its line holds more than its share of the {what}."
        " Modes may share utterances, so the bars of a model need not add up to 100 %."
    )
    if len(shown) < len(modes):
        note += f" The chart shows the first {len(shown)} of {len(modes)} modes."
    return replace(drawing, note=note)
