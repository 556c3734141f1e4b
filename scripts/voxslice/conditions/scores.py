"""The scores of a model in all conditions of a dataset, as one table."""

from collections.abc import Iterable, Mapping

import pandas as pd

CONDITION = "condition"
"""Column that holds the id of the condition."""


def joined(scores: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Write the scores in all conditions as one table.

    Args:
        scores: scores in each condition, one row per utterance

    Returns:
        the rows of all conditions, in their order, with `condition` as the first column
    """
    tables = [table.copy() for table in scores.values()]
    for condition, table in zip(scores, tables, strict=True):
        table.insert(0, CONDITION, condition)
    return pd.concat(tables, ignore_index=True)


def separated(table: pd.DataFrame, conditions: Iterable[str]) -> dict[str, pd.DataFrame]:
    """Take the scores in some conditions from a table that `joined` made.

    Args:
        table: scores in all conditions
        conditions: ids of the conditions that are taken

    Returns:
        scores in each of these conditions, one row per utterance
    """
    scores = table.drop(columns=CONDITION)
    return {
        name: scores[(table[CONDITION] == name).to_numpy()].reset_index(drop=True)
        for name in conditions
    }
