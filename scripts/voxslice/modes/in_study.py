"""Failure modes that still count when all searches of the study are taken together."""

import numpy as np
import pandas as pd

from voxslice.files import as_booleans
from voxslice.slices.study_level import holding_searches


def count_in_study(
    modes: pd.DataFrame, searches: pd.DataFrame, dataset: str, task: str
) -> pd.DataFrame:
    """Leave a mode confirmed only if one of its searches counts in the whole study.

    Args:
        modes: the failure modes of a task, as the workflow writes them
        searches: the searches of the study, see `voxslice.slices.study_level.judge_searches`
        dataset: id of the dataset
        task: id of the task

    Returns:
        the modes with `confirmed` adjusted; the new column `only_in_search` is true for the rows
        that were confirmed, but only by searches that do not count in the study
    """
    holding = holding_searches(searches, dataset, task)
    confirmed = as_booleans(modes["confirmed"])
    named = modes["confirmed_by"].fillna("").astype(str).str.split(", ")
    holds = np.array(
        [
            bool(holding.get(str(model), set()) & set(names))
            for model, names in zip(modes["model"], named, strict=True)
        ],
        dtype=bool,
    )
    return modes.assign(confirmed=confirmed & holds, only_in_search=confirmed & ~holds)
