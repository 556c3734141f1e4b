"""The searches of a whole study: which of them find a slice if all of them count."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from voxslice.multiple_tests import holm
from voxslice.slices.table import SEARCH_COLUMNS

STUDY_COLUMNS = ["dataset", "task", "model", *SEARCH_COLUMNS, "q_study", "holds", "level"]


@dataclass(frozen=True)
class Searches:
    """The searches of one model for one task.

    Attributes:
        dataset: id of the dataset
        task: id of the task
        model: id of the model
        table: one row per search, in the columns `SEARCH_COLUMNS`
    """

    dataset: str
    task: str
    model: str
    table: pd.DataFrame


def judge_searches(searches: Sequence[Searches], alpha: float) -> pd.DataFrame:
    """Adjust the p-values of all searches of a study for each other.

    Each search confirms a slice by chance with a probability of `alpha`. So a study with many
    searches often confirms something by chance. The method of Holm adjusts the p-values of the
    searches, whatever the models, tasks and searches have in common. It keeps the chance that any
    search without a slice still counts, and not only the average share of such searches, as the
    method of Benjamini and Yekutieli does: a reader takes each finding by itself. A search that
    tested no rule cannot find anything, so it is not counted.

    Args:
        searches: the searches of each model and task
        alpha: largest chance that any search without a slice counts

    Returns:
        one row per search, in the columns `STUDY_COLUMNS`: `q_study` is the adjusted p-value,
        missing if the search tested nothing; `holds` is whether the search has confirmed slices
        and `q_study` is at most `alpha`; `level` is `alpha`
    """
    tables = [
        one.table.assign(dataset=one.dataset, task=one.task, model=one.model) for one in searches
    ]
    table = pd.concat(tables, ignore_index=True).reindex(columns=STUDY_COLUMNS)
    # sliceguard counts no rules
    tested = (table["searched"].isna() | (table["searched"] > 0)).to_numpy(dtype=bool)
    q = pd.Series(float("nan"), table.index)
    q[tested] = holm(table.loc[tested, "p"].to_numpy(float))
    holds = (table["confirmed"] > 0) & (q <= alpha)
    return table.assign(q_study=q, holds=holds.astype(bool), level=alpha)


def holding_searches(study: pd.DataFrame, dataset: str, task: str) -> dict[str, set[str]]:
    """Find the searches of a task whose slices count in the whole study.

    Args:
        study: the searches of the study, as `judge_searches` returns them
        dataset: id of the dataset
        task: id of the task

    Returns:
        for each model the names of these searches
    """
    rows = study[(study["dataset"] == dataset) & (study["task"] == task)]
    return {
        str(model): set(part.loc[part["holds"].astype(bool), "search"])
        for model, part in rows.groupby("model", sort=False)
    }
