"""The slices of all searches and models of a task, each once."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from voxslice.modes.rules import (
    NO_RULE,
    Condition,
    category_words,
    in_words,
    read_rule,
    utterances_of,
)
from voxslice.rule_conditions import as_text, is_numeric
from voxslice.units import COPIES
from voxslice.utterance_keys import KEY

MIN_FIT = 0.8
"""Smallest precision and recall of a rule that names a slice."""
MIN_TYPICAL = 0.6
"""Smallest share of a category that is typical of a cluster."""
MIN_LIFT = 1.25
"""Smallest ratio of that share to the share of the category among all utterances."""
TYPICAL_SHOWN = 3
"""Largest number of categories that describe a cluster."""


@dataclass
class Candidate:
    """A set of utterances that at least one search has found.

    Attributes:
        mask: its utterances, shape (utterances,). If a rule names it, these are the utterances of
            the rule
        name: the set in words
        rule: the rule that names it, empty for a cluster
        conditions: the conditions of that rule
        precision: of the rule as a description of the slice, NaN for a cluster
        recall: of the rule
        tested: whether a search has tested exactly these utterances
        rows: rows of the tables of slices, with the column `model`
    """

    mask: np.ndarray
    name: str
    rule: str
    conditions: list[Condition]
    precision: float
    recall: float
    tested: bool
    rows: list[pd.Series] = field(default_factory=list)

    def confirmed_for(self, model: str) -> bool:
        """Whether a slice with these utterances is confirmed for a model."""
        return any(row["model"] == model and bool(row["confirmed"]) for row in self.rows)

    def only_suggested(self, model: str) -> bool:
        """Whether a slice was found for a model, by more than one seed, and is not confirmed."""
        found = any(row["model"] == model and row["stability"] != 0 for row in self.rows)
        return found and not any(bool(row["confirmed"]) for row in self.rows)

    def uses(self, columns: Collection[str]) -> bool:
        """Whether a condition is on one of some columns."""
        return any(condition.column in columns for condition in self.conditions)


def gather(
    slices: Mapping[str, pd.DataFrame],
    members: Mapping[str, pd.DataFrame],
    metadata: pd.DataFrame,
    units: Mapping[str, str],
) -> list[Candidate]:
    """Collect the slices of all models.

    A rule names a slice if its precision and recall are at least 0.8. Then the candidate holds the
    utterances of the rule, so that every figure beside the name belongs to the name.

    Args:
        slices: table of slices of each model
        members: `slice` and the keys of the utterances of the slices of each model
        metadata: the metadata of all utterances
        units: unit of each column that has one

    Returns:
        one candidate per set of utterances
    """
    index = pd.MultiIndex.from_frame(metadata[KEY])
    found: dict[bytes, Candidate] = {}
    for model, table in slices.items():
        keys = {name: rows[KEY] for name, rows in members[model].groupby("slice", sort=False)}
        table = table.assign(model=model, number=table.groupby("search").cumcount() + 1)
        for _, row in table.iterrows():
            held = np.zeros(len(metadata), dtype=bool)
            held[index.get_indexer(pd.MultiIndex.from_frame(keys[row["slice"]]))] = True
            candidate = _candidate(row, held, metadata, units)
            known = found.setdefault(candidate.mask.tobytes(), candidate)
            if candidate.rule and not known.rule:
                known = found[candidate.mask.tobytes()] = replace(candidate, rows=known.rows)
            known.tested = known.tested or candidate.tested
            known.rows.append(row)
    return list(found.values())


def _candidate(
    row: pd.Series, held: np.ndarray, metadata: pd.DataFrame, units: Mapping[str, str]
) -> Candidate:
    """Name the utterances of a slice by its rule, or as a cluster."""
    precision, recall = float(row["precision"]), float(row["recall"])
    if row["rule"] != NO_RULE and min(precision, recall) >= MIN_FIT:
        conditions = read_rule(str(row["rule"]), metadata, units)
        if conditions:
            mask = utterances_of(conditions)
            # a rule that was not read as it was meant would hold other utterances
            if np.isclose((mask & held).sum() / max(held.sum(), 1), recall):
                name = in_words(conditions)
                tested = bool(precision == recall == 1)
                return Candidate(mask, name, row["rule"], conditions, precision, recall, tested)
    name = f"cluster {row['number']} of the search {row['search']}"
    typical = ", ".join(_typical(held, metadata))
    name += f": {typical}" if typical else ""
    return Candidate(held, name, "", [], np.nan, np.nan, True)


def _typical(held: np.ndarray, metadata: pd.DataFrame) -> list[str]:
    """Categories that most utterances of a cluster have, and more of them than all utterances."""
    found = []
    for column in metadata.columns.drop([*KEY, "speaker", COPIES], errors="ignore"):
        if is_numeric(metadata[column]):
            continue
        texts = pd.Series(as_text(metadata[column]))
        shares = texts[held].value_counts(normalize=True)
        if len(shares) and shares.iloc[0] >= MIN_TYPICAL:
            top, share = str(shares.index[0]), float(shares.iloc[0])
            lift = share / float((texts == top).mean())
            if lift >= MIN_LIFT:
                words = category_words(str(column), [top])
                found.append(
                    (lift, f"mostly {words} ({100 * share:.0f} %)" if share < 1 else words)
                )
    return [words for _, words in sorted(found, key=lambda item: -item[0])[:TYPICAL_SHOWN]]
