"""Units beside the speaker whose utterances share something, such as sentences or sessions.

Segments of a file that overlap share audio. They are a kind of unit that needs no name.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from voxslice.utterance_keys import KEY

Index = NDArray[np.int64]


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
        for each kind the number of each utterance's unit, see `number_units`; the last kind are the
        segments that share audio, if any do, see `number_overlaps`
    """
    columns = keys[KEY].merge(metadata[[*KEY, *names]], on=KEY, how="left") if names else keys
    overlaps = number_overlaps(keys)
    found = [] if overlaps is None else [overlaps]
    return [*(number_units(columns[name]) for name in names), *found]


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
        has several units, such as the sentences of a recording, are left out
    """
    columns = keys[KEY].merge(metadata[[*KEY, *names]], on=KEY, how="left")
    grouped = [columns[name].groupby(groups) for name in names]
    return [number_units(kind.first()) for kind in grouped if kind.nunique(dropna=False).max() == 1]


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
