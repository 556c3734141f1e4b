"""The issues of the interactive view: one per slice, as Spotlight lists them."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from voxslice.report.numbers import Measure, counted, measures
from voxslice.report.study import by_severity, distinct
from voxslice.shown_text import shown
from voxslice.task import Task
from voxslice.utterance_keys import KEY

SEVERE = 2.0
"""Ratio of the error in a slice to the error elsewhere from which its severity is high."""


def make_issues(
    keys: pd.DataFrame,
    slices: Mapping[str, pd.DataFrame],
    members: Mapping[str, pd.DataFrame],
    task: Task,
) -> list[dict[str, Any]]:
    """Turn slices into issues of Spotlight: confirmed slices first, then the worst.

    The severity of a confirmed slice is high if the error in it is at least twice the error
    elsewhere, and medium otherwise. The severity of a slice that is not confirmed is low.

    Args:
        keys: Keys of the utterances of the view, in the order of its table.
        slices: Table of the slices of each model.
        members: Keys of the utterances in the slices of each model.
        task: Task that is measured.

    Returns:
        One dictionary per slice: `title`, `severity`, `rows` (positions in the table of the view)
        and `description`.
    """
    measure = measures(task.unit)[task.metric]
    index = pd.MultiIndex.from_frame(keys[KEY])
    issues = []
    for row in in_order(slices).to_dict("records"):
        model = row["model"]
        inside = members[model]
        inside = inside[inside["slice"] == row["slice"]]
        positions = np.flatnonzero(index.isin(pd.MultiIndex.from_frame(inside[KEY])))
        severity = "low"
        if row["confirmed"]:
            inside, elsewhere = (task.loss_of(row[name]) for name in ("value", "rest"))
            severity = "high" if inside >= SEVERE * elsewhere else "medium"
        issues.append(
            {
                "title": shown(f"{model}: {row['rule']} [{row['slice']}]"),
                "severity": severity,
                "rows": [int(position) for position in positions],
                "description": shown(_describe(row, measure)),
            }
        )
    return issues


def in_order(slices: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The slices of all models, each once, in the order of the report.

    Args:
        slices: Table of the slices of each model.

    Returns:
        One row per slice, with the column `model`.
    """
    found = [distinct(table).assign(model=model) for model, table in slices.items() if len(table)]
    if not found:
        return distinct(next(iter(slices.values()))).assign(model="")
    return by_severity(pd.concat(found)).reset_index(drop=True)


def _describe(row: Mapping[str, Any], measure: Measure) -> str:
    """Describe a slice in two sentences."""
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
    """An issue without rows that says that the view is a sample.

    Args:
        shown: Number of utterances in the view.
        total: Number of utterances in the study.
        seed: Seed of the sample.

    Returns:
        `title`, `severity`, `rows` and `description`, as `make_issues` returns them.
    """
    return {
        "title": f"A sample: {shown:,} of {total:,} utterances",
        "severity": "low",
        "rows": [],
        "description": f"Drawn at random with the seed {seed}. A slice selects the utterances"
        " of it that are in the sample. The numbers in its description refer to all utterances.",
    }
