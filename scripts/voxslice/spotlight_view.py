"""The interactive view: table, layout and issues that Renumics Spotlight shows.

Written by the workflow, opened by `scripts/view.py` without any further computation.
"""

import json
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from voxslice.files import KEY
from voxslice.report.numbers import Measure, counted
from voxslice.report.study import by_severity
from voxslice.rules import is_numeric

if TYPE_CHECKING:
    from renumics.spotlight.layout.nodes import Layout

AUDIO, WINDOW, MAP, SUMMARY = "audio", "window", "map", "summary"
"""Columns of the table that are shown by widgets of their own."""
TABLE, LAYOUT, ISSUES = "table.parquet", "layout.json", "issues.json"
CORRECT = pd.CategoricalDtype(["right", "wrong"])
MOST_BARS = 12
"""Categories in a histogram."""
SEVERE = 2.0
"""A drop of this many times the smallest one that is suggested is of high severity."""


def make_table(
    files: pd.DataFrame,
    scores: Mapping[str, pd.DataFrame],
    *,
    classification: bool,
    audio: str,
    embedding: tuple[pd.DataFrame, np.ndarray] | None,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """One row an utterance that a model has scored, in the order of the metadata.

    Args:
        files: the metadata
        scores: of each model
        classification: whether the models choose a class
        audio: folder of the audio, relative to the folder of the view
        embedding: keys and matrix that the map shows, None for no map
        seed: of the map

    Returns:
        the table and the keys of its rows. The table has `audio` (relative path), `file`, the
        metadata, `label`, and of each model `<model>_...` prediction, correct (`right` or `wrong`),
        loss and probabilities; `summary` and `<model>_summary`, all of that as text; `map`, two
        numbers in a list; `window` (start and end) where utterances are parts of files. Label and
        predictions share one categorical type: Spotlight compares the codes of categories, not
        their names.
    """
    scored = pd.concat([table[KEY] for table in scores.values()]).drop_duplicates()
    table = files.merge(scored, on=KEY, how="inner").reset_index(drop=True)
    parts = table["file"].duplicated(keep=False) | (table["start"] > 0)
    view = pd.DataFrame({AUDIO: [str(PurePosixPath(audio) / name) for name in table["file"]]})
    view["file"] = table["file"]
    if parts.any():
        view[WINDOW] = list(table[["start", "end"]].to_numpy(np.float32))
    if classification:
        classes = dict.fromkeys(
            name for each in scores.values() for name in each["prediction"].cat.categories
        )
        shared = pd.CategoricalDtype(list(classes))
    own: dict[str, list[str]] = {}
    for position, (model, each) in enumerate(scores.items()):
        before = set(view)
        joined = table[KEY].merge(each, on=KEY, how="left")
        if position == 0 or view["label"].isna().any():
            label = joined["label"] if position == 0 else view["label"].fillna(joined["label"])
            view["label"] = label.astype(shared) if classification else label.astype(float)
        if classification:
            view[f"{model}_prediction"] = joined["prediction"].astype(shared)
            right = joined["loss"].map({0.0: "right", 1.0: "wrong"})
            view[f"{model}_correct"] = right.astype(CORRECT)
            for name in [column for column in each if column.startswith("p_")]:
                view[f"{model}_{name}"] = joined[name]
        else:
            view[f"{model}_prediction"] = joined["prediction"]
        view[f"{model}_loss"] = joined["loss"]
        own[model] = [name for name in view if name not in before and name != "label"]
    # what is compared stands first, model beside model
    given = [name for name in (AUDIO, "file", WINDOW, "label") if name in view]
    ends = ("prediction", "correct", "loss")
    lead = [f"{model}_{end}" for end in ends for model in scores if f"{model}_{end}" in own[model]]
    view = view[[*given, *lead, *(name for name in view if name not in (*given, *lead))]].copy()
    of_models = set(view)
    for name in [column for column in table if column not in KEY]:
        view[_free(name, view)] = _plain(table[name])
    metadata = [name for name in view if name not in of_models]
    view[SUMMARY] = _texts(view, {name: name for name in ["file", "label", *metadata]})
    for model, columns in own.items():
        names = {name: name.removeprefix(f"{model}_") for name in columns}
        view[f"{model}_{SUMMARY}"] = _texts(view, names, f"{model} \u00b7 ")
    if embedding is not None:
        view[MAP] = list(_map(table, *embedding, seed=seed))
    return view, table[KEY]


def _free(name: str, view: pd.DataFrame) -> str:
    """A name for a metadata column that no column of the view has or will have."""
    taken = name in view or name in (WINDOW, MAP, SUMMARY)
    return f"metadata_{name}" if taken else name


def _texts(view: pd.DataFrame, names: Mapping[str, str], start: str = "") -> list[str]:
    """Some columns of each row as text for the inspector, with the names to call them by."""
    return [
        start
        + ", ".join(
            f"{shown} {value:.3g}" if isinstance(value, float) else f"{shown} {value}"
            for shown, value in zip(names.values(), row, strict=True)
        )
        for row in view[list(names)].itertuples(index=False, name=None)
    ]


def _plain(column: pd.Series) -> pd.Series:
    """A metadata column in a type that Spotlight shows: numbers, or categories of text."""
    if is_numeric(column):
        return column.astype(float)
    text = column.astype("string").astype(object)
    return text.where(text.notna(), None).astype("category")


def _map(table: pd.DataFrame, keys: pd.DataFrame, matrix: np.ndarray, *, seed: int) -> np.ndarray:
    """Two dimensions of an embedding by principal components, shape (rows, 2).

    Utterances without an embedding lie in the middle.
    """
    from sklearn.decomposition import PCA

    order = pd.MultiIndex.from_frame(keys[KEY]).get_indexer(pd.MultiIndex.from_frame(table[KEY]))
    places = np.zeros((len(table), 2), dtype=np.float32)
    known = order >= 0
    values = matrix[order[known]]
    size = min(2, *values.shape)
    places[known, :size] = PCA(size, random_state=seed).fit_transform(values)[:, :size]
    return places


def make_issues(
    keys: pd.DataFrame,
    slices: Mapping[str, pd.DataFrame],
    members: Mapping[str, pd.DataFrame],
    *,
    measure: Measure,
    min_drop: float,
) -> list[dict[str, Any]]:
    """The slices as Spotlight's issues: confirmed ones first, then the worst.

    Args:
        keys: of the rows of the table
        slices: of each model
        members: the utterances of those slices
        measure: the metric of the slices
        min_drop: smallest drop of a suggested slice

    Returns:
        `title`, `severity`, `rows` (positions in the table), `description`
    """
    index = pd.MultiIndex.from_frame(keys[KEY])
    rows = pd.concat(
        [by_severity(found).assign(model=model) for model, found in slices.items() if len(found)]
        or [pd.DataFrame(columns=["confirmed", "drop", "slice"])]
    )
    order = rows.sort_values(["confirmed", "drop", "slice"], ascending=[False, False, True])
    issues = []
    for _, row in order.iterrows():
        model = row["model"]
        inside = members[model]
        inside = inside[inside["slice"] == row["slice"]]
        positions = np.flatnonzero(index.isin(pd.MultiIndex.from_frame(inside[KEY])))
        kind = "Confirmed" if row["confirmed"] else "Suggested, not confirmed"
        size = counted(int(row["support"]), "utterance")
        if not pd.isna(row["speakers"]):
            size += f" of {counted(int(row['speakers']), 'speaker')}"
        issues.append(
            {
                "title": f"{model}: {row['rule']} [{row['slice']}]",
                "severity": "high" if row["drop"] >= SEVERE * min_drop else "medium",
                "rows": [int(position) for position in positions],
                "description": f"{kind}; {measure.title} {measure.text(row['value'])} on {size},"
                f" {measure.text(row['rest'])} elsewhere.",
            }
        )
    return issues


def make_layout(table: pd.DataFrame, models: Sequence[str], *, classification: bool) -> "Layout":
    """The layout: table and slices above, the models' errors, the map and the player below.

    Args:
        table: as `make_table` gives it
        models: ids of the models
        classification: whether the models choose a class

    Returns:
        a layout of Spotlight, the same bytes for the same arguments
    """
    quiet()
    from renumics.spotlight import layout
    from renumics.spotlight.layout import lenses

    summaries = [SUMMARY, *(f"{model}_{SUMMARY}" for model in models)]
    visible = [name for name in table if name not in (AUDIO, WINDOW, MAP, *summaries)]
    table_widget = layout.table(
        "Utterances",
        visible_columns=visible,
        sort_by_columns=[(f"{models[0]}_loss", "descending")],
    )
    held: list[Any]
    left: Any
    if classification:
        measures = [
            layout.metric(
                f"Accuracy {model}", metric="accuracy", columns=["label", f"{model}_prediction"]
            )
            for model in models
        ]
        held = [
            layout.confusion_matrix(
                f"Confusion {model}", x_column="label", y_column=f"{model}_prediction"
            )
            for model in models
        ]
        if len(models) > 1:
            held.append(
                layout.confusion_matrix(
                    f"{models[0]} and {models[1]}",
                    x_column=f"{models[0]}_correct",
                    y_column=f"{models[1]}_correct",
                )
            )
        left = layout.split(
            layout.split(*[layout.tab(one) for one in measures], orientation="vertical", weight=18),
            layout.tab(table_widget, weight=62),
            orientation="horizontal",
            weight=60,
        )
        colour = f"{models[0]}_correct"
    else:
        held = [
            layout.scatterplot(
                f"Predicted and true {model}", x_column="label", y_column=f"{model}_prediction"
            )
            for model in models
        ]
        left = layout.tab(table_widget, weight=60)
        colour = f"{models[0]}_loss"
    metadata = [
        name
        for name in visible
        if name != "label" and not name.startswith(tuple(f"{model}_" for model in models))
    ]
    category = _category(metadata, table)
    if classification:
        counted_by = category or "label"
        last = [
            layout.histogram(
                f"{counted_by} {model}", column=counted_by, stack_by_column=f"{model}_correct"
            )
            for model in models
        ]
    else:
        last = [
            layout.histogram(f"Loss {model}", column=f"{model}_loss", stack_by_column=category)
            for model in models
        ]
    lower = [layout.tab(*held, weight=40)]
    if MAP in table:
        near = layout.similaritymap(
            "Map of the embedding", columns=[MAP], reduction_method="pca", color_by_column=colour
        )
        lower.append(layout.tab(near, weight=40))
    lower.append(layout.tab(*last, weight=30))
    player = [lenses.lens("AudioView", [AUDIO, WINDOW] if WINDOW in table else [AUDIO], "Listen")]
    player += [lenses.text(name, " ") for name in summaries]
    inspector = layout.inspector("Utterance", map(_named, player), num_columns=1)
    lower.append(layout.tab(inspector, weight=35))
    return layout.layout(
        layout.split(
            left,
            layout.tab(layout.issues("Slices"), weight=35),
            orientation="horizontal",
            weight=50,
        ),
        layout.split(*lower, orientation="horizontal", weight=50),
        orientation="vertical",
    )


def _category(names: Sequence[str], table: pd.DataFrame) -> str | None:
    """The categorical column with the most categories that a histogram can still tell apart."""
    counts = {
        name: len(table[name].cat.categories)
        for name in names
        if name != "speaker" and isinstance(table[name].dtype, pd.CategoricalDtype)
    }
    few = {name: count for name, count in counts.items() if 2 <= count <= MOST_BARS}
    return max(few, key=lambda name: few[name]) if few else None


def _named(lens: Any) -> Any:
    """Name a lens by what it shows: Spotlight draws a random name."""
    lens.id = " ".join([lens.type, *lens.columns])
    return lens


def to_json(value: Any) -> str:
    """Readable JSON."""
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def quiet() -> None:
    """Keep Spotlight's imports from printing what does not concern this project."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    logging.getLogger("renumics").setLevel(logging.ERROR)
    try:
        from loguru import logger
    except ImportError:
        return
    logger.disable("renumics")
