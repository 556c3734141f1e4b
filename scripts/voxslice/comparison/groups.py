"""Groups of utterances that models are compared on: categories of the metadata, and slices."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from voxslice.bins import assign_bins, quantile_edges
from voxslice.names import NO_RULE, cluster_name
from voxslice.rule_conditions import (
    as_text,
    categories_text,
    ends_text,
    interval_text,
    is_numeric,
    neighbours,
)
from voxslice.utterance_keys import KEY

MIN_SUPPORT = 10
"""Smallest number of utterances of a category that is compared."""
NUMBER_GROUPS = 3
"""Groups of about the same size that a number is compared in."""


@dataclass(frozen=True)
class Group:
    """A set of utterances that models are compared on.

    Attributes:
        kind: `all`, `category` (of a metadata column) or `slice` (found for a model)
        rule: the condition or rule in words
        mask: shape (utterances,), true for the utterances of the group
    """

    kind: str
    rule: str
    mask: np.ndarray


def align(scores: Mapping[str, pd.DataFrame]) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Select the utterances that every model has scored.

    Args:
        scores: scores by model

    Returns:
        the keys of these utterances, and the scores of each model on them in the same order
    """
    places = {
        model: pd.Series(np.arange(len(table)), pd.MultiIndex.from_frame(table[KEY]))
        for model, table in scores.items()
    }
    joined = pd.concat(places, axis=1, join="inner")
    keys = joined.index.to_frame(index=False)
    return keys, {m: scores[m].iloc[joined[m]].reset_index(drop=True) for m in scores}


def slice_groups(
    keys: pd.DataFrame, tables: Sequence[pd.DataFrame], members: Sequence[pd.DataFrame]
) -> dict[str, Group]:
    """Make a group of each slice. A slice of several models is one group.

    Args:
        keys: keys of the compared utterances
        tables: the slices of each model
        members: the utterances of these slices

    Returns:
        groups by the id of the slice; a slice without a rule is named as a cluster
    """
    index = pd.MultiIndex.from_frame(keys[KEY])
    rules: dict[str, str] = {}
    for row in (row for table in tables for row in table.to_dict("records")):
        name = row["slice"]
        if row["rule"] != NO_RULE:
            rules[name] = row["rule"]
        else:
            rules.setdefault(name, cluster_name(name, row["search"]))
    everyone = pd.concat(list(members), ignore_index=True)
    return {
        name: Group("slice", rule, index.isin(pd.MultiIndex.from_frame(rows[KEY])))
        for name, rule in rules.items()
        for rows in [everyone[everyone["slice"] == name]]
    }


def category_groups(table: pd.DataFrame, others: Mapping[str, Group]) -> dict[str, Group]:
    """Make a group of each category of the metadata columns, and three groups of each number.

    A group is left out if it has fewer than ten utterances, if it holds all utterances, or if
    another group holds the same utterances.

    Args:
        table: the metadata columns of the compared utterances
        others: groups that are already compared

    Returns:
        groups by ids such as `emotion=anger` or `age=21..30`
    """
    seen = {group.mask.tobytes() for group in others.values()}
    seen.add(np.ones(len(table), dtype=bool).tobytes())
    groups: dict[str, Group] = {}
    for name in table:
        parts = _intervals(table[name]) if is_numeric(table[name]) else _categories(table[name])
        for short, rule, mask in parts:
            if mask.sum() >= MIN_SUPPORT and mask.tobytes() not in seen:
                seen.add(mask.tobytes())
                groups[f"{name}={short}"] = Group("category", rule, mask)
    return groups


def _categories(column: pd.Series) -> list[tuple[str, str, np.ndarray]]:
    """Short name, condition and mask of each category with enough utterances."""
    names = as_text(column)
    counts = Counter(names)  # a column of texts may have a category for each utterance
    large = sorted(name for name, count in counts.items() if count >= MIN_SUPPORT)
    return [(x, categories_text(column.name, [x]), names == x) for x in large]


def _intervals(column: pd.Series) -> list[tuple[str, str, np.ndarray]]:
    """Short name, condition and mask of groups of a number, without missing values."""
    values = column.astype(float).to_numpy()
    finite = values[np.isfinite(values)]
    if len(finite) == 0:
        return []
    edges = quantile_edges(finite, NUMBER_GROUPS)
    group = np.where(np.isfinite(values), assign_bins(values, edges), -1)
    parts = []
    for number in np.unique(group[group >= 0]):
        mask = group == number
        low, high = values[mask].min(), values[mask].max()
        ends = low, high, *neighbours(low, high, finite)
        parts.append((ends_text(*ends), interval_text(column.name, *ends), mask))
    return parts
