"""Whether the recording, and not the person, may be the cause of a weak group of people.

If most women of a dataset were recorded over a telephone, a model that fails on telephone speech
seems to fail for women. So each group of people is compared with other people in the columns that
describe the recording, such as the bandwidth.
"""

import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from voxslice.comparison.groups import MIN_SUPPORT, category_groups
from voxslice.modes.rules import Condition, read_rule, utterances_of
from voxslice.rule_conditions import MISSING, as_text, is_numeric
from voxslice.speakers import number_speakers

CHANNEL_COLUMNS = [
    "rule", "column", "category", "unit", "inside", "outside", "speakers", "others", "correlation",
    "p",
]  # fmt: skip
RESAMPLES = 1999
"""Random exchanges of speakers."""
BATCH = 1_000_000
"""Largest number of values that are permuted at a time."""
TIE = 1e-9
"""Statistics that differ by less are equal."""


@dataclass(frozen=True)
class People:
    """A group of people, and the utterances that they are compared within.

    Attributes:
        rule: rule of the group, such as `emotion = anger & gender = male`
        inside: mask of shape (utterances,): utterances of people in the group
        among: mask of shape (utterances,): utterances that fulfil the conditions that are not about
            people, so that `male, anger` is compared with the anger of other people
        columns: columns of the rule
    """

    rule: str
    inside: np.ndarray
    among: np.ndarray
    columns: Collection[str]


def people_of(rule: str, conditions: list[Condition], about: Collection[str]) -> People | None:
    """Make a group of people from a rule.

    Args:
        rule: the rule
        conditions: its conditions
        about: columns that describe people

    Returns:
        the group; None if no condition is on such a column
    """
    people = [condition for condition in conditions if condition.column in about]
    others = [condition for condition in conditions if condition.column not in about]
    if not people:
        return None
    everyone = np.ones(len(people[0].mask), dtype=bool)
    return People(
        rule,
        utterances_of(conditions),
        utterances_of(others) if others else everyone,
        {condition.column for condition in conditions},
    )


def categories_of_people(metadata: pd.DataFrame, about: Sequence[str]) -> list[People]:
    """Make a group of people of each category, and of three ranges of each number.

    Args:
        metadata: the metadata of the utterances
        about: columns that describe people; the speaker is left out

    Returns:
        the groups, see `voxslice.comparison.groups.category_groups`
    """
    columns = [name for name in about if name in metadata and name != "speaker"]
    rules = [group.rule for group in category_groups(metadata[columns], {}).values()]
    found = [people_of(rule, read_rule(rule, metadata), columns) for rule in rules]
    return [people for people in found if people is not None]


def associations(
    groups: Sequence[People],
    metadata: pd.DataFrame,
    columns: Sequence[str],
    speakers: np.ndarray | None,
    units: Mapping[str, str],
    *,
    seed: int,
) -> pd.DataFrame:
    """Compare the recordings of groups of people with those of other people.

    Args:
        groups: the groups
        metadata: the metadata of all utterances
        columns: columns that describe the recording. A column of the rule of a group is left out
        speakers: speaker of each utterance, as `voxslice.speakers.speakers_of` returns them; None
            to treat utterances as independent. Utterances of unknown speakers are left out
        units: unit of each column that has one
        seed: seed of the resampling

    Returns:
        one row per group and column with numbers, and per group and category, in the columns
        `CHANNEL_COLUMNS`: mean, or share of the category, `inside` and `outside`; number of
        `speakers` inside and of `others`; `correlation` over speakers, and its p-value, see
        `association`. There are no rows if all utterances are in the group, or none, or if a column
        has no value there
    """
    values = {
        (name, category): column
        for name in columns
        for category, column in _values_of(metadata[name]).items()
    }
    if speakers is None:
        numbers, known = np.arange(len(metadata)), np.ones(len(metadata), dtype=bool)
    else:
        numbers, known = number_speakers(speakers)
    rows = []
    for group in groups:
        among = group.among & known
        compared = {
            key: column[among] for key, column in values.items() if key[0] not in group.columns
        }
        inside = group.inside[among]
        if not compared or not inside.any() or inside.all():
            continue
        matrix = np.column_stack(list(compared.values()))
        correlation, p = association(
            inside, matrix, numbers[among], seed=[seed, zlib.crc32(group.rule.encode())]
        )
        own = numbers[among]
        for number, (name, category) in enumerate(compared):
            column = matrix[:, number]
            if np.isnan(column[inside]).all() or np.isnan(column[~inside]).all():
                continue
            rows.append(
                {
                    "rule": group.rule,
                    "column": name,
                    "category": category or None,
                    "unit": units.get(name) or None,
                    "inside": np.nanmean(column[inside]),
                    "outside": np.nanmean(column[~inside]),
                    "speakers": None if speakers is None else len(np.unique(own[inside])),
                    "others": None if speakers is None else len(np.unique(own[~inside])),
                    "correlation": correlation[number],
                    "p": p[number],
                }
            )
    table = pd.DataFrame(rows, columns=CHANNEL_COLUMNS)
    return table.astype({"speakers": "Int64", "others": "Int64"})


def _values_of(column: pd.Series) -> dict[str, np.ndarray]:
    """The numbers of a column, or for each category whether an utterance has it, NaN if missing."""
    if is_numeric(column):
        return {"": column.to_numpy(dtype=float, na_value=np.nan)}
    texts = np.asarray(as_text(column))
    known = texts != MISSING
    return {
        str(name): np.where(known, texts == name, np.nan)
        for name, count in zip(*np.unique(texts[known], return_counts=True), strict=True)
        if count >= MIN_SUPPORT
    }


def association(
    inside: np.ndarray, values: np.ndarray, numbers: np.ndarray, *, seed: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """Test whether values are associated with a group, with speakers as the units.

    The statistic of a column is the absolute correlation, over speakers, of the share of a
    speaker's utterances in the group with the mean of the speaker's values. Utterances of one
    speaker come from one or a few recordings, so the speakers are exchanged: the shares are
    permuted. Each statistic is compared with the largest statistic of all columns in each
    permutation (Westfall and Young, Resampling-Based Multiple Testing, Wiley 1993, single-step
    maxT). So the probability that any column has a p-value of at most 0.05 is at most 0.05 if none
    is associated with the group.

    Args:
        inside: mask of shape (utterances,)
        values: shape (utterances, columns), NaN if missing
        numbers: number of the speaker of each utterance
        seed: seed of the permutations

    Returns:
        correlations and p-values, adjusted for the columns, of shape (columns,). The correlation is
        NaN and p is 1 if all speakers have the same mean, or the same share
    """
    _, unit = np.unique(numbers, return_inverse=True)
    size = np.bincount(unit).astype(float)
    shares = _standardised((np.bincount(unit, inside) / size)[:, None])[:, 0]
    means = np.full((len(size), values.shape[1]), np.nan)
    for number, column in enumerate(values.T):
        known = np.isfinite(column)
        counts = np.bincount(unit[known], minlength=len(size))
        sums = np.bincount(unit[known], column[known], minlength=len(size))
        np.divide(sums, counts, out=means[:, number], where=counts > 0)
    means = _standardised(means)
    found = shares @ means
    tested = np.abs(means).any(axis=0) & shares.any()
    if not tested.any():
        return np.full(len(found), np.nan), np.ones(len(found))
    rng = np.random.default_rng(seed)
    as_large = np.zeros(len(found), dtype=int)
    batch = max(1, BATCH // len(size))
    for first in range(0, RESAMPLES, batch):
        count = min(batch, RESAMPLES - first)
        drawn = rng.permuted(np.broadcast_to(shares, (count, len(size))), axis=1)
        largest = np.abs(drawn @ means).max(axis=1)
        as_large += (largest[:, None] >= np.abs(found) - TIE).sum(axis=0)
    p = (1 + as_large) / (1 + RESAMPLES)
    return np.where(tested, found, np.nan), np.where(tested, p, 1.0)


def _standardised(columns: np.ndarray) -> np.ndarray:
    """Columns with mean 0 and length 1; missing and constant values become 0."""
    counts = np.isfinite(columns).sum(axis=0)
    means = np.nansum(columns, axis=0) / np.maximum(counts, 1)
    rest = np.nan_to_num(columns - means)
    scale = np.abs(columns).max(axis=0, initial=0, where=np.isfinite(columns))
    length = np.sqrt((rest**2).sum(axis=0))
    constant = length <= TIE * np.maximum(scale, TIE)
    return np.where(constant, 0, rest / np.where(constant, 1, length))
