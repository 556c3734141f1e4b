"""Read the files of the workflow from which the report is made."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from voxslice.data.measure_reasons import reasons_of
from voxslice.files import read_csv
from voxslice.report.study import Model
from voxslice.utterance_keys import KEY


@dataclass(frozen=True)
class ModelFiles:
    """Paths of the files of a compared model.

    Args:
        card: the file model.json of the model (JSON)
        summary: how the model was scored (JSON)
        scores: one row per utterance (Parquet)
        slices: one row per slice (CSV)
        members: the utterances of the slices (Parquet)
        searches: one row per search for slices (CSV)
        failures: the utterances that the model could not score (CSV)
    """

    card: str
    summary: str
    scores: str
    slices: str
    members: str
    searches: str
    failures: str


def read_json(path: str) -> dict[str, Any]:
    """Read a JSON object from a file."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def read_model(name: str, settings: Mapping[str, str], files: ModelFiles) -> Model:
    """Read the results of a compared model.

    Args:
        name: id of the model
        settings: `license` and `note` of the model in the config
        files: paths of the files of the model

    Returns:
        the model
    """
    return Model(
        name=name,
        settings=settings,
        card=read_json(files.card),
        summary=read_json(files.summary),
        scores=pd.read_parquet(files.scores),
        slices=read_csv(files.slices),
        members=pd.read_parquet(files.members),
        searches=read_csv(files.searches),
        failures=read_csv(files.failures),
    )


def read_costs(paths: Sequence[str]) -> pd.DataFrame:
    """Read the costs of all models that were measured.

    Args:
        paths: CSV files, one per model

    Returns:
        the rows of all files; empty if there is no file
    """
    return pd.concat([read_csv(path) for path in paths]) if paths else pd.DataFrame()


def read_measures(paths: Sequence[str]) -> dict[str, pd.DataFrame]:
    """Read the measures of a dataset.

    Args:
        paths: Parquet files, one per shard

    Returns:
        by measure, a table with the measure of each utterance, and the `reason` if it is missing
    """
    if not paths:
        return {}
    table = pd.concat(map(pd.read_parquet, paths), ignore_index=True)
    names = [name for name in table if name not in (*KEY, "reason")]
    return {name: table[[*KEY, name]].assign(reason=reasons_of(table, name)) for name in names}


def read_silence(paths: Sequence[str]) -> pd.DataFrame:
    """Read which utterances are silent.

    Args:
        paths: CSV files, one per model

    Returns:
        one row per silent utterance, with its keys and the `reason`
    """
    tables = [pd.DataFrame(columns=[*KEY, "reason"]), *(read_csv(path) for path in paths)]
    return pd.concat(tables).drop_duplicates(KEY)


def read_first(paths: Sequence[str], columns: Sequence[str]) -> pd.DataFrame:
    """Read a table that not every dataset and task has.

    Args:
        paths: path of the table; none if there is no table
        columns: columns of an empty table

    Returns:
        the table, empty if there is none
    """
    return read_csv(paths[0]) if paths else pd.DataFrame(columns=list(columns))


def read_modes(path: str) -> pd.DataFrame:
    """Read a table about failure modes, whose ids are text.

    Args:
        path: CSV file or Parquet file with the column `mode`

    Returns:
        the table
    """
    table = read_csv(path) if path.endswith(".csv") else pd.read_parquet(path)
    return table.astype({"mode": str})
