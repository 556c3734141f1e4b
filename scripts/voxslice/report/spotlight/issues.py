"""The issues of the interactive view, as Spotlight lists them: failure modes, and their slices."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from voxslice.files import as_booleans
from voxslice.report.modes import REST
from voxslice.report.numbers import Measure, counted, measures, share
from voxslice.report.study import by_severity, distinct, rule_text
from voxslice.shown_text import shown
from voxslice.task import Task
from voxslice.utterance_keys import KEY

SEVERE = 2.0
"""Ratio of the error in a mode to the error elsewhere from which its severity is high."""
BELOW = "\u21b3 "
"""Beginning of the title of a slice, which is listed below its mode."""


def make_issues(
    keys: pd.DataFrame,
    modes: pd.DataFrame,
    mode_members: pd.DataFrame,
    mode_slices: pd.DataFrame,
    slices: Mapping[str, pd.DataFrame],
    members: Mapping[str, pd.DataFrame],
    task: Task,
) -> list[dict[str, Any]]:
    """Turn failure modes and slices into issues of Spotlight, the worst mode first.

    The slices of a mode stand below it. Slices of no mode stand at the end. The severity of a
    confirmed mode is high if its error is at least twice the error elsewhere, and medium otherwise.
    The severity of a mode that is not confirmed is low. A slice has the severity of its mode.

    Args:
        keys: Keys of the utterances of the view, in the order of its table.
        modes: Failure modes, one row per mode and model, the worst first.
        mode_members: `mode` and the keys of the utterances of each mode.
        mode_slices: Links between modes and slices.
        slices: Table of the slices of each model.
        members: Keys of the utterances in the slices of each model.
        task: Task that is measured.

    Returns:
        One dictionary per mode and slice: `title`, `severity`, `rows` (positions in the table of
        the view) and `description`.
    """
    measure = measures(task.unit)[task.metric]
    index = pd.MultiIndex.from_frame(keys[KEY])

    def positions(rows: pd.DataFrame) -> list[int]:
        inside = index.isin(pd.MultiIndex.from_frame(rows[KEY]))
        return [int(position) for position in np.flatnonzero(inside)]

    first_mode = {
        (model, name): mode
        for mode, model, name in reversed(
            list(mode_slices[["mode", "model", "slice"]].itertuples(index=False, name=None))
        )
    }
    issues = []
    found = in_order(slices).to_dict("records")
    for mode, rows in modes[modes["mode"] != REST].groupby("mode", sort=False):
        severity = _severity(rows, task)
        utterances = mode_members[mode_members["mode"] == mode]
        issues.append(
            {
                "title": shown(f"{mode}. {rows['name'].iloc[0]}"),
                "severity": severity,
                "rows": positions(utterances),
                "description": shown(_describe_mode(rows, measure, task)),
            }
        )
        below = [row for row in found if first_mode.get((row["model"], row["slice"])) == mode]
        issues += [_slice(row, severity, members, positions, measure) for row in below]
    listed = set(modes["mode"])
    rest = [row for row in found if first_mode.get((row["model"], row["slice"])) not in listed]
    return issues + [_slice(row, "low", members, positions, measure) for row in rest]


def _severity(rows: pd.DataFrame, task: Task) -> str:
    """Choose the severity of a mode from its figures for the models that it is confirmed for."""
    confirmed = rows[as_booleans(rows["confirmed"])]
    if not len(confirmed):
        return "low"
    inside, elsewhere = (task.loss_of(confirmed[name].astype(float)) for name in ("value", "rest"))
    return "high" if (inside >= SEVERE * elsewhere).any() else "medium"


def _describe_mode(rows: pd.DataFrame, measure: Measure, task: Task) -> str:
    """Describe a mode with one sentence per model."""
    errors = "the errors" if task.is_classification else "the absolute error"
    sentences = []
    for row in rows.to_dict("records"):
        size = counted(int(row["support"]), "utterance")
        if not pd.isna(row["speakers"]):
            size += f" of {counted(int(row['speakers']), 'speaker')}"
        confirmed = str(row["confirmed"]).lower() == "true"
        evidence = f"confirmed ({row['evidence']})" if confirmed else "not confirmed"
        sentences.append(
            f"{row['model']}: {evidence}; {share(row['share_of_errors'])} of {errors} in"
            f" {share(row['share_of_utterances'])} of the utterances; {measure.title}"
            f" {measure.text(row['value'])} on {size}, {measure.text(row['rest'])} elsewhere."
        )
        if not pd.isna(row["confusion"]):
            sentences.append(f"{row['confusion']}.".capitalize())
    return " ".join(sentences)


def _slice(
    row: Mapping[str, Any],
    severity: str,
    members: Mapping[str, pd.DataFrame],
    positions: Any,
    measure: Measure,
) -> dict[str, Any]:
    """Turn a slice into an issue."""
    inside = members[row["model"]]
    return {
        "title": shown(f"{BELOW}{row['model']}: {rule_text(pd.Series(row))} [{row['slice']}]"),
        "severity": severity,
        "rows": positions(inside[inside["slice"] == row["slice"]]),
        "description": shown(_describe(row, measure)),
    }


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
        "description": f"Drawn at random with the seed {seed}. A failure mode or slice selects"
        " those of its utterances that are in the sample. The numbers in its description refer to"
        " all utterances.",
    }
