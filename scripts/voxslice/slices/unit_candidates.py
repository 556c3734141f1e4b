"""Units that the config does not name, but that the data give away.

A candidate may be a column whose name describes a unit, the file of several segments, a part of the
names of files, near copies that the audit has found, or utterances of equal duration. Exact copies
are units of every study, so they are no candidate.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
import yaml
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from voxslice.bins import assign_bins, quantile_edges
from voxslice.data.name_parts import named_values, parts_of_names
from voxslice.data.unit_columns import as_text, names_unit
from voxslice.rule_conditions import is_numeric
from voxslice.scores.clusters import MIN_UNITS
from voxslice.units import COPIES, Index, number_units
from voxslice.utterance_keys import KEY

Source = Literal["column", "file", "file name", "copies", "duration"]
DURATION_BINS = 20
"""Bins of similar durations, within which utterances of equal duration are compared."""
WHOLE_FILE = "^(?P<value>.+)$"
"""Pattern of a column that holds the name of the file."""
MIN_ROWS = 5
"""Utterances per value of a column, on average, from which its values are categories. Everything
follows from a column with another value for each utterance, such as a number."""
COPY_ISSUES = ("exact copy", "near copy")
"""Findings of the audit that are copies."""


@dataclass(frozen=True)
class Candidate:
    """Units that the losses of utterances may depend on.

    Attributes:
        source: what gives the units away
        clue: name of the column, value of the first file name, otherwise the source itself
        config: settings of the dataset that take the units into account, in YAML; empty for copies
        unit: (utterances,) number of the unit of each utterance, from 0
        similar: (utterances,) number of the group of similar utterances whose mean is taken out of
            the losses, from 0; None for no groups
    """

    source: Source
    clue: str
    config: str
    unit: Index
    similar: Index | None = None

    @property
    def is_named(self) -> bool:
        """Whether it is known that this is a unit, and not another property of the utterances."""
        return self.source in ("column", "file", "copies")


def unit_candidates(
    utterances: pd.DataFrame,
    *,
    columns: Mapping[str, Mapping[str, Any]],
    units: Sequence[str],
    target: str,
    unit_columns: pd.DataFrame,
    findings: pd.DataFrame,
) -> tuple[list[Candidate], list[Index]]:
    """List the units that the data give away.

    Args:
        utterances: one row per utterance with its metadata
        columns: settings of the metadata columns in the config, by name
        units: columns that the config names as units
        target: column of the labels
        unit_columns: for each row of `utterances` its key and the columns that the config does not
            name, see `voxslice.data.unit_columns`
        findings: table `results/audit/{dataset}.csv`

    Returns:
        the candidates with at least `MIN_UNITS` units of several utterances, and the numbers of
        the units of columns and parts of names with fewer units, which count as fixed groups. Units
        that are speakers, that the config names, that an earlier candidate gives, or that follow
        from a category of the config, are left out
    """
    named = [
        name
        for name, settings in columns.items()
        if name not in ("speaker", target, *units)
        and (names_unit(name) or names_unit(settings.get("column", "")))
    ]
    known = [
        number_units(utterances[name])
        for name in ("speaker", *units, COPIES)
        if name in columns or (name == COPIES and name in utterances)
    ]
    taken = {partition(unit) for unit in known}
    categories = [
        category
        for name in columns
        if name not in ("speaker", *units, *named) and not is_numeric(utterances[name])
        for category in [number_units(utterances[name])]
        if len(category) >= MIN_ROWS * (category.max() + 1) and partition(category) not in taken
    ]
    found, fixed = [], []
    for candidate in (
        *_columns(utterances, named, columns, units, unit_columns),
        *_names(utterances["file"], columns, units, categories),
        _copies(utterances, findings),
        *_durations(utterances["duration"], columns, units),
    ):
        division, sizes = partition(candidate.unit), np.bincount(candidate.unit)
        follows = any(is_function(candidate.unit, category) for category in categories)
        if division in taken or follows:
            continue
        taken.add(division)
        if (sizes >= 2).sum() >= MIN_UNITS:
            found.append(candidate)
        elif len(sizes) < MIN_UNITS and candidate.source in ("column", "file name"):
            fixed.append(candidate.unit)
    return found, fixed


def is_function(values: Index, of: Index) -> bool:
    """Whether rows that have one number in common also have the other one in common.

    Args:
        values: (rows,) numbers
        of: (rows,) numbers

    Returns:
        True if rows with the same number in `of` have the same number in `values`
    """
    pairs = pd.DataFrame({"of": of, "values": values}).drop_duplicates()
    return not pairs["of"].duplicated().any()


def partition(unit: Index) -> bytes:
    """Describe how rows are divided into units.

    Args:
        unit: (rows,) number of the unit of each row

    Returns:
        bytes that are equal for equal divisions, whatever the numbers are
    """
    return pd.factorize(unit)[0].astype(np.int64).tobytes()


def _columns(
    utterances: pd.DataFrame,
    named: Iterable[str],
    columns: Mapping[str, Any],
    units: Sequence[str],
    unit_columns: pd.DataFrame,
) -> Iterator[Candidate]:
    """Columns whose names describe a unit: those of the config, and others of the data."""
    for name in named:
        yield Candidate(
            "column", name, as_text({"units": [*units, name]}), number_units(utterances[name])
        )
    for text in unit_columns.columns.drop(KEY):
        settings = yaml.safe_load(text)
        name = str(settings["column"])
        config = _with_column(name, settings, columns, units)
        yield Candidate("column", name, config, number_units(unit_columns[text]))


def _names(
    files: pd.Series,
    columns: Mapping[str, Any],
    units: Sequence[str],
    categories: Sequence[Index],
) -> Iterator[Candidate]:
    """The files of several segments, and parts of the names of files.

    Parts with a word that only repeats a category of the config, such as the emotion, are left out.
    """
    if files.duplicated().any():
        config = _with_column("recording", {"file_name": WHOLE_FILE}, columns, units)
        yield Candidate("file", "file", config, number_units(files))
    parts = {}
    for part in parts_of_names(list(files)):
        values = pd.Series(named_values(files, part.pattern), dtype="string")
        parts[part] = number_units(values)
    repeated = {
        part.words[0]
        for part, unit in parts.items()
        if len(part.words) == 1 and any(is_function(unit, category) for category in categories)
    }
    for part, unit in parts.items():
        if not repeated.intersection(part.words):
            config = _with_column("unit", {"file_name": part.pattern}, columns, units)
            yield Candidate("file name", part.example, config, unit)


def _copies(utterances: pd.DataFrame, findings: pd.DataFrame) -> Candidate:
    """Copies that the audit has found, also by way of other copies."""
    rows = pd.MultiIndex.from_frame(utterances[KEY])
    pairs = findings[findings["issue"].isin(COPY_ISSUES)]
    others = pairs[[f"other_{name}" for name in KEY]].set_axis(KEY, axis=1)
    first, second = (
        rows.get_indexer(pd.MultiIndex.from_frame(keys.astype(utterances[KEY].dtypes)))
        for keys in (pairs[KEY], others)
    )
    known = (first >= 0) & (second >= 0)
    shape = (len(utterances), len(utterances))
    links = coo_array((np.ones(known.sum()), (first[known], second[known])), shape=shape)
    unit = connected_components(links, directed=False)[1]
    return Candidate("copies", "copies", "", unit.astype(np.int64))


def _durations(
    seconds: pd.Series, columns: Mapping[str, Any], units: Sequence[str]
) -> Iterator[Candidate]:
    """Utterances of equal duration, which may be copies or synthetic speech of one text."""
    measured = seconds.round(2).where(seconds > 0)
    filled = measured.fillna(0.0)
    bins = assign_bins(filled, quantile_edges(filled, DURATION_BINS)).astype(np.int64)
    config = _with_measure("length", "duration", columns, units)
    yield Candidate("duration", "duration", config, number_units(measured), bins)


def _with_measure(
    wanted: str, measure: str, columns: Mapping[str, Any], units: Sequence[str]
) -> str:
    """Settings of a dataset in which a measure is a unit, with a new column if there is none."""
    for name, column in columns.items():
        if column.get("measure") == measure:
            return as_text({"units": [*units, name]})
    return _with_column(wanted, {"measure": measure}, columns, units)


def _with_column(
    wanted: str, settings: Mapping[str, Any], columns: Mapping[str, Any], units: Sequence[str]
) -> str:
    """Settings of a dataset with a new column that is a unit, under a name that is not used yet."""
    name = re.sub(r"[^a-z0-9_-]+", "_", wanted.lower()).strip("_-") or "unit"
    taken = {*columns, *KEY, "duration"}
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    return as_text({"columns": {free: settings}, "units": [*units, free]})
