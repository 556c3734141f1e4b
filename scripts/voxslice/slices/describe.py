"""Describe the utterances of a slice by a rule on the metadata, with precision and recall."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from voxslice.names import NO_RULE
from voxslice.rule_conditions import (
    as_text,
    categories_text,
    interval_text,
    is_numeric,
    missing_text,
    neighbours,
)

MIN_FIT = 0.8
"""Smallest precision and recall of a rule. A rule that fits worse describes other utterances than
those of the slice, so it is not used as its name."""
MIN_F1_GAIN = 0.01
"""Each condition has to raise the F1 score by this much: shorter rules are easier to read."""


@dataclass(frozen=True)
class Rule:
    """A conjunction of conditions, and how well it describes a set of rows.

    Attributes:
        text: the conditions in words, `no rule` if none describes the rows well enough
        precision: share of the rows of the rule that are in the set
        recall: share of the set that is in the rows of the rule
    """

    text: str
    precision: float
    recall: float


def describe(members: np.ndarray, table: pd.DataFrame, features: Sequence[str]) -> Rule:
    """Describe a set of rows by a conjunction of at most one condition per feature.

    A condition is a set of categories or an interval of a number. Conditions are added as long as
    they raise the F1 score of the rule as a detector of the set. At the end, each condition is
    revised, and dropped if the others make it redundant.

    Args:
        members: mask of shape (rows,), true for the rows to describe
        table: the metadata
        features: columns that conditions may use

    Returns:
        the rule; its text is `no rule` if its precision or its recall is below 0.8
    """
    chosen: dict[str, tuple[str, np.ndarray]] = {}
    selected = np.ones(len(table), dtype=bool)
    best = _f1(selected, members)
    while True:
        candidates = [
            (_f1(selected & mask, members), -position, text, mask, feature)
            for position, feature in enumerate(features)
            if feature not in chosen
            for text, mask in _conditions(table[feature], members, selected)
        ]
        if not candidates:
            break
        score, _, text, mask, feature = max(candidates, key=lambda c: c[:2])
        if score < best + MIN_F1_GAIN:
            break
        best, selected = score, selected & mask
        chosen[feature] = (text, mask)
    chosen = _revise(chosen, table, members)
    selected = _all_of(chosen, len(table))
    hits = float((selected & members).sum())
    precision, recall = hits / max(selected.sum(), 1), hits / max(members.sum(), 1)
    if not chosen or min(precision, recall) < MIN_FIT:
        return Rule(NO_RULE, precision, recall)
    return Rule(" & ".join(chosen[f][0] for f in features if f in chosen), precision, recall)


def _revise(
    chosen: Mapping[str, tuple[str, np.ndarray]], table: pd.DataFrame, members: np.ndarray
) -> dict[str, tuple[str, np.ndarray]]:
    """Replace each condition by the best one given the others, or drop it."""
    revised = dict(chosen)
    for feature, before in chosen.items():
        del revised[feature]
        others = _all_of(revised, len(table))
        candidates = [before, *_conditions(table[feature], members, others)]
        scores = [_f1(others & mask, members) for _, mask in candidates]
        if max(scores) >= _f1(others, members) + MIN_F1_GAIN:
            revised[feature] = candidates[int(np.argmax(scores))]
    return revised


def _all_of(conditions: Mapping[str, tuple[str, np.ndarray]], rows: int) -> np.ndarray:
    return np.logical_and.reduce([np.ones(rows, bool), *(mask for _, mask in conditions.values())])


def _f1(selected: np.ndarray, members: np.ndarray) -> float:
    return 2 * float((selected & members).sum()) / max(selected.sum() + members.sum(), 1)


def _conditions(
    column: pd.Series, members: np.ndarray, selected: np.ndarray
) -> Iterator[tuple[str, np.ndarray]]:
    """Candidate conditions on one column: each in words, and the mask of its rows."""
    if is_numeric(column):
        values = column.astype(float).to_numpy()
        missing = np.isnan(values)
        if missing.any():
            yield missing_text(column.name), missing
        inside = values[members & ~missing]
        if len(inside) == 0:
            return
        for ends in ((0, 100), (5, 95), (10, 90)):
            low, high = np.percentile(inside, ends, method="nearest")
            around = neighbours(low, high, values[~missing])
            text = interval_text(column.name, low, high, *around)
            yield text, (values >= low) & (values <= high)
        return
    names = as_text(column)
    counts = pd.DataFrame({"name": names, "member": members})[selected].groupby("name")["member"]
    # the best set of k categories has the k largest shares of members
    order = counts.mean().sort_values(ascending=False, kind="stable")
    order = order[order > 0].index
    for size in range(1, len(order) + 1):
        chosen = list(order[:size])
        yield categories_text(column.name, chosen), np.isin(names, chosen)
