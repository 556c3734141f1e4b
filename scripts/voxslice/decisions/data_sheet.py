"""The data sheet of a test set: how much speech of whom it contains."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from voxslice.decisions.markdown import escape, markdown_table
from voxslice.rule_conditions import as_text, category_order, is_numeric
from voxslice.speakers import known_speakers, speakers_of

SHEET_COLUMNS = ["dataset", "column", "category", "utterances", "speakers", "hours"]
ALL = "all"
MAX_CATEGORIES = 30
"""Largest number of categories of a column that are listed."""


def data_sheet(metadata: pd.DataFrame, dataset: str, columns: Sequence[str]) -> pd.DataFrame:
    """Count the utterances, speakers and hours of a test set.

    Args:
        metadata: the metadata of all utterances
        dataset: id of the dataset
        columns: columns of the metadata, without the speaker

    Returns:
        one row for all utterances (column and category `all`), and one per category of each column
        with at most 30 categories, in the columns `SHEET_COLUMNS`
    """
    speakers = speakers_of(metadata, metadata)
    rows = [_row(metadata, speakers, dataset, ALL, ALL)]
    for column in columns:
        names = [] if is_numeric(metadata[column]) else category_order(metadata[column])
        for name in names if len(names) <= MAX_CATEGORIES else []:
            inside = as_text(metadata[column]) == name
            own = None if speakers is None else speakers[inside]
            rows.append(_row(metadata[inside], own, dataset, column, name))
    return pd.DataFrame(rows, columns=SHEET_COLUMNS).astype({"speakers": "Int64"})


def _row(
    table: pd.DataFrame, speakers: Any, dataset: str, column: str, category: str
) -> dict[str, Any]:
    """Count some utterances."""
    return {
        "dataset": dataset,
        "column": column,
        "category": category,
        "utterances": len(table),
        "speakers": None if speakers is None else len(known_speakers(speakers)),
        "hours": float(table["duration"].fillna(0).sum()) / 3600,
    }


def sheet_text(sheet: pd.DataFrame, settings: Mapping[str, Mapping[str, Any]]) -> str:
    """Write the data sheet of the test sets as Markdown.

    Args:
        sheet: data sheets of all datasets
        settings: `license`, `note` and `synthetic` of each dataset, by its id

    Returns:
        the text of the page
    """
    lines = ["# Data sheet of the test set", ""]
    for dataset, rows in sheet.groupby("dataset", sort=False):
        known = settings[str(dataset)]
        lines += [f"## {escape(str(dataset))}", ""]
        if known.get("note"):
            lines += [escape(str(known["note"])), ""]
        if known.get("synthetic"):
            lines += ["The speech is synthetic.", ""]
        lines += [f"Licence: {escape(str(known['license']))}", ""]
        cells = rows[["column", "category", "utterances", "speakers", "hours"]].to_numpy(object)
        titles = ["column", "category", "utterances", "speakers", "hours"]
        lines += markdown_table(titles, cells.tolist())
    return "\n".join(lines)
