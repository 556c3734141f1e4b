"""Units beside the speaker whose utterances share something, such as sentences or sessions."""

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
        for each kind the number of each utterance's unit, see `number_units`
    """
    columns = keys[KEY].merge(metadata[[*KEY, *names]], on=KEY, how="left") if names else keys
    return [number_units(columns[name]) for name in names]
