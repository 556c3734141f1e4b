"""Charts twice: as SVG that needs no JavaScript, and as a specification that a browser enlivens.

Colours are variables of the page's style sheet, so that light, dark and print have their own; every
series has a shape beside its colour. The geometry is fixed and not measured from text, so that it
does not depend on the fonts of the machine.
"""

import hashlib
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import vl_convert
from markupsafe import Markup

from voxslice.report.numbers import Measure
from voxslice.sampling import sampled
from voxslice.shown_text import shown, shown_texts, visible

SHAPES = ["circle", "square", "triangle-up", "diamond", "triangle-down", "cross"]
COLOURS = [f"var(--model-{position})" for position in range(len(SHAPES))]
SOFT = "var(--soft)"
WIDTH = 560
"""Of the drawing without its labels, in pixels."""
LETTERS, LETTER = 36, 7.4
"""Letters in a line of a label, and room for each in pixels, enough for wide fonts."""
LINE = 15
"""Height of a line of a label."""
MAX_POINTS = 2000
"""Points of a scatter; of more, so many are drawn at random."""


@dataclass(frozen=True)
class Drawing:
    """A chart.

    Args:
        name: what it shows, for readers who do not see it
        svg: the chart as it is without JavaScript
        spec: the same for Vega-Lite, with tooltips
        note: a sentence below the chart, as on what it leaves out; empty if there is none
    """

    name: str
    svg: Markup
    spec: dict[str, Any]
    note: str = ""


def draw(
    chart: alt.TopLevelMixin,
    name: str,
    *,
    left: int = 56,
    bottom: int = 46,
    right: int = 24,
    top: int = 8,
) -> Drawing:
    """Draw a chart with fixed margins, in pixels."""
    spec = chart.configure(
        background="transparent",
        font="Arial, Liberation Sans, Helvetica, sans-serif",
        padding={"left": left, "right": right, "top": top, "bottom": bottom},
        autosize=alt.AutoSizeParams(type="none"),
        view=alt.ViewConfig(stroke=None),
        # the drawing has one name: its parts need none
        mark=alt.MarkConfig(aria=False),
        axis=alt.AxisConfig(
            aria=False,
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
        ),
        legend=alt.LegendConfig(
            aria=False,
            labelColor="var(--ink)",
            titleColor="var(--ink)",
            labelFontSize=12,
            titleFontSize=12,
            titleFontWeight="normal",
            labelLimit=210,
            symbolSize=90,
        ),
    ).to_dict()
    spec, name = shown_texts(spec, keep="\n"), shown(name)
    svg = _own_names(vl_convert.vegalite_to_svg(spec), name)
    # one name for the whole drawing, in place of the library's many for its parts
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{_attribute(name)}" ', 1)
    del spec["$schema"]
    # an SVG of our own making: the library has escaped the text in it
    return Drawing(name, Markup(svg), spec)  # noqa: S704


def _own_names(svg: str, name: str) -> str:
    """Name clipping paths after the drawing: the library counts them over all that it has drawn."""
    own = hashlib.sha256(name.encode()).hexdigest()[:8]
    places = r'(url\(#|\bid=")(clip\d+)\b'
    found = dict.fromkeys(match[1] for match in re.findall(places, svg))
    numbers = {clip: number for number, clip in enumerate(found)}
    return re.sub(places, lambda match: f"{match[1]}drawn-{own}-{numbers[match[2]]}", svg)


def _attribute(text: str) -> str:
    for letter, escaped in (("&", "&amp;"), ('"', "&quot;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(letter, escaped)
    return text


def style(position: int) -> tuple[str, str]:
    """Colour and shape of a model."""
    return COLOURS[position % len(COLOURS)], SHAPES[position % len(SHAPES)]


def thinned(table: pd.DataFrame, seed: int, most: int = MAX_POINTS) -> pd.DataFrame:
    """The table, or so many of its rows drawn at random, in their order."""
    return table.iloc[sampled(len(table), most, seed)]


def scaled(rows: pd.DataFrame, measure: Measure, columns: Sequence[str]) -> pd.DataFrame:
    """The rows with some columns in the units that are shown."""
    return rows.assign(**{name: rows[name].astype(float) * measure.factor for name in columns})


def intervals(
    rows: pd.DataFrame,
    title: str,
    name: str,
    *,
    styles: dict[str, tuple[str, str]],
    digits: int,
    zero: bool = False,
    series: str = "",
) -> Drawing:
    """Dots with intervals, one row each.

    Args:
        rows: `label`, `series` (decides colour and shape), `value`, `low`, `high`, `speakers`;
            the interval of one speaker (or none that is named), or a missing one, is not drawn
        title: of the axis
        name: of the drawing
        styles: colour and shape of each series
        digits: after the decimal point, in tooltips
        zero: whether a line marks zero
        series: what a series is, for the tooltip; empty where it needs no word
    """
    rows = rows[["label", "series", "value", "low", "high", "speakers"]].copy()
    alone = rows["speakers"].astype(float) <= 1
    rows.loc[alone, ["low", "high"]] = np.nan
    # what has no interval is drawn as one without length, so that its dot is
    rows["low"], rows["high"] = (rows[name].fillna(rows["value"]) for name in ("low", "high"))
    rows = rows.drop(columns="speakers").assign(
        text=rows["label"], label=_unique([_label(visible(text)) for text in rows["label"]])
    )
    lines = max(label.count("\n") + 1 for label in rows["label"])
    step = max(26, 8 + LINE * lines)
    y = alt.Y("label:N", scale=alt.Scale(domain=list(rows["label"])), axis=None)
    # numbers are asked for by their count: it is not to depend on the width of their text
    axis = alt.Axis(tickCount=8)
    x = alt.X("low:Q", title=title, scale=alt.Scale(zero=False, nice=True), axis=axis)
    used = [one for one in styles if one in set(rows["series"])]
    colours, shapes = zip(*(styles[one] for one in used), strict=True)
    colour = alt.Color("series:N", scale=alt.Scale(domain=used, range=list(colours)), legend=None)
    shape = alt.Shape("series:N", scale=alt.Scale(domain=used, range=list(shapes)), legend=None)
    form = f",.{digits}f"
    tips = [
        alt.Tooltip("text:N", title="of"),
        *([alt.Tooltip("series:N", title=series)] if series else []),
        alt.Tooltip("value:Q", title="value", format=form),
        alt.Tooltip("low:Q", title="from", format=form),
        alt.Tooltip("high:Q", title="to", format=form),
    ]
    base = alt.Chart(rows)
    layers = [
        base.mark_rule(strokeWidth=2.5, opacity=0.6).encode(
            x=x, x2="high:Q", y=y, color=colour, tooltip=tips
        ),
        base.mark_point(filled=True, opacity=1, size=95).encode(
            x="value:Q", y=y, color=colour, shape=shape, tooltip=tips
        ),
    ]
    # labels are drawn and not left to the axis, which puts the first of several lines in the middle
    height = rows["label"].str.count("\n") + 1
    for count in sorted(set(height)):
        labels = alt.Chart(rows.loc[height == count, ["label"]]).mark_text(
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
        layers.insert(0, line.mark_rule(color=SOFT, strokeDash=[4, 3]).encode(x="x:Q"))
    chart = alt.layer(*layers).properties(width=WIDTH, height=step * len(rows))
    letters = max(len(line) for label in rows["label"] for line in label.split("\n"))
    return draw(chart, name, left=16 + round(LETTER * letters))


def _label(text: str) -> str:
    return "\n".join(textwrap.wrap(text, LETTERS, max_lines=3, placeholder=" ...")) or text


def _unique(labels: list[str]) -> list[str]:
    """Tell equal labels apart by spaces that do not show: each needs its own row."""
    seen: dict[str, int] = {}
    made = []
    for label in labels:
        seen[label] = seen.get(label, -1) + 1
        made.append(label + "\N{ZERO WIDTH SPACE}" * seen[label])
    return made


def histogram(
    bins: pd.DataFrame, title: str, *, counts: str = "Utterances", line: float | None = None
) -> Drawing:
    """Bars of counts.

    Args:
        bins: `low`, `high` and `count` of each bar
        title: of the axis
        counts: title of the other axis
        line: a value to mark
    """
    domain = [float(bins["low"].min()), float(bins["high"].max())]
    if line is not None:
        domain = [min(domain[0], line), max(domain[1], line)]
    scale = alt.Scale(domain=domain, nice=True, zero=False)
    form = ".4~g"
    bars = (
        alt.Chart(bins[["low", "high", "count"]])
        .mark_bar(color=SOFT, stroke="var(--page)", strokeWidth=1)
        .encode(
            x=alt.X("low:Q", title=title, scale=scale, axis=alt.Axis(tickCount=8)),
            x2="high:Q",
            y=alt.Y("count:Q", title=counts, axis=alt.Axis(tickCount=5)),
            y2=alt.datum(0),
            tooltip=[
                alt.Tooltip("low:Q", title="from", format=form),
                alt.Tooltip("high:Q", title="to", format=form),
                alt.Tooltip("count:Q", title=counts.lower(), format=","),
            ],
        )
    )
    layers = [bars]
    if line is not None:
        mark = alt.Chart(pd.DataFrame({"x": [line]}))
        layers.append(
            mark.mark_rule(color="var(--bad)", strokeWidth=2, strokeDash=[5, 3]).encode(x="x:Q")
        )
    chart = alt.layer(*layers).properties(width=WIDTH - 60, height=140)
    return draw(chart, f"Histogram: {title}")
