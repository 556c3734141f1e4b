"""The layouts of the interactive view: which widgets show which columns."""

import json
import logging
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from voxslice.report.spotlight.tables import AUDIO, MAP, SUMMARY, WINDOW
from voxslice.task import Task

if TYPE_CHECKING:
    from renumics.spotlight.layout.nodes import Layout

MAX_STACKED = 3
"""Largest number of widgets with one metric that stand above each other."""
MAX_BARS = 12
"""Largest number of categories that a histogram shows."""


def make_slice_layout(models: Sequence[str]) -> "Layout":
    """Lay out the view of the slices: their table above, and charts of them below.

    Args:
        models: Ids of the models.

    Returns:
        A layout of Spotlight.
    """
    quiet()
    from renumics.spotlight import layout

    values = [f"{model}_value" for model in models]
    pairs = [
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
    below = [layout.tab(size)] + ([layout.tab(*pairs)] if pairs else []) + [layout.tab(counts)]
    return layout.layout(
        layout.tab(layout.table("Slices"), weight=55),
        layout.split(*below, orientation="horizontal", weight=45),
        orientation="vertical",
    )


def make_collected_layout(table: pd.DataFrame) -> "Layout":
    """Lay out the view of the utterances to collect: their table above, and the player below.

    Args:
        table: Table of the view, as `make_collected_table` returns it.

    Returns:
        A layout of Spotlight.
    """
    quiet()
    from renumics.spotlight import layout
    from renumics.spotlight.layout import lenses

    player = lenses.lens("AudioView", [AUDIO, WINDOW], "Listen")
    visible = [name for name in table if name not in (AUDIO, WINDOW)]
    listed = layout.table(
        "Utterances to collect", visible_columns=visible, sort_by_columns=[("rank", "ascending")]
    )
    counts = layout.histogram("Modes", column="mode", stack_by_column="dataset")
    return layout.layout(
        layout.tab(listed, weight=60),
        layout.split(
            layout.tab(layout.inspector("Utterance", [_named(player)], num_columns=1)),
            layout.tab(counts),
            orientation="horizontal",
            weight=40,
        ),
        orientation="vertical",
    )


def make_layout(table: pd.DataFrame, models: Sequence[str], task: Task) -> "Layout":
    """Lay out the view of the utterances.

    The table and the slices stand above. The errors of the models, the map of the embedding and the
    player stand below.

    Args:
        table: Table of the view, as `make_table` returns it.
        models: Ids of the models.
        task: Task that is measured.

    Returns:
        A layout of Spotlight, the same bytes for the same arguments.
    """
    quiet()
    from renumics.spotlight import layout
    from renumics.spotlight.layout import lenses

    summaries = [SUMMARY, *(f"{model}_{SUMMARY}" for model in models)]
    hidden = [AUDIO, WINDOW, *MAP, *summaries]
    order: Literal["ascending", "descending"] = "descending"
    worst = f"{models[0]}_loss"
    if task.is_classification:  # the loss is 0 or 1, as `right` and `wrong` say
        hidden += [f"{model}_loss" for model in models]
        worst, order = f"{models[0]}_correct", "ascending"  # `wrong` is the first category
    visible = [name for name in table if name not in hidden]
    table_widget = layout.table(
        "Utterances", visible_columns=visible, sort_by_columns=[(worst, order)]
    )
    compared: list[Any]
    left: Any
    if task.is_classification:
        measures = [
            layout.metric(
                f"Accuracy {model}", metric="accuracy", columns=["label", f"{model}_prediction"]
            )
            for model in models
        ]
        compared = [
            layout.confusion_matrix(
                f"Confusion {model}", x_column="label", y_column=f"{model}_prediction"
            )
            for model in models
        ]
        compared += [
            layout.confusion_matrix(
                f"{models[0]} and {model}",
                x_column=f"{models[0]}_correct",
                y_column=f"{model}_correct",
            )
            for model in models[1:]
        ]
        stacks = [measures[place::MAX_STACKED] for place in range(min(MAX_STACKED, len(models)))]
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
        compared = [
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
    if task.is_classification:
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
    lower = [layout.tab(*compared, weight=40)]
    if MAP[0] in table:
        # a similarity map would be computed again by a process that may outlive the view
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
            layout.tab(layout.issues("Failure modes and slices"), weight=35),
            orientation="horizontal",
            weight=50,
        ),
        layout.split(*lower, orientation="horizontal", weight=50),
        orientation="vertical",
    )


def _category(names: Sequence[str], table: pd.DataFrame) -> str | None:
    """The categorical column with most categories, of those that a histogram can show."""
    counts = {
        name: len(table[name].cat.categories)
        for name in names
        if name != "speaker" and isinstance(table[name].dtype, pd.CategoricalDtype)
    }
    few = {name: count for name, count in counts.items() if 2 <= count <= MAX_BARS}
    return max(few, key=lambda name: few[name]) if few else None


def _named(lens: Any) -> Any:
    """Name a lens after what it shows, instead of the random name that Spotlight gives it."""
    lens.id = " ".join([lens.type, *lens.columns])
    return lens


def to_json(value: Any) -> str:
    """Write plain values or a layout as indented JSON."""
    if hasattr(value, "model_dump_json"):
        return value.model_dump_json(by_alias=True, indent=1) + "\n"
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def quiet() -> None:
    """Keep the imports of Spotlight from printing notes on libraries that are not used here."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    logging.getLogger("renumics").setLevel(logging.ERROR)
    try:
        from loguru import logger
    except ImportError:
        return
    logger.disable("renumics")
