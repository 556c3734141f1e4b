"""Datasets that are a CSV table beside a folder of audio: their utterances and their metadata."""

from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from voxslice.data.column_types import remark_on_numbers, remark_on_text, typed
from voxslice.data.selection import kept
from voxslice.data.unit_columns import as_text, unit_columns
from voxslice.data.user_tables import read_table, times
from voxslice.data.utterances import ordered, require_inside, with_ends
from voxslice.errors import InputError
from voxslice.utterance_keys import KEY


def list_utterances(
    path: str | Path,
    audio: str | Path,
    filters: Mapping[str, Mapping[str, Any]],
    links: str = "inside",
) -> pd.DataFrame:
    """List the utterances of a dataset: the rows of its table.

    Args:
        path: table with `file` (relative to the folder) and, optionally, `start` and `end` in
            seconds; an utterance without a start begins with its file, one without an end ends with
            its file
        audio: folder of the audio files
        filters: for each name the `column` of the table and the `values` that are kept
        links: whether symbolic links may lead out of the folder (see `require_inside`)

    Returns:
        `file`, `start`, `end` and `duration` in seconds, ordered by key

    Raises:
        InputError: if the table cannot be read, lacks a column or the name of a file, lists an
            utterance twice, names a file outside the folder, has an invalid time, or if a filter
            keeps nothing
    """
    table = read_table(path)
    keys = _keys(table, str(path))
    if filters:
        values = pd.DataFrame(
            {name: _column(table, source["column"], str(path)) for name, source in filters.items()}
        )
        wanted = {name: source["values"] for name, source in filters.items()}
        keys = keys[kept(values, wanted, str(path))]
    require_inside(keys["file"], audio, str(path), links)
    return ordered(with_ends(keys.reset_index(drop=True), audio), str(path))


def read_cells(path: str | Path, utterances: pd.DataFrame) -> pd.DataFrame:
    """Read the row of each utterance in its table.

    Args:
        path: the table that lists the utterances
        utterances: `file`, `start` and `end` in seconds

    Returns:
        all columns of the table as text, one row per utterance

    Raises:
        InputError: if the table no longer lists the utterances
    """
    table = read_table(path)
    rows = _rows(_keys(table, str(path)), utterances, str(path))
    return table.iloc[rows].reset_index(drop=True)


def select_unit_columns(
    utterances: pd.DataFrame, cells: pd.DataFrame, known: Collection[str]
) -> pd.DataFrame:
    """Select the columns that describe a unit by their name, and that the config does not name.

    Args:
        utterances: one row per utterance
        cells: text of the same utterances, as `read_cells` returns it
        known: names of the columns that are left out

    Returns:
        the keys of the utterances, and one text column per unit; its name is the settings of the
        column in the config
    """
    table = utterances[KEY].copy()
    for source in unit_columns({"column": name} for name in cells if name not in known):
        table[as_text(source)] = cells[source["column"]].to_numpy()
    return table


def add_columns(
    utterances: pd.DataFrame,
    cells: pd.DataFrame,
    columns: Mapping[str, Mapping[str, str]],
    source: str,
) -> pd.DataFrame:
    """Add columns of text cells to utterances, with the types that they have.

    Args:
        utterances: one row per utterance
        cells: text of the same utterances, as `read_cells` returns it
        columns: for each new column the `column` of the table and, if the config sets it, its
            `type`: `number` or `category`
        source: name of the table, for messages

    Returns:
        the utterances with the new columns, `speaker` first if there is one. The type of a column
        is decided by `voxslice.data.column_types.typed`; a speaker is always text

    Raises:
        InputError: if there is no such column, or a cell of a column of numbers is not a number
    """
    result = utterances.copy()
    for name in sorted(columns, key=lambda name: name != "speaker"):  # sorting is stable
        column = _column(cells, columns[name]["column"], source).rename(name)
        result[name] = column if name == "speaker" else _typed(column, columns[name], source)
    return result


def _typed(cells: pd.Series, settings: Mapping[str, str], source: str) -> pd.Series:
    """Give the cells of a column their type, and print a remark if cells may have been misread."""
    values = typed(cells, settings.get("type"), source=source)
    remark = remark_on_text(values) if values is cells else remark_on_numbers(cells)
    if remark and settings.get("type") != "category":
        print(remark)
    return values


def _keys(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """Read `file`, `start` and `end` of each row of a table; an open end is NaN."""
    files = _column(table, "file", source)
    if files.isna().any():
        number = int(files.isna().to_numpy().argmax()) + 1
        raise InputError(f"Row {number} of {source} names no file: fill it in or remove the row.")
    # ./a.wav and a.wav are one file
    keys = pd.DataFrame({"file": [PurePosixPath(file).as_posix() for file in files]}, dtype=object)
    for name in ("start", "end"):
        keys[name] = times(table, name, source) if name in table else np.nan
    keys["start"] = keys["start"].fillna(0.0)
    wrong = (keys["start"] < 0) | (keys["end"] <= keys["start"])
    if wrong.any():
        row = keys[wrong].iloc[0]
        end = "" if np.isnan(row["end"]) else f" to {row['end']:g}"
        raise InputError(
            f"{source} has an utterance of {row['file']} from {row['start']:g}{end} s:"
            " correct its start and end, which are seconds from the beginning of the file."
        )
    if keys.duplicated().any():
        twice = keys.loc[keys.duplicated(), "file"].iloc[0]
        raise InputError(f"{source} lists {twice} more than once: remove the repetition.")
    return keys


def _column(table: pd.DataFrame, name: str, source: str) -> pd.Series:
    if name not in table:
        raise InputError(
            f"{source} has no column {name!r}, but {', '.join(table.columns)}: correct the name, or"
            " save the table with a header line."
        )
    return table[name]


def _rows(keys: pd.DataFrame, utterances: pd.DataFrame, source: str) -> np.ndarray:
    """Row of each utterance in the table: the row with its end, or else one with an open end."""
    rows = np.full(len(utterances), -1)
    for names, candidates in ((KEY, keys["end"].notna()), (KEY[:2], keys["end"].isna())):
        index = pd.MultiIndex.from_frame(keys.loc[candidates, names])
        found = index.get_indexer(pd.MultiIndex.from_frame(utterances[names]))
        new = (rows < 0) & (found >= 0)
        rows[new] = np.flatnonzero(candidates)[found[new]]
    if (rows < 0).any():
        file = utterances["file"].iloc[int((rows < 0).argmax())]
        raise InputError(
            f"{source} changed while it was read, it has no row for {file}: try again."
        )
    return rows
