"""The table of checks: each is passed, failed or undecided."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from voxslice.comparison.groups import align
from voxslice.comparison.paired_tests import ALPHA, fewest_speakers
from voxslice.decisions.estimate import Estimate, estimate, interval
from voxslice.decisions.groups import ALL, CheckedGroup, checked_groups
from voxslice.decisions.power import detectable_drop, more_speakers
from voxslice.names import FAILED, PASSED, UNDECIDED
from voxslice.scores.clusters import MIN_UNITS, crossing_units
from voxslice.speakers import count_speakers, speakers_of
from voxslice.units import Index, units_of
from voxslice.utterance_keys import KEY

ANSWERS = (FAILED, UNDECIDED, PASSED)
"""The answers of a check, the worst first."""
RISING = ("at_least", "above")
"""Limits that a quantity has to reach from above; the others are `at_most` and `below`."""
CHECK_COLUMNS = [
    "check", "model", "against", "quantity", "group", "support", "speakers", "value", "low", "high",
    "level", "relation", "limit", "answer", "detectable", "more_speakers", "note",
]  # fmt: skip


@dataclass(frozen=True)
class _Row:
    """A check on one group, before the level of its interval is known."""

    check: Mapping[str, Any]
    group: CheckedGroup
    found: Estimate
    support: int
    speakers: int | None

    @property
    def units(self) -> float:
        """Number of known speakers, of utterances if speakers are not known, or of fewer units."""
        first = self.support if self.speakers is None else self.speakers
        return min(first, self.found.other_units)


@dataclass(frozen=True)
class _Aligned:
    """The utterances that all models of a check have scored: rows of the metadata, and scores."""

    rows: np.ndarray
    speakers: np.ndarray | None
    units: Sequence[Index]
    tables: Sequence[pd.DataFrame]


def check_models(
    checks: Sequence[Mapping[str, Any]],
    scores: Mapping[str, pd.DataFrame],
    metadata: pd.DataFrame,
    *,
    in_conditions: Mapping[str, Mapping[str, pd.DataFrame]] | None = None,
    modes: pd.DataFrame | None = None,
    members: pd.DataFrame | None = None,
    costs: Mapping[str, pd.DataFrame] | None = None,
    units: Sequence[str] = (),
) -> pd.DataFrame:
    """Answer each check of a dataset and task: passed, failed or undecided.

    A check is passed if the whole interval of its quantity is on the right side of the limit, and
    failed if the whole interval is on the wrong side. The intervals hold for all checks of the
    table together with 95 % (Bonferroni): with m checks each has the level 1 - 0.05 / m. Checks
    with fewer than six speakers cannot be decided and do not count. If there are fewer speakers or
    other units than an exact test needs for the level (see
    `voxslice.comparison.paired_tests.fewest_speakers`), the answer is undecided. A check of costs
    compares the measured number, and has no interval.

    `bench/checks.py` measures how often equal models fail, and how often worse ones do.

    Args:
        checks: `check` (number in the config, from 1), `model`, `against` (None for none), `on`,
            `condition` (None for the original audio), `metric`, `relation` (`at_least`, `above`,
            `at_most` or `below`), `limit`; instead of `metric`, a check of costs has `cost`,
            `threads` and `seconds` (None for any)
        scores: scores by model
        metadata: the metadata of all utterances
        in_conditions: scores by condition and model; None if no check is on a condition
        modes: failure modes of all models; None if no check is on failure modes
        members: `mode` and the keys of the utterances of each mode; None as well
        costs: costs of the models that have a check of costs
        units: columns of the metadata that name units beside the speaker, such as sentences. The
            intervals then refer to other units as well

    Returns:
        one row per check and group, in the columns `CHECK_COLUMNS`

    Raises:
        InputError: a category or a failure mode of a check does not exist
    """
    rows: list[_Row] = []
    tables: dict[str | None, Mapping[str, pd.DataFrame]] = {None: scores}
    tables.update(in_conditions or {})
    compared: dict[tuple[str | None, ...], _Aligned] = {}
    for check in checks:
        if check.get("cost") is not None:
            continue
        names = tuple(name for name in (check["against"], check["model"]) if name is not None)
        condition = check["condition"]
        place = (condition, *names)
        if place not in compared:
            compared[place] = _align(
                {name: tables[condition][name] for name in names}, metadata, units
            )
        groups = checked_groups(check, metadata, modes, members)
        rows += [
            _measured(check, _in_condition(group, condition), compared[place]) for group in groups
        ]
    tested = [row for row in rows if row.units >= fewest_speakers(ALPHA)]
    level = 1 - ALPHA / max(len(tested), 1)
    records = [_answered(row, level) for row in rows]
    records += [
        _cost(check, (costs or {})[check["model"]])
        for check in checks
        if check.get("cost") is not None
    ]
    empty = {check["check"] for check in checks} - {record["check"] for record in records}
    records += [_nothing(check) for check in checks if check["check"] in empty]
    table = pd.DataFrame(records, columns=CHECK_COLUMNS)
    types = {"check": int, "support": "Int64", "speakers": "Int64", "more_speakers": "Int64"}
    return table.astype(types).sort_values("check", kind="stable", ignore_index=True)


def _in_condition(group: CheckedGroup, condition: str | None) -> CheckedGroup:
    """Add the condition of a check to the name of a group."""
    if condition is None:
        return group
    name = f"condition {condition}"
    return replace(group, name=name if group.name == ALL else f"{group.name}, {name}")


def _align(
    scores: Mapping[str, pd.DataFrame], metadata: pd.DataFrame, units: Sequence[str]
) -> _Aligned:
    """The utterances that all of some models have scored."""
    keys, aligned = align(scores)
    index = pd.MultiIndex.from_frame(metadata[KEY])
    rows = index.get_indexer(pd.MultiIndex.from_frame(keys[KEY]))
    return _Aligned(
        rows,
        speakers_of(keys, metadata),
        units_of(keys, metadata, units),
        list(aligned.values()),
    )


def _measured(check: Mapping[str, Any], group: CheckedGroup, aligned: _Aligned) -> _Row:
    """Measure the quantity of a check on a group, on the utterances that its models have scored."""
    inside = group.mask[aligned.rows]
    speakers = None if aligned.speakers is None else aligned.speakers[inside]
    tables = [table[inside].reset_index(drop=True) for table in aligned.tables]
    units = [unit[inside] for unit in aligned.units]
    found = estimate(tables, speakers, check["metric"], units)
    found = replace(found, other_units=min(found.other_units, _too_few_units(aligned, inside)))
    return _Row(check, group, found, int(inside.sum()), count_speakers(speakers))


def _too_few_units(aligned: _Aligned, inside: np.ndarray) -> float:
    """Number of units in a group of a kind that has too few there to estimate its variance.

    Kinds count that matter for all utterances. A group within one unit, such as a site, is a
    statement on this unit only.

    Args:
        aligned: all utterances
        inside: shape (utterances,), true for those of the group

    Returns:
        the smallest number of units, infinity if no kind has too few
    """
    speakers = np.arange(len(inside)) if aligned.speakers is None else aligned.speakers
    kinds = crossing_units(speakers, aligned.units)
    counts = [len(np.unique(kind[inside])) for kind in kinds]
    return min((count for count in counts if 1 < count < MIN_UNITS), default=math.inf)


def _answered(row: _Row, level: float) -> dict[str, Any]:
    """The record of a check on a group."""
    check, found = row.check, row.found
    low, high = interval(found, level)
    needed = fewest_speakers(1 - level)
    notes = [row.group.note] if row.group.note else []
    answer = UNDECIDED
    if row.units >= needed:
        answer = answer_of(low, high, check["relation"], check["limit"])
    elif row.found.other_units < min(needed, row.found.units):
        notes.insert(
            0,
            f"The group has only {row.found.other_units} units of a kind beside the speaker: a"
            f" decision needs {needed}.",
        )
    elif row.speakers is None:
        notes.insert(0, f"{row.support} utterances are too few: a decision needs {needed}.")
    else:
        notes.insert(0, f"The group has too few speakers: a decision needs {needed}.")
    enough = row.units >= needed
    detectable = detectable_drop(found, check["limit"], level) if enough else np.nan
    more = None
    if answer == UNDECIDED and row.speakers is not None:
        more = more_speakers(found, check["limit"], level)
    return _record(
        check,
        group=row.group.name,
        quantity=check["metric"],
        support=row.support,
        speakers=row.speakers,
        value=found.value,
        low=low,
        high=high,
        level=level,
        answer=answer,
        detectable=detectable,
        more_speakers=more,
        note=" ".join(notes) or None,
    )


def answer_of(low: float, high: float, relation: str, limit: float) -> str:
    """Answer a check by the interval of its quantity.

    Args:
        low: lower end of the interval
        high: upper end of the interval
        relation: `at_least`, `above`, `at_most` or `below`
        limit: the limit of the check

    Returns:
        `passed` if the interval is on the right side of the limit, `failed` if it is on the wrong
        side, otherwise `undecided`
    """
    if np.isnan(low) or np.isnan(high):
        return UNDECIDED
    if relation not in RISING:  # the same for the negative quantity
        low, high, limit = -high, -low, -limit
    if low > limit or (low == limit and relation in ("at_least", "at_most")):
        return PASSED
    if high < limit or (high == limit and relation in ("above", "below")):
        return FAILED
    return UNDECIDED


def _cost(check: Mapping[str, Any], costs: pd.DataFrame) -> dict[str, Any]:
    """The record of a check of costs: the largest of the measured numbers decides."""
    for name in ("threads", "seconds"):
        if check[name] is not None:
            costs = costs[costs[name] == check[name]]
    if not len(costs):
        return _record(
            check,
            group="this machine",
            quantity=check["cost"],
            answer=UNDECIDED,
            note="The costs were not measured with these threads and seconds.",
        )
    row = costs.loc[costs[check["cost"]].astype(float).idxmax()]
    value = float(row[check["cost"]])
    return _record(
        check,
        group=f"{row['seconds']:g} s of audio, {counted_threads(int(row['threads']))}",
        quantity=check["cost"],
        value=value,
        answer=answer_of(value, value, check["relation"], check["limit"]),
        note=f"Measured on {row['machine']}.",
    )


def counted_threads(threads: int) -> str:
    """The number of threads in words, as in `1 thread`."""
    return f"{threads} thread{'' if threads == 1 else 's'}"


def _nothing(check: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a check on failure modes if no mode is confirmed."""
    owner = check["against"] or check["model"]
    return _record(
        check,
        group="failure modes",
        quantity=check["metric"],
        answer=PASSED,
        note=f"No failure mode of {owner} is confirmed, so there is nothing to check.",
    )


def _record(check: Mapping[str, Any], **values: Any) -> dict[str, Any]:
    """A record with the columns that every check has."""
    keys = ("check", "model", "against", "relation", "limit")
    numbers = dict.fromkeys(("value", "low", "high", "level", "detectable"), np.nan)
    return {**numbers, **{key: check[key] for key in keys}, "group": ALL, **values}
