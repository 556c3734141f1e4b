"""The interactive view: table, layout and issues that Renumics Spotlight shows.

Written by the workflow, opened by `scripts/view.py` without any further computation.
"""

import json
import logging
import os
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from voxslice.conditions import is_numeric
from voxslice.files import KEY
from voxslice.report.numbers import Measure, counted
from voxslice.report.study import by_severity, distinct

if TYPE_CHECKING:
    from renumics.spotlight.layout.nodes import Layout

AUDIO, WINDOW, SUMMARY = "audio", "window", "summary"
MAP = ["map_x", "map_y"]
"""Columns of the table that are shown by widgets of their own."""
TABLE, LAYOUT, ISSUES = "table.parquet", "layout.json", "issues.json"
SLICES, SLICES_LAYOUT = "slices.parquet", "slices.layout.json"
"""Files of a view: of its utterances, and of its slices."""
MOST_STACKED = 3
"""Figures above each other; those of more models are tabs."""
CORRECT = pd.CategoricalDtype(["right", "wrong"])
MOST_BARS = 12
"""Categories in a histogram."""
SEVERE = 2.0
"""A drop of this many times the smallest one that is suggested is of high severity."""


def select(
    files: pd.DataFrame, scores: Mapping[str, pd.DataFrame], *, max_rows: int, seed: int
) -> tuple[pd.DataFrame, int]:
    """The utterances that a view shows: those that a model has scored, or a sample of them.

    Args:
        files: the metadata
        scores: of each model
        max_rows: size of the largest sample
        seed: of the sample, which is drawn without regard to anything

    Returns:
        the rows of the metadata, in its order, and how many there are before the sample
    """
    scored = pd.concat([table[KEY] for table in scores.values()]).drop_duplicates()
    rows = files.merge(scored, on=KEY, how="inner")
    total = len(rows)
    if total > max_rows:
        chosen = np.random.default_rng(seed).choice(total, max_rows, replace=False)
        rows = rows.iloc[np.sort(chosen)]
    return rows.reset_index(drop=True), total


def place(audio: str | Path, folder: str | Path) -> str:
    """Where a view in a folder finds the audio: a folder of the workflow moves with the view.

    Args:
        audio: folder of the audio; absolute where it is not one of the workflow
        folder: of the view, in the same sense

    Returns:
        the absolute path as it is, or the path from the view to the audio
    """
    return str(audio) if Path(audio).is_absolute() else os.path.relpath(audio, folder)


def make_table(
    rows: pd.DataFrame,
    scores: Mapping[str, pd.DataFrame],
    *,
    classification: bool,
    audio: str,
    embedding: tuple[pd.DataFrame, np.ndarray] | None,
    seed: int,
) -> pd.DataFrame:
    """One row an utterance.

    Args:
        rows: the metadata, as `select` gives it
        scores: of each model
        classification: whether the models choose a class
        audio: folder of the audio: absolute, or relative to the folder of the view
        embedding: keys and matrix that the map shows, None for no map
        seed: of the map

    Returns:
        a table with `audio` (path), `file`, `label`, the columns of each model, and the metadata.
        Of a model these are `<model>_...` prediction, correct (`right` or `wrong`), loss and
        probabilities. `summary` and `<model>_summary` hold all of that as text, `map_x` and `map_y`
        the map, `window` start and end where utterances are parts of files. Label and predictions
        share one categorical type: Spotlight compares the codes of categories, not their names.
    """
    table = rows
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
    # what is compared stands first, model after model; probabilities follow
    given = [name for name in (AUDIO, "file", WINDOW, "label") if name in view]
    ends = ("prediction", "correct", "loss")
    lead = [f"{model}_{end}" for model in scores for end in ends if f"{model}_{end}" in own[model]]
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
        view[MAP] = _map(table, *embedding, seed=seed)
    return view


def _free(name: str, view: pd.DataFrame) -> str:
    """A name for a metadata column that no column of the view has or will have."""
    taken = name in view or name in (WINDOW, SUMMARY, *MAP)
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

    A confirmed slice is of high severity where it drops by twice what a suggested one has to, else
    of medium severity; one that is not confirmed is of low severity.

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
    issues = []
    for row in _in_order(slices).to_dict("records"):
        model = row["model"]
        inside = members[model]
        inside = inside[inside["slice"] == row["slice"]]
        positions = np.flatnonzero(index.isin(pd.MultiIndex.from_frame(inside[KEY])))
        severity = "low"
        if row["confirmed"]:
            severity = "high" if row["drop"] >= SEVERE * min_drop else "medium"
        issues.append(
            {
                "title": f"{model}: {row['rule']} [{row['slice']}]",
                "severity": severity,
                "rows": [int(position) for position in positions],
                "description": _describe(row, measure),
            }
        )
    return issues


def _in_order(slices: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The slices of all models with the column `model`, each once, in the order of the report."""
    found = [distinct(table).assign(model=model) for model, table in slices.items() if len(table)]
    if not found:
        return distinct(next(iter(slices.values()))).assign(model="")
    return by_severity(pd.concat(found)).reset_index(drop=True)


def _describe(row: Mapping[str, Any], measure: Measure) -> str:
    """What is known of a slice, in two sentences."""
    kind = "Confirmed" if row["confirmed"] else "Suggested, not confirmed"
    size = counted(int(row["support"]), "utterance")
    if not pd.isna(row["speakers"]):
        size += f" of {counted(int(row['speakers']), 'speaker')}"
    searches = ", ".join(filter(None, [row["search"], row["also"]]))
    found = [f"found by {row['finder']} in {searches}"]
    if not pd.isna(row["q"]):
        found.append(f"q {row['q']:.2g}")
    found += [str(row[name]) for name in ("evidence", "note") if not pd.isna(row[name])]
    return (
        f"{kind}; {measure.title} {measure.text(row['value'])} on {size},"
        f" {measure.text(row['rest'])} elsewhere. {', '.join(found).capitalize()}."
    )


def sample_note(shown: int, total: int, seed: int) -> dict[str, Any]:
    """An issue without rows that says that the view is a sample."""
    return {
        "title": f"A sample: {shown:,} of {total:,} utterances",
        "severity": "low",
        "rows": [],
        "description": f"Drawn at random with the seed {seed}. A slice selects those of its"
        " utterances that were drawn; the figures in its description are of all of them.",
    }


def make_slice_table(
    slices: Mapping[str, pd.DataFrame],
    members: Mapping[str, pd.DataFrame],
    scores: Mapping[str, pd.DataFrame],
    *,
    classification: bool,
) -> pd.DataFrame:
    """One row a slice, in the order of the report.

    Args:
        slices: of each model
        members: the utterances of those slices
        scores: of each model
        classification: whether the metric is accuracy, else mean absolute error

    Returns:
        `model` that the slice was found for, `rule`, `confirmed`, the figures of the slice, and
        `<model>_value`, the metric of each model on the utterances of the slice
    """
    table = _in_order(slices)
    losses = {
        model: each.set_index(KEY)["loss"].astype(float).sort_index()
        for model, each in scores.items()
    }
    for model, loss in losses.items():
        values = []
        for row in table.to_dict("records"):
            inside = members[row["model"]]
            inside = pd.MultiIndex.from_frame(inside.loc[inside["slice"] == row["slice"], KEY])
            mean = float(loss[loss.index.isin(inside)].mean())
            values.append(1 - mean if classification else mean)
        table[f"{model}_value"] = np.array(values, dtype=float)
    kinds = pd.CategoricalDtype(["confirmed", "not confirmed"])
    table["confirmed"] = table["confirmed"].map(
        {True: kinds.categories[0], False: kinds.categories[1]}
    )
    table["confirmed"] = table["confirmed"].astype(kinds)
    for name in ("model", "finder", "search", "evidence"):
        table[name] = _plain(table[name].astype("string"))
    names = ["model", "rule", "slice", "confirmed", "support", "speakers", "value", "rest", "drop"]
    names += ["low", "high", "q", *(f"{model}_value" for model in scores)]
    names += ["evidence", "finder", "search", "note"]
    return table[names]


def make_slice_layout(models: Sequence[str]) -> "Layout":
    """The layout of the table of slices: the table above, slices against each other below."""
    quiet()
    from renumics.spotlight import layout

    values = [f"{model}_value" for model in models]
    against = [
        layout.scatterplot(
            f"{models[0]} and {model}",
            x_column=values[0],
            y_column=f"{model}_value",
            color_by_column="model",
        )
        for model in models[1:]
    ]
    size = layout.scatterplot(
        "Size and drop", x_column="support", y_column="drop", color_by_column="confirmed"
    )
    counts = layout.histogram("Evidence", column="evidence", stack_by_column="model")
    below = [layout.tab(size)] + ([layout.tab(*against)] if against else []) + [layout.tab(counts)]
    return layout.layout(
        layout.tab(layout.table("Slices"), weight=55),
        layout.split(*below, orientation="horizontal", weight=45),
        orientation="vertical",
    )


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
    hidden = [AUDIO, WINDOW, *MAP, *summaries]
    worst = f"{models[0]}_loss"
    if classification:  # where a loss says no more than right and wrong
        hidden += [f"{model}_loss" for model in models]
        worst = f"{models[0]}_correct"
    visible = [name for name in table if name not in hidden]
    table_widget = layout.table(
        "Utterances", visible_columns=visible, sort_by_columns=[(worst, "descending")]
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
        held += [
            layout.confusion_matrix(
                f"{models[0]} and {model}",
                x_column=f"{models[0]}_correct",
                y_column=f"{model}_correct",
            )
            for model in models[1:]
        ]
        stacks = [measures[place::MOST_STACKED] for place in range(min(MOST_STACKED, len(models)))]
        left = layout.split(
            layout.split(
                *[layout.tab(*some) for some in stacks], orientation="vertical", weight=18
            ),
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
    if MAP[0] in table:
        # a similarity map would be reduced anew on opening, in a process that may outlive the view
        near = layout.scatterplot(
            "Map of the embedding", x_column=MAP[0], y_column=MAP[1], color_by_column=colour
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
    """Readable JSON of plain values or a layout."""
    if hasattr(value, "model_dump_json"):
        return value.model_dump_json(by_alias=True, indent=1) + "\n"
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
