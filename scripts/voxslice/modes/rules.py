"""Read rules of slices again: which column a condition is on, its utterances, its name in words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from voxslice.rule_conditions import MISSING, as_text, is_numeric

NO_RULE = "no rule"
LEVEL_NAME = re.compile(r"(low|middle|high)( |$)")
"""A bin of a computed column, such as `high 0.741..1`."""
NEEDS_COLUMN = {"yes", "no", "true", "false", "unknown", "other", "none"}
"""Categories that mean nothing without the name of their column."""


@dataclass(frozen=True)
class Condition:
    """One condition of a rule.

    Attributes:
        column: name of the column
        words: the condition in words, such as `male` or `pitch from 159 to 345 Hz`
        mask: the utterances that fulfil it, shape (utterances,)
    """

    column: str
    words: str
    mask: np.ndarray


def read_rule(
    rule: str, table: pd.DataFrame, units: Mapping[str, str] | None = None
) -> list[Condition]:
    """Read the conditions of a rule that is written as in the table of slices.

    Args:
        rule: conditions joined by ` & `
        table: the metadata, one row per utterance
        units: unit of each column that has one

    Returns:
        the conditions in the order of the rule; empty if the text is not a rule on these columns
    """
    parts = rule.split(" & ")
    conditions: list[Condition] = []
    while parts:
        # a category may contain the separator: take as few parts as give a condition
        for size in range(1, len(parts) + 1):
            condition = _read_condition(" & ".join(parts[:size]), table, units or {})
            if condition is not None:
                conditions.append(condition)
                parts = parts[size:]
                break
        else:
            return []
    return conditions


def utterances_of(conditions: list[Condition]) -> np.ndarray:
    """The utterances that fulfil all conditions, shape (utterances,)."""
    return np.logical_and.reduce([condition.mask for condition in conditions])


def in_words(conditions: list[Condition]) -> str:
    """The conditions in words, such as `male, anger`."""
    return ", ".join(condition.words for condition in conditions)


def _read_condition(text: str, table: pd.DataFrame, units: Mapping[str, str]) -> Condition | None:
    """Read one condition; None if the text is none."""
    for name in sorted(map(str, table.columns), key=len, reverse=True):
        if text.startswith(f"{name} "):
            column, rest = table[name], text[len(name) + 1 :]
            read = _read_missing(name, column, rest)
            if read is None and is_numeric(column):
                read = _read_interval(name, column, rest, units.get(name, ""))
            elif read is None:
                read = _read_categories(name, column, rest)
            if read is not None:
                words, mask = read
                return Condition(name, words, mask)
    return None


def _read_missing(name: str, column: pd.Series, rest: str) -> tuple[str, np.ndarray] | None:
    return (f"no {name}", column.isna().to_numpy()) if rest == MISSING else None


def _read_interval(
    name: str, column: pd.Series, rest: str, unit: str
) -> tuple[str, np.ndarray] | None:
    """Read `= 31`, `in 30..42`, `at most 42` or `at least 30`."""
    values = column.to_numpy(dtype=float, na_value=np.nan)
    number = r"(-?[0-9][^ ]*?)"
    if found := re.fullmatch(rf"in {number}\.\.{number}", rest):
        low, high = map(float, found.groups())
        words = f"{name} from {found[1]} to {found[2]} {unit}"
        return words.rstrip(), (values >= low) & (values <= high)
    if found := re.fullmatch(rf"(=|at most|at least) {number}", rest):
        sign, limit = found[1], float(found[2])
        compare = {"=": np.equal, "at most": np.less_equal, "at least": np.greater_equal}[sign]
        words = f"{name} {found[2]} {unit}" if sign == "=" else f"{name} {rest} {unit}"
        return words.rstrip(), compare(values, limit)
    return None


def _read_categories(name: str, column: pd.Series, rest: str) -> tuple[str, np.ndarray] | None:
    """Read `= anger` or `in {anger, fear}`."""
    texts = as_text(column)
    occurring = set(texts)
    if rest.startswith("= ") and rest[2:] in occurring:
        chosen = [rest[2:]]
    elif rest.startswith("in {") and rest.endswith("}"):
        chosen = _split(rest[4:-1], occurring)
    else:
        return None
    return (category_words(name, chosen), np.isin(texts, chosen)) if chosen else None


def _split(text: str, categories: set[str]) -> list[str]:
    """Split a list of categories, which may contain the separator; empty if it is no such list."""
    parts, chosen = text.split(", "), []
    while parts:
        for size in range(1, len(parts) + 1):
            name = ", ".join(parts[:size])
            if name in categories:
                chosen.append(name)
                parts = parts[size:]
                break
        else:
            return []
    return chosen


def category_words(name: str, chosen: list[str]) -> str:
    """Name categories of a column in words.

    Args:
        name: name of the column
        chosen: the categories

    Returns:
        the categories, with the column if they mean nothing without it, as in `smoker yes`
    """
    levels = [LEVEL_NAME.match(category) for category in chosen]
    if all(levels):
        return f"{' or '.join(level[1] for level in levels if level)} {name}"
    listed = " or ".join(f"no {name}" if category == MISSING else category for category in chosen)
    alone = all(
        len(category) > 2 and category.lower() not in NEEDS_COLUMN and not category[0].isdigit()
        for category in chosen
    )
    return listed if alone else f"{name} {listed}"
