"""Draw charts as SVG, which needs no JavaScript, and as Vega-Lite, which has tooltips.

Colours are CSS variables, so light, dark and printed pages have different colours. Each series
has a shape as well. Sizes are fixed and not measured from text, so they do not depend on the fonts
of the machine.
"""

import hashlib
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
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
"""Width of a chart without its labels, in pixels."""
LETTERS, LETTER = 36, 7.4
"""Letters in a line of a label, and width of a letter in pixels, enough for wide fonts."""
LINE = 15
"""Height of a line of a label in pixels."""
DOT_LINE = 20
"""Height of a line of a chart of dots in pixels."""
MAX_POINTS = 2000
"""Largest number of points in a scatter plot; of more points, a random sample is shown."""


@dataclass(frozen=True)
class Drawing:
    """A chart.

    Args:
        name: text alternative for screen readers
        svg: the chart for pages without JavaScript
        spec: the chart as a Vega-Lite specification, with tooltips
        note: text below the chart; empty if there is none
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
    """Draw a chart with fixed margins.

    Args:
        chart: the chart
        name: text alternative for screen readers
        left: left margin in pixels
        bottom: bottom margin in pixels
        right: right margin in pixels
        top: top margin in pixels

    Returns:
        the chart as SVG and as a specification
    """
    spec = chart.configure(
        background="transparent",
        font="Arial, Liberation Sans, Helvetica, sans-serif",
        padding={"left": left, "right": right, "top": top, "bottom": bottom},
        autosize=alt.AutoSizeParams(type="none"),
        view=alt.ViewConfig(stroke=None),
        # the whole drawing has one name, so that its parts need none
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
    # one text alternative for the whole drawing instead of one for each part
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{_attribute(name)}" ', 1)
    del spec["$schema"]
    # the library has escaped the text in the SVG
    return Drawing(name, Markup(svg), spec)  # noqa: S704


def _own_names(svg: str, name: str) -> str:
    """Rename clipping paths, so that their names do not depend on earlier drawings."""
    own = hashlib.sha256(name.encode()).hexdigest()[:8]
    pattern = r'(url\(#|\bid=")(clip\d+)\b'
    clips = dict.fromkeys(match[1] for match in re.findall(pattern, svg))
    numbers = {clip: number for number, clip in enumerate(clips)}
    return re.sub(pattern, lambda match: f"{match[1]}drawn-{own}-{numbers[match[2]]}", svg)


def _attribute(text: str) -> str:
    """Escape a text for an attribute in double quotes."""
    for letter, escaped in (("&", "&amp;"), ('"', "&quot;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(letter, escaped)
    return text


def style(position: int) -> tuple[str, str]:
    """Return the colour and the shape of the model at a position in the study."""
    return COLOURS[position % len(COLOURS)], SHAPES[position % len(SHAPES)]


def sample_rows(table: pd.DataFrame, seed: int, max_rows: int = MAX_POINTS) -> pd.DataFrame:
    """Draw a random sample of the rows of a table if it has too many.

    Args:
        table: the table
        seed: seed of the sample
        max_rows: largest number of rows

    Returns:
        the rows in their order
    """
    return table.iloc[sampled(len(table), max_rows, seed)]


def scaled(rows: pd.DataFrame, measure: Measure, columns: Sequence[str]) -> pd.DataFrame:
    """Convert some columns of a table to the unit in which the metric is shown."""
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
    """Draw values with their intervals, one line per row.

    Args:
        rows: `label`, `series` (decides colour and shape), `value`, `low`, `high`, `speakers`. No
            interval is drawn if it is missing or if there is at most one known speaker
        title: title of the axis
        name: text alternative for screen readers
        styles: colour and shape of each series
        digits: number of digits after the decimal point in tooltips
        zero: whether a line marks zero
        series: title of the series in the tooltip; empty to leave it out

    Returns:
        the chart
    """
    rows = rows[["label", "series", "value", "low", "high", "speakers"]].copy()
    one_speaker = rows["speakers"].astype(float) <= 1
    rows.loc[one_speaker, ["low", "high"]] = np.nan
    # a missing interval becomes one without length, since the point would not be drawn otherwise
    rows["low"], rows["high"] = (rows[name].fillna(rows["value"]) for name in ("low", "high"))
    rows = rows.drop(columns="speakers").assign(
        text=rows["label"], label=_unique([wrapped(visible(text)) for text in rows["label"]])
    )
    lines = max(label.count("\n") + 1 for label in rows["label"])
    step = max(26, 8 + LINE * lines)
    y = alt.Y("label:N", scale=alt.Scale(domain=list(rows["label"])), axis=None)
    # the number of ticks is fixed, so that it does not depend on the width of their text
    axis = alt.Axis(tickCount=8)
    x = alt.X("low:Q", title=title, scale=alt.Scale(zero=False, nice=True), axis=axis)
    used = [key for key in styles if key in set(rows["series"])]
    colours, shapes = zip(*(styles[key] for key in used), strict=True)
    colour = alt.Color("series:N", scale=alt.Scale(domain=used, range=list(colours)), legend=None)
    shape = alt.Shape("series:N", scale=alt.Scale(domain=used, range=list(shapes)), legend=None)
    form = f",.{digits}f"
    tips = [
        alt.Tooltip("text:N", title="name"),
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
    layers += label_layers(rows[["label"]], y)
    if zero:
        line = alt.Chart(pd.DataFrame({"x": [0.0]}))
        layers.insert(0, line.mark_rule(color=SOFT, strokeDash=[4, 3]).encode(x="x:Q"))
    chart = alt.layer(*layers).properties(width=WIDTH, height=step * len(rows))
    return draw(chart, name, left=label_width(rows["label"]))


def label_layers(rows: pd.DataFrame, y: alt.Y) -> list[alt.Chart]:
    """Draw the labels of rows as text, because an axis does not centre labels of several lines.

    Args:
        rows: `label`, whose lines are separated by line feeds, and the field that `y` reads
        y: vertical position of the middle of a label

    Returns:
        layers of a chart, one per number of lines
    """
    lines = rows["label"].str.count("\n") + 1
    return [
        alt.Chart(rows[lines == count])
        .mark_text(
            align="right",
            baseline="middle",
            lineBreak="\n",
            lineHeight=LINE,
            fontSize=12,
            dy=-LINE * (count - 1) / 2,
            color="var(--ink)",
        )
        .encode(x=alt.value(-10), y=y, text="label:N")
        for count in sorted(set(lines))
    ]


def label_width(labels: Iterable[str]) -> int:
    """Width in pixels that labels need, see `label_layers`."""
    letters = max(len(line) for label in labels for line in label.split("\n"))
    return 16 + round(LETTER * letters)


def dots(
    rows: pd.DataFrame,
    title: str,
    name: str,
    *,
    styles: dict[str, tuple[str, str]],
    digits: int,
    note: str = "",
) -> Drawing:
    """Draw several values per line, one dot per series, joined by a thin line.

    Args:
        rows: `label`, `series` (decides colour and shape), `value`, `low`, `high` (shown in
            tooltips), in the order of the lines
        title: title of the axis
        name: text alternative for screen readers
        styles: colour and shape of each series
        digits: number of digits after the decimal point in tooltips
        note: text below the chart

    Returns:
        the chart
    """
    rows = rows[["label", "series", "value", "low", "high"]].assign(text=rows["label"])
    texts = list(dict.fromkeys(rows["label"]))
    unique = _unique([_line(visible(text)) for text in texts])
    lines = dict(zip(texts, unique, strict=True))
    rows["label"] = rows["label"].map(lines)
    axis = alt.Axis(tickCount=8)
    x = alt.X("value:Q", title=title, scale=alt.Scale(zero=False, nice=True), axis=axis)
    y = alt.Y(
        "label:N",
        sort=list(lines.values()),
        axis=alt.Axis(
            title=None, domain=False, ticks=False, grid=True, labelLimit=0, labelPadding=10
        ),
    )
    used = [key for key in styles if key in set(rows["series"])]
    colours, shapes = zip(*(styles[key] for key in used), strict=True)
    form = f",.{digits}f"
    points = alt.Chart(rows).mark_point(filled=True, opacity=1, size=70)
    points = points.encode(
        x=x,
        y=y,
        color=alt.Color("series:N", scale=alt.Scale(domain=used, range=list(colours)), legend=None),
        shape=alt.Shape("series:N", scale=alt.Scale(domain=used, range=list(shapes)), legend=None),
        tooltip=[
            alt.Tooltip("text:N", title="name"),
            alt.Tooltip("series:N", title="model"),
            alt.Tooltip("value:Q", title="value", format=form),
            alt.Tooltip("low:Q", title="from", format=form),
            alt.Tooltip("high:Q", title="to", format=form),
        ],
    )
    ends = rows.groupby("label", sort=False)["value"].agg(["min", "max"]).reset_index()
    joined = alt.Chart(ends).mark_rule(color=SOFT, opacity=0.6)
    joined = joined.encode(x=alt.X("min:Q", title=title), x2="max:Q", y=y)
    chart = alt.layer(joined, points).properties(width=WIDTH, height=DOT_LINE * len(lines))
    letters = max(len(line) for line in lines.values())
    drawing = draw(chart, name, left=24 + round(LETTER * letters))
    return replace(drawing, note=note)


def _line(text: str) -> str:
    """Shorten a label to one line."""
    return text if len(text) <= LETTERS else f"{text[: LETTERS - 4]} ..."


def wrapped(text: str, lines: int = 3) -> str:
    """Break a label into lines.

    Args:
        text: the label
        lines: largest number of lines; what does not fit is left out

    Returns:
        the lines, joined by line breaks
    """
    return "\n".join(textwrap.wrap(text, LETTERS, max_lines=lines, placeholder=" ...")) or text


def _unique(labels: list[str]) -> list[str]:
    """Add invisible spaces to equal labels, since each label needs its own line."""
    repeats: dict[str, int] = {}
    unique = []
    for label in labels:
        repeats[label] = repeats.get(label, -1) + 1
        unique.append(label + "\N{ZERO WIDTH SPACE}" * repeats[label])
    return unique


def histogram(
    bins: pd.DataFrame, title: str, *, counts: str = "Utterances", line: float | None = None
) -> Drawing:
    """Draw a histogram.

    Args:
        bins: `low`, `high` and `count` of each bin
        title: title of the horizontal axis
        counts: title of the vertical axis
        line: value that a dashed line marks; None for no line

    Returns:
        the chart
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
