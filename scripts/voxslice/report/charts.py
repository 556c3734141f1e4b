"""Charts as SVG without JavaScript, drawn when the report is made.

Colours are variables of the page's style sheet, so that light, dark and print have their own; every
series has a shape beside its colour. The geometry is fixed and not measured from text, so that it
does not depend on the fonts of the machine.
"""

import textwrap
from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd
import vl_convert

from voxslice.report.answer import rule_text
from voxslice.report.content import pair_rows
from voxslice.report.numbers import Measure
from voxslice.report.study import Model, Study, by_severity

SHAPES = ["circle", "square", "triangle-up", "diamond", "triangle-down", "cross"]
COLOURS = [f"var(--model-{position})" for position in range(len(SHAPES))]
WIDTH = 560
"""Of the drawing without its labels, in pixels."""
LETTERS, LETTER = 36, 7.4
"""Letters in a line of a label, and room for each in pixels, enough for wide fonts."""
LINE = 15
"""Height of a line of a label."""


def _svg(
    chart: alt.LayerChart | alt.FacetChart | alt.Chart,
    left: int,
    bottom: int,
    title: str,
    right: int = 24,
) -> str:
    """Draw a chart with fixed margins."""
    spec = chart.configure(
        background="transparent",
        font="Arial, Liberation Sans, Helvetica, sans-serif",
        padding={"left": left, "right": right, "top": 8, "bottom": bottom},
        autosize=alt.AutoSizeParams(type="none"),
        view=alt.ViewConfig(stroke=None),
        axis=alt.AxisConfig(
            labelColor="var(--ink)",
            titleColor="var(--ink)",
            gridColor="var(--line)",
            domainColor="var(--line)",
            tickColor="var(--line)",
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            titlePadding=8,
            labelFlush=False,
            tickCount=8,
        ),
    ).to_dict()
    svg = vl_convert.vegalite_to_svg(spec)
    # one name for the whole drawing, in place of the library's many for its parts
    return svg.replace("<svg ", f'<svg role="img" aria-label="{_attribute(title)}" ', 1)


def _attribute(text: str) -> str:
    for letter, escaped in (("&", "&amp;"), ('"', "&quot;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(letter, escaped)
    return text


def _label(text: str) -> str:
    return "\n".join(textwrap.wrap(text, LETTERS, max_lines=3, placeholder=" ...")) or text


def _intervals(
    rows: pd.DataFrame,
    title: str,
    *,
    zero: bool,
    name: str,
    colours: Sequence[str],
    shapes: Sequence[str],
) -> str:
    """Dots with intervals, one row each.

    Args:
        rows: `label`, `series` (decides colour and shape), `value`, `low`, `high`, `speakers`;
            the interval of one speaker, or a missing one, is not drawn
        title: of the axis
        zero: whether a line marks zero
        name: of the drawing, for readers who do not see it
        colours: of the series
        shapes: of the series

    Returns:
        SVG
    """
    rows = rows[["label", "series", "value", "low", "high", "speakers"]].copy()
    alone = rows["speakers"].astype(float) == 1
    rows.loc[alone, ["low", "high"]] = np.nan
    # what has no interval is drawn as one without length, so that its dot is
    rows["low"], rows["high"] = (rows[name].fillna(rows["value"]) for name in ("low", "high"))
    rows = rows.assign(label=[_label(text) for text in rows["label"]])
    rows["label"] = _unique(list(rows["label"]))
    series = list(dict.fromkeys(rows["series"]))
    lines = max(label.count("\n") + 1 for label in rows["label"])
    step = max(26, 8 + LINE * lines)
    y = alt.Y("label:N", scale=alt.Scale(domain=list(rows["label"])), axis=None)
    x = alt.X("low:Q", title=title, scale=alt.Scale(zero=False, nice=True))
    colour = alt.Color(
        "series:N", scale=alt.Scale(domain=series, range=list(colours)[: len(series)]), legend=None
    )
    shape = alt.Shape(
        "series:N", scale=alt.Scale(domain=series, range=list(shapes)[: len(series)]), legend=None
    )
    base = alt.Chart(rows)
    layers = [
        base.mark_rule(strokeWidth=2.5, opacity=0.6).encode(x=x, x2="high:Q", y=y, color=colour),
        base.mark_point(filled=True, opacity=1, size=95).encode(
            x="value:Q", y=y, color=colour, shape=shape
        ),
    ]
    # labels are drawn and not left to the axis, which puts the first of several lines in the middle
    height = rows["label"].str.count("\n") + 1
    for count in sorted(set(height)):
        labels = alt.Chart(rows[height == count]).mark_text(
            align="right",
            baseline="middle",
            lineBreak="\n",
            lineHeight=LINE,
            fontSize=12,
            dy=-LINE * (count - 1) / 2,
            color="var(--ink)",
        )
        layers.append(labels.encode(x=alt.value(-10), y=y, text="label:N"))
    if zero:
        line = alt.Chart(pd.DataFrame({"x": [0.0]}))
        layers.insert(0, line.mark_rule(color="var(--soft)", strokeDash=[4, 3]).encode(x="x:Q"))
    chart = alt.layer(*layers).properties(width=WIDTH, height=step * len(rows))
    letters = max(len(line) for label in rows["label"] for line in label.split("\n"))
    return _svg(chart, 16 + round(LETTER * letters), 46, name)


def _unique(labels: list[str]) -> list[str]:
    """Tell equal labels apart by spaces that do not show: each needs its own row."""
    seen: dict[str, int] = {}
    made = []
    for label in labels:
        seen[label] = seen.get(label, -1) + 1
        made.append(label + "\N{ZERO WIDTH SPACE}" * seen[label])
    return made


def metric_chart(study: Study, name: str) -> str:
    """One metric of all models with intervals."""
    measure = study.measures[name]
    rows = study.metrics[study.metrics["metric"] == name].set_index("model")
    rows = rows.loc[[model.name for model in study.models]].reset_index()
    rows = _scaled(rows, measure, ["value", "low", "high"]).assign(
        label=rows["model"], series=rows["model"]
    )
    title = _titled(measure.title[0].upper() + measure.title[1:], measure.unit)
    return _intervals(
        rows, title, zero=False, name=f"{title} of the models", colours=COLOURS, shapes=SHAPES
    )


def drop_chart(study: Study, model: Model) -> str:
    """Drops of the slices of a model."""
    rows = by_severity(model.slices)
    rows = _scaled(rows, study.measure, ["drop", "low", "high"]).assign(
        label=[rule_text(row) for _, row in rows.iterrows()],
        series=rows["confirmed"].map({True: "confirmed", False: "suggested"}),
    )
    rows = rows.assign(value=rows["drop"])
    colour = COLOURS[study.models.index(model) % len(COLOURS)]
    both = len(set(rows["series"])) > 1
    return _intervals(
        rows,
        f"Worse than elsewhere by ({study.measure.step or 'units'})",
        zero=True,
        name=f"Drop of the slices of {model.name}",
        colours=[colour, "var(--soft)"] if both else [colour],
        shapes=["circle", "diamond"] if rows["series"].iloc[0] == "confirmed" else ["diamond"],
    )


def difference_chart(study: Study, a: Model, b: Model) -> str:
    """Differences of a pair of models, overall and on the slices."""
    rows = pair_rows(study, a, b)
    better_b = (rows["difference"] > 0) == study.measure.rises
    rows = _scaled(rows, study.measure, ["difference", "low", "high"]).assign(
        label=[rule_text(row) for _, row in rows.iterrows()],
        series=[b.name if better else a.name for better in better_b],
    )
    rows.loc[rows["difference"] == 0, "series"] = "equal"
    rows = rows.assign(value=rows["difference"])
    positions = {a.name: study.models.index(a), b.name: study.models.index(b)}
    order = list(dict.fromkeys(rows["series"]))
    return _intervals(
        rows,
        f"{b.name} minus {a.name} ({study.measure.step or 'units'})",
        zero=True,
        name=f"Difference of {b.name} and {a.name} on each slice",
        colours=[COLOURS[positions[n] % 6] if n in positions else "var(--soft)" for n in order],
        shapes=[SHAPES[positions[n] % 6] if n in positions else "stroke" for n in order],
    )


def _scaled(rows: pd.DataFrame, measure: Measure, columns: list[str]) -> pd.DataFrame:
    return rows.assign(**{name: rows[name].astype(float) * measure.factor for name in columns})


def _titled(text: str, unit: str) -> str:
    return f"{text} ({unit})" if unit else text


def scatter_chart(study: Study, model: Model) -> str:
    """Predicted against true values of a regression, with the line where they are equal."""
    table = model.scores[["label", "prediction"]].astype(float)
    # one scale for all models, so that the drawings can be held beside each other
    all_values = pd.concat([other.scores[["label", "prediction"]] for other in study.models])
    low, high = float(all_values.min().min()), float(all_values.max().max())
    unit = study.task_settings.get("unit", "")
    domain = alt.Scale(domain=[low, high], nice=True, zero=False)
    position = study.models.index(model) % len(SHAPES)
    dots = (
        alt.Chart(table)
        .mark_point(
            shape=SHAPES[position], color=COLOURS[position], filled=True, size=28, opacity=0.45
        )
        .encode(
            x=alt.X("label:Q", title=_titled(f"True {study.target}", unit), scale=domain),
            y=alt.Y("prediction:Q", title=_titled(f"Predicted {study.target}", unit), scale=domain),
        )
    )
    ends = pd.DataFrame({"label": [low, high], "prediction": [low, high]})
    line = (
        alt.Chart(ends)
        .mark_line(color="var(--soft)", strokeDash=[4, 3])
        .encode(x="label:Q", y="prediction:Q")
    )
    chart = alt.layer(line, dots).properties(width=280, height=280)
    return _svg(chart, 56, 46, f"Predicted against true {study.target} of {model.name}")


def histogram(values: pd.Series, title: str) -> str:
    """Counts of a number in bins."""
    table = pd.DataFrame({"value": values.dropna().astype(float)})
    chart = (
        alt.Chart(table)
        .mark_bar(color="var(--soft)")
        .encode(
            x=alt.X("value:Q", bin=alt.Bin(maxbins=24), title=title),
            y=alt.Y("count()", title="Utterances"),
        )
        .properties(width=WIDTH - 60, height=140)
    )
    return _svg(chart, 56, 46, f"Histogram: {title}")
