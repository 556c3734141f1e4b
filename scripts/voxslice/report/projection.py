"""The map: the embedding of the utterances in two dimensions, coloured by what went wrong."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import altair as alt
import numpy as np
import pandas as pd

from voxslice.bins import assign_bins, quantile_edges
from voxslice.conditions import as_text, category_order
from voxslice.report.clips import Group, prediction_text, true_label
from voxslice.report.drawing import COLOURS, SHAPES, SOFT, Drawing, draw, style, thinned
from voxslice.report.principal_components import principal_components
from voxslice.report.shown_columns import visible_column
from voxslice.report.study import Study, rule_text
from voxslice.utterance_keys import KEY

MAP_POINTS = 3000
"""Utterances on the map; of more, so many are drawn at random."""
SLICES = 8
"""Confirmed slices that the map can be coloured by."""
QUIET = ("none", "outside")
"""Values that stand back."""
GROUPS = 3
"""Numbers are coloured in as many groups."""


@dataclass(frozen=True)
class Map:
    """The map of a study.

    Args:
        model: id of the model whose embedding it is
        points: `file`, `start`, `end`, `x`, `y`, `true`, `said`, and a column for each colouring
        colourings: their columns by title, the first is shown at first
        share: of the embedding's variance that two dimensions hold, from 0 to 1
        total: utterances that could be shown
    """

    model: str
    points: pd.DataFrame
    colourings: dict[str, str]
    share: float
    total: int

    @property
    def table(self) -> pd.DataFrame:
        """The points with the colourings under their titles."""
        return self.points.rename(columns={name: title for title, name in self.colourings.items()})


def make_map(study: Study) -> Map | None:
    """The map, None where no embedding is known of any utterance that every model has scored."""
    if study.embedding is None:
        return None
    known = study.joined[study.keys.isin(pd.MultiIndex.from_frame(study.embedding.keys[KEY]))]
    if len(known) < 2:
        return None
    table = thinned(known, study.seed, MAP_POINTS)
    embedding = study.embedding.read(table).astype(float)
    places, share = principal_components(embedding, seed=study.seed)
    points = table[KEY].copy()
    points["x"], points["y"] = np.round(places, 4).T
    scores = [_aligned(model.scores, points) for model in study.models]
    points["true"] = [true_label(study, value) for value in scores[0]["label"]]
    points["said"] = _said(study, scores)
    colourings = _colourings(study, table, scores)
    for number, values in enumerate(colourings.values()):
        points[f"c{number}"] = values
    titles = {title: f"c{number}" for number, title in enumerate(colourings)}
    return Map(study.embedding.model, points.reset_index(drop=True), titles, share, len(known))


def _aligned(scores: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    index = pd.MultiIndex.from_frame(scores[KEY])
    return scores.iloc[index.get_indexer(pd.MultiIndex.from_frame(points[KEY]))]


def _said(study: Study, scores: Sequence[pd.DataFrame]) -> list[str]:
    """Of each utterance, what every model said."""
    columns = []
    for position, table in enumerate(scores):
        told = []
        for _, row in table.iterrows():
            said = prediction_text(study, position, row)
            told.append(f"{said.model}: {said.prediction}" + (f" ({said.sure})" * bool(said.sure)))
        columns.append(told)
    return ["; ".join(row) for row in zip(*columns, strict=True)]


def _colourings(
    study: Study, table: pd.DataFrame, scores: Sequence[pd.DataFrame]
) -> dict[str, pd.Categorical]:
    """What the points can be coloured by: a value of each point, by title."""
    made: dict[str, pd.Categorical] = {}
    if study.classification:
        wrong = np.stack([each["loss"].to_numpy() > 0 for each in scores], axis=1)
        made["Who is wrong"] = _named(_errors(wrong, [model.name for model in study.models]))
        made[f"True {study.target}"] = _named(as_text(table[study.target]))
        for model, each in zip(study.models, scores, strict=True):
            made[f"Prediction of {model.name}"] = _named(each["prediction"].astype(str))
    else:
        losses = np.concatenate([each["loss"].to_numpy() for each in scores])
        for model, each in zip(study.models, scores, strict=True):
            made[f"Error of {model.name}"] = _thirds(each["loss"].to_numpy(), losses, study.unit)
        label = scores[0]["label"].to_numpy(float)
        made[f"True {study.target}"] = _thirds(label, label, study.unit)
    for name in study.categories:
        if name != study.target:
            made[name] = _named(as_text(table[name]), category_order(table[name]))
    for _, row in study.confirmed.head(SLICES).iterrows():
        mask = study.inside(row)[table.index]
        made[f"Slice: {rule_text(row)}"] = _named(np.where(mask, "inside", QUIET[1]))
    return made


def _errors(wrong: np.ndarray, names: Sequence[str]) -> list[str]:
    """Who is wrong on each utterance, in words."""
    if len(names) == 1:
        return [_only(names[0]) if row[0] else QUIET[0] for row in wrong]
    told = []
    for row in wrong:
        count = int(row.sum())
        if count == 0:
            told.append(QUIET[0])
        elif count == 1:
            told.append(_only(names[int(row.argmax())]))
        else:
            told.append("all" if count == len(names) else "several")
    return told


def _only(name: str) -> str:
    return f"only {name}"


def _thirds(values: np.ndarray, everyone: np.ndarray, unit: str) -> pd.Categorical:
    """Groups of a number that hold about the same number of all values."""
    edges = quantile_edges(everyone, GROUPS)
    edges = edges[:-1] if len(edges) > 1 else edges  # the last group has no upper limit
    names = [f"up to {edges[0]:.3g}"]
    names += [f"{low:.3g} to {high:.3g}" for low, high in pairwise(edges)]
    names += [f"above {edges[-1]:.3g}"]
    names = [f"{name} {unit}".rstrip() for name in names]
    groups = assign_bins(values, edges)
    return pd.Categorical([names[group] for group in groups], list(dict.fromkeys(names)))


def map_chart(study: Study, found: Map, groups: Sequence[Group]) -> Drawing:
    """The map; points that are heard in the page carry the number of their clip.

    Args:
        study: the study
        found: the map
        groups: what is heard
    """
    numbers = {clip.key: clip.number for group in groups for clip in group.clips}
    # before the legend's expression is built, which holds the same values once more
    points = found.points.drop(columns=["start", "end"]).apply(visible_column)
    keys = found.points[KEY].itertuples(index=False, name=None)
    points["clip"] = [numbers.get(tuple(key), -1) for key in keys]
    # what is heard lies on top
    points = points.sort_values("clip", kind="stable")
    fields = list(found.colourings.values())
    by = alt.param(
        name="by",
        value=fields[0],
        bind=alt.binding_select(options=fields, labels=list(found.colourings), name="Colour by "),
    )
    zoom = alt.selection_interval(name="zoom", bind="scales", zoom="wheel![event.shiftKey]")
    values = {
        field: list(points[field].cat.remove_unused_categories().cat.categories) for field in fields
    }
    own = {_only(model.name): style(place) for place, model in enumerate(study.models)}
    names, colours, shapes = _looks(own, values)
    # one scale holds the values of all colourings, the legend those of the one that is shown
    legend = alt.Legend(
        title=None, values=alt.ExprRef(f"({json.dumps(values, ensure_ascii=False)})[by]")
    )
    heard = "datum.clip >= 0"
    quiet = " || ".join(f"datum.shown == '{value}'" for value in QUIET)
    axis = alt.Axis(labels=False, ticks=False, tickCount=6)
    x, y = (
        alt.X("x:Q", title="First component", axis=axis, scale=alt.Scale(zero=False)),
        alt.Y("y:Q", title="Second component", axis=axis, scale=alt.Scale(zero=False)),
    )
    chart = (
        alt.Chart(points)
        .transform_calculate(shown="datum[by]")
        .mark_point(filled=True, clip=True, strokeWidth=1.6, cursor="pointer")
        .encode(
            x=x,
            y=y,
            color=alt.Color("shown:N", scale=alt.Scale(domain=names, range=colours), legend=legend),
            shape=alt.Shape("shown:N", scale=alt.Scale(domain=names, range=shapes), legend=legend),
            size=alt.condition(heard, alt.value(120), alt.value(44)),
            stroke=alt.condition(heard, alt.value("var(--ink)"), alt.value("transparent")),
            opacity=alt.condition(f"({quiet}) && !({heard})", alt.value(0.4), alt.value(0.95)),
            tooltip=[
                alt.Tooltip("file:N"),
                alt.Tooltip("shown:N", title="colour"),
                alt.Tooltip("true:N"),
            ],
        )
        .add_params(by, zoom)
        .properties(width=WIDTH, height=HEIGHT)
    )
    return draw(chart, f"Map of the embedding of {found.model}", left=40, right=240)


def _named(
    values: Sequence[str] | np.ndarray, order: Sequence[str] | None = None
) -> pd.Categorical:
    """Values as categories in the order of a legend: muted ones first, else as given or sorted."""
    names = sorted(set(values)) if order is None else order
    return pd.Categorical(values, sorted(names, key=lambda name: name not in QUIET))


def _looks(
    own: Mapping[str, tuple[str, str]], values: Mapping[str, Sequence[str]]
) -> tuple[list[str], list[str], list[str]]:
    """A colour and a shape for each value of the colourings; no two of a colouring share both.

    Args:
        own: colour and shape of values that have their own
        values: of each colouring, in the order of the legend

    Returns:
        the values, their colours and their shapes
    """
    looks = dict.fromkeys(QUIET, (SOFT, "triangle-right")) | dict(own)
    for names in values.values():
        taken = {looks[name] for name in names if name in looks}
        free = (look for look in _pairs() if look not in taken)
        for name in names:
            if name not in looks:
                looks[name] = next(free)
    colours, shapes = zip(*looks.values(), strict=True)
    return list(looks), list(colours), list(shapes)


def _pairs() -> Iterator[tuple[str, str]]:
    """Colours with shapes: first each with its own, then each with the next."""
    for shift in range(len(SHAPES)):
        for place, colour in enumerate(COLOURS):
            yield colour, SHAPES[(place + shift) % len(SHAPES)]
    while True:
        yield SOFT, "stroke"


WIDTH, HEIGHT = 560, 420
"""Of the drawing, in pixels."""
