"""Units beside the speaker whose utterances share something, such as sentences or sessions.

Segments of a file that overlap share audio, and so do exact copies of an utterance. They are kinds
of units that need no name.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from voxslice.utterance_keys import KEY

Index = NDArray[np.int64]
COPIES = "_copies"
"""Column of the metadata that tells exact copies, see `voxslice.audit.exact_copies.exact_copies`.

It is left out if there are none. A column of the config cannot have this name."""


def number_units(column: pd.Series) -> Index:
    """Number the units of a column.

    Args:
        column: One value per row, missing where the unit is not known.

    Returns:
        (n,) number of the unit of each row, from 0. Each missing value is a unit of its own.
    """
    codes, names = pd.factorize(column.astype("string"), sort=True)
    missing = codes < 0
    return np.where(missing, len(names) + np.cumsum(missing) - 1, codes).astype(np.int64)


def units_of(keys: pd.DataFrame, metadata: pd.DataFrame, names: Sequence[str]) -> list[Index]:
    """Number the units of each kind.

    Args:
        keys: table with the keys of the utterances
        metadata: the metadata of all utterances
        names: columns of the metadata, one per kind of unit

    Returns:
        for each kind the number of each utterance's unit, see `number_units`; the last kinds are
        exact copies and segments that share audio, if there are any, see `number_overlaps`
    """
    known = with_copies(names, metadata)
    columns = keys[KEY].merge(metadata[[*KEY, *known]], on=KEY, how="left") if known else keys
    overlaps = number_overlaps(keys)
    found = [] if overlaps is None else [overlaps]
    return [*(number_units(columns[name]) for name in known), *found]


def with_copies(names: Sequence[str], metadata: pd.DataFrame) -> list[str]:
    """Add the column of exact copies to the columns of units, if there are copies.

    Args:
        names: columns of the metadata, one per kind of unit
        metadata: the metadata of utterances

    Returns:
        the columns, and `COPIES` if the metadata have it
    """
    return [*names, COPIES] if COPIES in metadata else list(names)


def units_of_groups(
    keys: pd.DataFrame, metadata: pd.DataFrame, names: Sequence[str], groups: Index
) -> list[Index]:
    """Number the units of groups of utterances, such as the segments of a recording.

    Args:
        keys: table with the keys of the utterances
        metadata: the metadata of all utterances
        names: columns of the metadata, one per kind of unit
        groups: number of each utterance's group, from 0; every number occurs

    Returns:
        for each kind the number of each group's unit, see `number_units`. Kinds of which a group
        has several units, such as the sentences of a recording, are left out. The last kind are
        groups whose utterances are exact copies of each other in the same order, if there are any
    """
    columns = keys[KEY].merge(metadata[[*KEY, *with_copies(names, metadata)]], on=KEY, how="left")
    grouped = [columns[name].groupby(groups) for name in names]
    kinds = [kind.first() for kind in grouped if kind.nunique(dropna=False).max() == 1]
    if COPIES in columns:
        copies = (
            columns[COPIES]
            .groupby(groups)
            .agg(lambda texts: " ".join(texts) if texts.notna().all() else None)
        )
        if copies.dropna().duplicated().any():
            kinds.append(copies)
    return [number_units(kind) for kind in kinds]


def number_overlaps(keys: pd.DataFrame) -> Index | None:
    """Number the groups of segments of a file that overlap.

    Args:
        keys: table with the keys of the utterances

    Returns:
        (n,) number of the group of each utterance, from 0; a segment that overlaps no other one is
        a group of its own. None if no segments overlap
    """
    table = keys[KEY].reset_index(drop=True).sort_values(KEY)
    files = table.groupby("file", sort=False)
    latest = files["end"].cummax().groupby(table["file"], sort=False).shift()
    alone = ~(table["start"] < latest)  # the first segment of a file has none before it
    if alone.all():
        return None
    return alone.cumsum().sort_index().to_numpy(np.int64) - 1
