"""The map: the embedding of the utterances in two dimensions, coloured by errors and metadata."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import altair as alt
import numpy as np
import pandas as pd

from voxslice.bins import assign_bins, quantile_edges
from voxslice.report.clips import Group, prediction_text, true_label
from voxslice.report.drawing import COLOURS, SHAPES, SOFT, Drawing, draw, sample_rows, style
from voxslice.report.modes import inside, modes_of
from voxslice.report.principal_components import principal_components
from voxslice.report.shown_columns import visible_column
from voxslice.report.study import Study
from voxslice.rule_conditions import as_text, category_order
from voxslice.utterance_keys import KEY

MAP_POINTS = 3000
"""Largest number of utterances on the map; of more utterances, a random sample is shown."""
MODES = 8
"""Largest number of failure modes by which the map can be coloured."""
MUTED = ("none", "outside")
"""Values whose points are shown in grey."""
GROUPS = 3
"""Number of groups into which numbers are divided for colouring."""


@dataclass(frozen=True)
class Map:
    """The map of a study.

    Args:
        model: id of the model that computed the embedding
        points: one row per utterance: `file`, `start`, `end`, `x`, `y`, `true` (true label),
            `prediction` (predictions of all models as one text), and one column per colouring
        colourings: column of each colouring by its title; the first one is selected at first
        share: share of the variance that the two dimensions explain, from 0 to 1
        total: number of utterances that have an embedding and a score of each model
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
    """Compute the map.

    Args:
        study: the study

    Returns:
        the map; None if fewer than two utterances have an embedding and a score of each model
    """
    if study.embedding is None:
        return None
    embedded = study.joined[study.keys.isin(pd.MultiIndex.from_frame(study.embedding.keys[KEY]))]
    if len(embedded) < 2:
        return None
    table = sample_rows(embedded, study.seed, MAP_POINTS)
    embedding = study.embedding.read(table).astype(float)
    coordinates, share = principal_components(embedding, seed=study.seed)
    points = table[KEY].copy()
    points["x"], points["y"] = np.round(coordinates, 4).T
    scores = [_aligned(model.scores, points) for model in study.models]
    points["true"] = [true_label(study, value) for value in scores[0]["label"]]
    points["prediction"] = _predictions(study, scores)
    colourings = _colourings(study, table, scores)
    for number, values in enumerate(colourings.values()):
        points[f"c{number}"] = values
    titles = {title: f"c{number}" for number, title in enumerate(colourings)}
    return Map(study.embedding.model, points.reset_index(drop=True), titles, share, len(embedded))


def _aligned(scores: pd.DataFrame, points: pd.DataFrame) -> pd.DataFrame:
    """Select the scores of the points, in the order of the points."""
    index = pd.MultiIndex.from_frame(scores[KEY])
    return scores.iloc[index.get_indexer(pd.MultiIndex.from_frame(points[KEY]))]


def _predictions(study: Study, scores: Sequence[pd.DataFrame]) -> list[str]:
    """Write the predictions of all models for each utterance as one text."""
    columns = []
    for position, table in enumerate(scores):
        texts = []
        for _, row in table.iterrows():
            predicted = prediction_text(study, position, row)
            details = f" ({predicted.details})" if predicted.details else ""
            texts.append(f"{predicted.model}: {predicted.prediction}{details}")
        columns.append(texts)
    return ["; ".join(row) for row in zip(*columns, strict=True)]


def _colourings(
    study: Study, table: pd.DataFrame, scores: Sequence[pd.DataFrame]
) -> dict[str, pd.Categorical]:
    """Compute the values by which the points can be coloured, by the title of the colouring."""
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
            made[f"Error of {model.name}"] = _groups(each["loss"].to_numpy(), losses, study.unit)
        label = scores[0]["label"].to_numpy(float)
        made[f"True {study.target}"] = _groups(label, label, study.unit)
    for name in study.categories:
        if name != study.target:
            made[name] = _named(as_text(table[name]), category_order(table[name]))
    for mode in modes_of(study)[:MODES]:
        mask = inside(study, mode)[table.index]
        made[f"Mode {mode.name}: {mode.title}"] = _named(np.where(mask, "inside", MUTED[1]))
    return made


def _errors(wrong: np.ndarray, names: Sequence[str]) -> list[str]:
    """State which models are wrong on each utterance."""
    if len(names) == 1:
        return [_only(names[0]) if row[0] else MUTED[0] for row in wrong]
    texts = []
    for row in wrong:
        count = int(row.sum())
        if count == 0:
            texts.append(MUTED[0])
        elif count == 1:
            texts.append(_only(names[int(row.argmax())]))
        else:
            texts.append("all" if count == len(names) else "several")
    return texts


def _only(name: str) -> str:
    return f"only {name}"


def _groups(values: np.ndarray, all_values: np.ndarray, unit: str) -> pd.Categorical:
    """Divide numbers into groups that contain about the same number of all values."""
    edges = quantile_edges(all_values, GROUPS)
    edges = edges[:-1] if len(edges) > 1 else edges  # the last group has no upper limit
    names = [f"up to {edges[0]:.3g}"]
    names += [f"{low:.3g} to {high:.3g}" for low, high in pairwise(edges)]
    names += [f"above {edges[-1]:.3g}"]
    names = [f"{name} {unit}".rstrip() for name in names]
    groups = assign_bins(values, edges)
    return pd.Categorical([names[group] for group in groups], list(dict.fromkeys(names)))


def map_chart(study: Study, embedding_map: Map, groups: Sequence[Group]) -> Drawing:
    """Draw the map. The data of each point contain the number of its clip, or -1.

    Args:
        study: the study
        embedding_map: the map
        groups: groups of clips that the page can play

    Returns:
        the chart; points with a clip have a ring
    """
    numbers = {clip.key: clip.number for group in groups for clip in group.clips}
    # before the expression of the legend is built, which contains the same values
    points = embedding_map.points.drop(columns=["start", "end"]).apply(visible_column)
    keys = embedding_map.points[KEY].itertuples(index=False, name=None)
    points["clip"] = [numbers.get(tuple(key), -1) for key in keys]
    # points with a clip are drawn last, on top of the others
    points = points.sort_values("clip", kind="stable")
    fields = list(embedding_map.colourings.values())
    by = alt.param(
        name="by",
        value=fields[0],
        bind=alt.binding_select(
            options=fields, labels=list(embedding_map.colourings), name="Colour by "
        ),
    )
    zoom = alt.selection_interval(name="zoom", bind="scales", zoom="wheel![event.shiftKey]")
    values = {
        field: list(points[field].cat.remove_unused_categories().cat.categories) for field in fields
    }
    fixed = {_only(model.name): style(i) for i, model in enumerate(study.models)}
    names, colours, shapes = _styles(fixed, values)
    # one scale contains the values of all colourings; the legend shows those of the selected one
    legend = alt.Legend(
        title=None, values=alt.ExprRef(f"({json.dumps(values, ensure_ascii=False)})[by]")
    )
    playable = "datum.clip >= 0"
    muted = " || ".join(f"datum.shown == '{value}'" for value in MUTED)
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
            size=alt.condition(playable, alt.value(120), alt.value(44)),
            stroke=alt.condition(playable, alt.value("var(--ink)"), alt.value("transparent")),
            opacity=alt.condition(f"({muted}) && !({playable})", alt.value(0.4), alt.value(0.95)),
            tooltip=[
                alt.Tooltip("file:N"),
                alt.Tooltip("shown:N", title="colour"),
                alt.Tooltip("true:N"),
            ],
        )
        .add_params(by, zoom)
        .properties(width=WIDTH, height=HEIGHT)
    )
    return draw(chart, f"Map of the embedding of {embedding_map.model}", left=40, right=240)


def _named(
    values: Sequence[str] | np.ndarray, order: Sequence[str] | None = None
) -> pd.Categorical:
    """Convert values to categories in the order of the legend.

    Muted values come first. The others have the given order, or are sorted.
    """
    names = sorted(set(values)) if order is None else order
    return pd.Categorical(values, sorted(names, key=lambda name: name not in MUTED))


def _styles(
    fixed: Mapping[str, tuple[str, str]], values: Mapping[str, Sequence[str]]
) -> tuple[list[str], list[str], list[str]]:
    """Choose a colour and a shape for each value. No two values of a colouring share both.

    Args:
        fixed: colour and shape of the values for which they are given
        values: values of each colouring, in the order of the legend

    Returns:
        the values, their colours and their shapes
    """
    styles = dict.fromkeys(MUTED, (SOFT, "triangle-right")) | dict(fixed)
    for names in values.values():
        used = {styles[name] for name in names if name in styles}
        unused = (pair for pair in _pairs() if pair not in used)
        for name in names:
            if name not in styles:
                styles[name] = next(unused)
    colours, shapes = zip(*styles.values(), strict=True)
    return list(styles), list(colours), list(shapes)


def _pairs() -> Iterator[tuple[str, str]]:
    """Yield pairs of a colour and a shape, first those of the models, then all others."""
    for shift in range(len(SHAPES)):
        for position, colour in enumerate(COLOURS):
            yield colour, SHAPES[(position + shift) % len(SHAPES)]
    while True:
        yield SOFT, "stroke"


WIDTH, HEIGHT = 560, 420
"""Width and height of the map in pixels."""
