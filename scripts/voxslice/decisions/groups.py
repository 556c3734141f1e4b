"""The groups of utterances that a check is on: all, failure modes, or categories of columns."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from voxslice.comparison.groups import category_groups
from voxslice.errors import InputError
from voxslice.files import as_booleans
from voxslice.modes.table import REST
from voxslice.rule_conditions import MISSING, as_text, categories_text, category_order, is_numeric
from voxslice.utterance_keys import KEY

ALL = "all utterances"
EACH = "each"
"""Value of a column that stands for each of its categories."""
MODE = "mode"
"""Key of a check that names a failure mode instead of a column."""
MAX_NAMES = 20
"""Most categories or failure modes that a sentence lists."""


@dataclass(frozen=True)
class CheckedGroup:
    """A group of utterances that a check is on.

    Attributes:
        name: the group in words
        mask: shape (utterances,), true for the utterances of the group
        note: what to bear in mind about the group, empty if nothing
    """

    name: str
    mask: np.ndarray
    note: str = ""


def checked_groups(
    check: Mapping[str, Any],
    metadata: pd.DataFrame,
    modes: pd.DataFrame | None,
    members: pd.DataFrame | None,
) -> list[CheckedGroup]:
    """List the groups of utterances that a check is on.

    Args:
        check: the check: `on`, `model` and `against`
        metadata: the metadata of all utterances
        modes: failure modes of all models; None if no check needs them
        members: `mode` and the keys of the utterances of each mode; None as well

    Returns:
        the groups; none if the check is on the failure modes and no mode is confirmed

    Raises:
        InputError: a category or a failure mode does not exist
    """
    on = check["on"]
    if on == "overall":
        return [CheckedGroup(ALL, np.ones(len(metadata), dtype=bool))]
    if on == "modes":
        on = {MODE: EACH}
    parts = [
        _modes(check, str(value), metadata, modes, members)
        if column == MODE
        else _categories(check, column, value, metadata)
        for column, value in on.items()
    ]
    return [
        CheckedGroup(
            ", ".join(group.name for group in groups),
            np.logical_and.reduce([group.mask for group in groups]),
            " ".join(dict.fromkeys(group.note for group in groups if group.note)),
        )
        for groups in product(*parts)
    ]


def _categories(
    check: Mapping[str, Any], column: str, value: Any, metadata: pd.DataFrame
) -> list[CheckedGroup]:
    """The groups of one category of a column, or of each category."""
    values = metadata[column]
    if value == EACH:
        if is_numeric(values):
            groups = category_groups(metadata[[column]], {})
            return [CheckedGroup(group.rule, group.mask) for group in groups.values()]
        names = as_text(values)
        return [
            CheckedGroup(categories_text(column, [name]), names == name)
            for name in category_order(values)
            if name != MISSING
        ]
    if is_numeric(values):
        name, mask = f"{column} = {value}", _equal(values, value)
    else:
        name, mask = categories_text(column, [str(value)]), as_text(values) == str(value)
    if not mask.any():
        known = "the numbers" if is_numeric(values) else "the categories"
        raise InputError(
            f"checks.{check['check'] - 1}.on.{column}: no utterance has the value {str(value)!r};"
            f" {known} are {_listed(category_order(values))}."
        )
    return [CheckedGroup(name, mask)]


def _equal(values: pd.Series, value: Any) -> np.ndarray:
    """Which numbers are equal to a value of the config; none if the value is no number."""
    try:
        return values.to_numpy(dtype=float, na_value=np.nan) == float(value)
    except (TypeError, ValueError):
        return np.zeros(len(values), dtype=bool)


def _modes(
    check: Mapping[str, Any],
    value: str,
    metadata: pd.DataFrame,
    modes: pd.DataFrame | None,
    members: pd.DataFrame | None,
) -> list[CheckedGroup]:
    """The utterances of one failure mode, or of each confirmed mode of the baseline."""
    if modes is None or members is None:
        raise ValueError("a check on failure modes needs their tables")
    owner = check["against"] or check["model"]
    modes = modes[modes["mode"].astype(str) != REST]
    if value == EACH:
        own = (modes["model"] == owner) & as_booleans(modes["confirmed"])
        chosen = modes[own]
    else:
        named = [modes[name].astype(str) == value for name in ("mode", "name", "rule")]
        chosen = modes[np.logical_or.reduce(named)].drop_duplicates("mode")
        if not len(chosen):
            names = list(dict.fromkeys(modes["name"].astype(str)))
            known = f"the modes are {_listed(names)}" if names else "no search found one"
            raise InputError(
                f"checks.{check['check'] - 1}.on.mode: there is no failure mode {value!r}; {known}."
            )
    note = (
        f"The mode was chosen because of errors on these utterances, so the difference from {owner}"
        " is too favourable."
        if check["against"]
        else "The mode was chosen because of errors on these utterances, so it looks worse than it"
        " is."
    )
    keys = pd.MultiIndex.from_frame(metadata[KEY])
    confirmed = modes[(modes["model"] == owner) & as_booleans(modes["confirmed"])]["mode"]
    suggested = f"The mode is not confirmed for {owner}. "
    return [
        CheckedGroup(
            str(row["name"]),
            keys.isin(pd.MultiIndex.from_frame(members.loc[_is_mode(members, row), KEY])),
            note if row["mode"] in set(confirmed) else suggested + note,
        )
        for row in chosen.to_dict("records")
    ]


def _is_mode(members: pd.DataFrame, row: Mapping[Any, Any]) -> pd.Series:
    """Which rows of the members belong to a mode."""
    return members["mode"].astype(str) == str(row["mode"])


def _listed(names: list[str]) -> str:
    """Names with commas; the first ones if there are many."""
    more = len(names) - MAX_NAMES
    return ", ".join(names[:MAX_NAMES]) + (f" and {more} more" if more > 0 else "")
