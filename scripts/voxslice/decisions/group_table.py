"""The group table: how good a model is for each group of people, with its uncertainty.

It follows ISO/IEC 19795-10:2024, which asks for the variation of performance across demographic
groups together with its statistical uncertainty.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from voxslice.comparison.groups import category_groups
from voxslice.decisions.estimate import estimate, interval
from voxslice.rule_conditions import MISSING, as_text, categories_text, category_order, is_numeric
from voxslice.scores.bootstrap import FEW_SPEAKERS, LEVEL
from voxslice.speakers import count_speakers, speakers_of
from voxslice.task import Task
from voxslice.units import units_of
from voxslice.utterance_keys import KEY

GROUP_COLUMNS = [
    "dataset", "task", "column", "group", "demographic", "support", "speakers", "metric", "value",
    "low", "high", "others", "reliable",
]  # fmt: skip
MAX_CATEGORIES = 30
"""Largest number of categories of a column that are listed."""


def group_table(
    scores: pd.DataFrame,
    metadata: pd.DataFrame,
    *,
    dataset: str,
    task_name: str,
    task: Task,
    columns: Sequence[str],
    demographic: Sequence[str],
    units: Sequence[str] = (),
) -> pd.DataFrame:
    """Measure a model in each group of utterances.

    Args:
        scores: scores of the model
        metadata: the metadata of all utterances
        dataset: id of the dataset
        task_name: id of the task
        task: what is measured
        columns: columns of the metadata whose categories are groups; of numbers, three groups of
            about the same size
        demographic: columns that describe the speaker
        units: columns of the metadata that name units beside the speaker

    Returns:
        one row per group, in the columns `GROUP_COLUMNS`: number of utterances (`support`) and
        known `speakers`; accuracy or mean absolute error with its 95 % interval by speaker; that of
        all `others`; and `reliable`, whether there are enough speakers for the interval. Columns
        with more than 30 categories are left out
    """
    described = scores[KEY].merge(metadata, on=KEY, how="left")
    speakers, others = speakers_of(scores, metadata), units_of(scores, metadata, units)
    loss = scores["loss"].to_numpy(float)
    rows = []
    for column in columns:
        for name, inside in _groups(described, column):
            if not inside.any():
                continue
            own = None if speakers is None else speakers[inside]
            found = estimate(
                [pd.DataFrame({"loss": loss[inside]})],
                own,
                task.metric,
                [unit[inside] for unit in others],
            )
            low, high = interval(found, LEVEL)
            known = count_speakers(own)
            rest = task.metric_of(float(loss[~inside].mean())) if (~inside).any() else np.nan
            rows.append(
                {
                    "dataset": dataset,
                    "task": task_name,
                    "column": column,
                    "group": name,
                    "demographic": column in demographic,
                    "support": int(inside.sum()),
                    "speakers": known,
                    "metric": task.metric,
                    "value": found.value,
                    "low": low,
                    "high": high,
                    "others": rest,
                    "reliable": known is not None and known >= FEW_SPEAKERS,
                }
            )
    return pd.DataFrame(rows, columns=GROUP_COLUMNS).astype({"speakers": "Int64"})


def _groups(table: pd.DataFrame, column: str) -> list[tuple[str, np.ndarray]]:
    """Name and utterances of each group of a column."""
    values = table[column]
    if is_numeric(values):
        groups = category_groups(table[[column]], {})
        return [(group.rule, group.mask) for group in groups.values()]
    names = [name for name in category_order(values) if name != MISSING]
    if len(names) > MAX_CATEGORIES:
        return []
    texts = as_text(values)
    return [(categories_text(column, [name]), texts == name) for name in names]
