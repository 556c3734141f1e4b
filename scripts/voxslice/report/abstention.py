"""The part on abstention: what happens if a model does not answer where it is unsure."""

from collections.abc import Sequence
from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from voxslice.decisions.abstention import ALL, CONFIDENCE
from voxslice.files import as_booleans
from voxslice.report.drawing import Drawing, draw, style
from voxslice.report.numbers import NONE, Measure, share
from voxslice.report.study import Study
from voxslice.report.tables import Cell, Column, Table, model_cell, number

SHOWN = (1.0, 0.9, 0.8, 0.5)
"""Coverages of the columns of the table."""
TOLD = 0.8
"""Coverage that the sentences tell."""
SIDE = 236
"""Width and height of a chart in pixels."""
ERROR = Measure("error rate", "error rate", 100, 1, "%", False)


def has_abstention(study: Study) -> bool:
    """Whether the study has a model whose confidence is known."""
    return len(study.abstention) > 0


def sentences(study: Study) -> list[str]:
    """Say what abstention on a fifth of the utterances does, overall and in failure modes.

    Args:
        study: results of the workflow

    Returns:
        for each model a sentence on all utterances, and one per failure mode that gets worse; and
        the thresholds for the wanted risk
    """
    found = []
    for model in dict.fromkeys(study.abstention["model"]):
        rows = _told(study, model)
        whole = rows[rows["mode"] == ALL].iloc[0]
        before = whole["risk"] - whole["change"]
        if not before > 0:
            continue
        found.append(
            f"If {model} does not answer the {share(1 - whole['coverage'])} of the utterances in"
            f" which it is least sure, its error rate is {ERROR.text(whole['risk'])} instead of"
            f" {ERROR.text(before)}."
        )
        for row in rows[rows["mode"] != ALL].to_dict("records"):
            if row["change"] > 0 and row["answered"]:
                found.append(_worse(model, row))
        found += _in_worst_condition(study, model)
    return found + _thresholds(study)


def _told(study: Study, model: str) -> pd.DataFrame:
    """The rows of a model at the coverage that the sentences tell."""
    rows = study.abstention[
        (study.abstention["model"] == model) & (study.abstention["by"] == CONFIDENCE)
    ]
    near = (rows["coverage"] - TOLD).abs()
    return rows[near == near.groupby(rows["mode"]).transform("min")].drop_duplicates("mode")


def _in_worst_condition(study: Study, model: str) -> list[str]:
    """Say what the same threshold does in the condition in which most of the answers are wrong."""
    rows = study.abstention_in_conditions
    rows = rows[(rows["model"] == model) & rows["risk"].notna()]
    rows = rows[rows["coverage_clean"] < 1]
    if not len(rows):
        return []
    near = (rows["coverage_clean"].astype(float) - TOLD).abs()
    row = rows[near == near.min()].sort_values("risk", ascending=False).iloc[0]
    if row["coverage"] == 1:
        return [
            f"In the condition {row['condition']}, the model reaches the same threshold on all"
            f" utterances. It answers all of them, with an error rate of {ERROR.text(row['risk'])}."
        ]
    return [
        f"In the condition {row['condition']}, the same threshold answers {share(row['coverage'])}"
        f" with an error rate of {ERROR.text(row['risk'])}; without abstention, it is"
        f" {ERROR.text(row['risk'] - row['change'])} there."
    ]


def _worse(model: str, row: dict[Any, Any]) -> str:
    """Say that a failure mode gets worse, and whether the data show it for other speakers."""
    before, after = ERROR.text(row["risk"] - row["change"]), ERROR.text(row["risk"])
    answered = f"{after} of the {int(row['answered'])} answered utterances"
    if row["change_low"] > 0:
        return (
            f"In the failure mode {row['name']}, abstention makes {model} worse: the error rate"
            f" rises from {before} to {answered}, since the model is surer where it is wrong."
        )
    return (
        f"In the failure mode {row['name']}, abstention does not help {model}: the error rate is"
        f" {before} without abstention and {answered} with it. With these speakers, the rise may be"
        " chance."
    )


def _thresholds(study: Study) -> list[str]:
    """Say what the thresholds for the wanted risk do on speakers that did not choose them."""
    found = []
    for model, rows in study.thresholds.groupby("model", sort=False):
        wanted = ERROR.text(rows["wanted"].iloc[0])
        chosen = rows[rows["threshold"].notna()]
        if not len(chosen):
            found.append(
                f"No threshold is shown to keep the error rate of {model} at or below {wanted}:"
                " half of the speakers are too few, or the model is wrong too often."
            )
            continue
        parts = [
            f"{share(row['coverage_elsewhere'])} answered with an error rate of"
            f" {ERROR.text(row['risk_elsewhere'])}"
            for row in chosen.to_dict("records")
        ]
        kept = as_booleans(chosen["kept"])
        promise = "kept" if kept.all() else "not kept" if not kept.any() else "kept once of twice"
        found.append(
            f"A threshold for an error rate of {model} of at most {wanted}, chosen on half of the"
            f" speakers, does this on the others: {' and '.join(parts)}. The limit is {promise}."
        )
    return found


def abstention_table(study: Study) -> Table:
    """Make the table of the error rates at several coverages.

    Args:
        study: results of the workflow

    Returns:
        one row per model and failure mode, and per rule of a failure mode that a machine can see
    """
    columns = [
        Column("Model", number=False),
        Column("Utterances", number=False),
        *(Column(f"{100 * value:g} % answered", ERROR.unit) for value in SHOWN),
        Column("Area", ERROR.unit, meaning="mean error rate over all coverages within the group"),
    ]
    rows = []
    table = study.abstention
    for (model, mode), part in table[table["by"] == CONFIDENCE].groupby(
        ["model", "mode"], sort=False
    ):
        first = part.iloc[0]
        cells = [model_cell(study, str(model)), Cell(str(first["name"]))]
        cells += [_risk(_nearest(part, value), whole=mode == ALL) for value in SHOWN]
        cells.append(
            number(
                ERROR.number(first["area"]),
                first["area"],
                note=ERROR.interval(first["area_low"], first["area_high"]),
            )
        )
        rows.append(cells)
    for row in table[table["by"] != CONFIDENCE].to_dict("records"):
        name = f"all except {row['rule']}: {share(row['coverage'])}"
        cells = [model_cell(study, row["model"]), Cell(name), *[Cell(NONE)] * (len(SHOWN) + 1)]
        cells[2 + int(np.argmin([abs(value - row["coverage"]) for value in SHOWN]))] = _risk(
            row, whole=True
        )
        rows.append(cells)
    return Table("Error rate of the answered utterances", columns, rows)


def risk_charts(study: Study) -> list[tuple[str, Drawing]]:
    """Draw the error rate against the share of answered utterances (risk-coverage curves).

    Args:
        study: results of the workflow

    Returns:
        the name and the chart of all utterances and of each failure mode, with one line per model.
        The share is that of all utterances, since a threshold holds for all. A failure mode has no
        point where none of its utterances is answered
    """
    table = study.abstention
    table = table[(table["by"] == CONFIDENCE) & (table["answered"] > 0)]
    charts = []
    for _, part in table.groupby("mode", sort=False):
        name = str(part["name"].iloc[0])
        charts.append((name, _risk_chart(study, part, f"Error rate by coverage: {name}")))
    return charts


def _risk_chart(study: Study, part: pd.DataFrame, name: str) -> Drawing:
    """Draw the curves of one group, one per model."""
    names = ["coverage", "risk", "low", "high"]
    rows = part[["model", "answered", *names]].assign(
        **{column: 100 * part[column].astype(float) for column in names}
    )
    styles = {model.name: style(position) for position, model in enumerate(study.models)}
    used = [model for model in styles if model in set(rows["model"])]
    colours, shapes = zip(*(styles[model] for model in used), strict=True)
    x = alt.X(
        "coverage:Q",
        title="Answered utterances (%)",
        scale=alt.Scale(zero=False),
        axis=alt.Axis(tickCount=6),
    )
    y = alt.Y("risk:Q", title="Error rate (%)", axis=alt.Axis(tickCount=6))
    colour = alt.Color("model:N", scale=alt.Scale(domain=used, range=list(colours)), legend=None)
    shape = alt.Shape("model:N", scale=alt.Scale(domain=used, range=list(shapes)), legend=None)
    tips = [
        alt.Tooltip("model:N"),
        alt.Tooltip("coverage:Q", title="answered (%)", format=".0f"),
        alt.Tooltip("risk:Q", title="error rate (%)", format=".1f"),
        alt.Tooltip("low:Q", title="from", format=".1f"),
        alt.Tooltip("high:Q", title="to", format=".1f"),
        alt.Tooltip("answered:Q", title="utterances", format=","),
    ]
    base = alt.Chart(rows)
    chart = alt.layer(
        base.mark_line(opacity=0.6).encode(x=x, y=y, color=colour),
        base.mark_point(filled=True, opacity=1, size=70).encode(
            x=x, y=y, color=colour, shape=shape, tooltip=tips
        ),
    ).properties(width=SIDE, height=SIDE)
    return draw(chart, name)


def _nearest(rows: pd.DataFrame, coverage: float) -> dict[Any, Any]:
    """The row with the coverage that is nearest to a number."""
    return rows.loc[(rows["coverage"] - coverage).abs().idxmin()].to_dict()


def _risk(row: dict[Any, Any], *, whole: bool) -> Cell:
    """The cell of an error rate with its interval, and how many utterances of a mode it is of."""
    if not row["answered"]:
        return Cell(NONE, note="none answered")
    notes: Sequence[str] = [ERROR.interval(row["low"], row["high"])]
    if not whole:
        notes = [*notes, f"of {int(row['answered'])}"]
    return number(
        ERROR.number(row["risk"]),
        row["risk"],
        note=" ".join(note for note in notes if note),
        mark="verdict-worse" if row["change"] > 0 and not whole else "",
    )
