"""Find the units whose utterances have losses that are alike, and that the config does not name."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from voxslice.bins import assign_bins, quantile_edges
from voxslice.rule_conditions import is_numeric
from voxslice.slices.shared_losses import units_alike
from voxslice.slices.unit_candidates import unit_candidates
from voxslice.slices.units import with_speakers
from voxslice.speakers import number_speakers, speakers_of
from voxslice.units import COPIES, Index, number_units
from voxslice.utterance_keys import KEY

FEATURE_BINS = 5
"""Bins of a numeric feature whose effect is taken out of the losses."""


def find_units(
    scores: Mapping[str, pd.DataFrame],
    metadata: pd.DataFrame,
    *,
    unit_columns: pd.DataFrame,
    findings: pd.DataFrame,
    columns: Mapping[str, Mapping[str, Any]],
    units: Sequence[str],
    features: Sequence[str],
    target: str,
    alpha: float,
    seed: int,
) -> pd.DataFrame:
    """Find the units whose utterances have losses that are alike, for the models of a task.

    The effects of the features, of the labels, of units of which there are only a few, and of the
    units that the config names are taken out of the losses. Exact copies count once.

    Args:
        scores: by model, a table with the keys and the `loss` of the utterances
        metadata: the metadata of all utterances
        unit_columns: the keys, in the order of `metadata`, and columns that the config does not
            name, see `voxslice.data.unit_columns`
        findings: table `results/audit/{dataset}.csv`
        columns: settings of the metadata columns in the config, by name
        units: columns that the config names as units
        features: columns that searches use
        target: column of the labels
        alpha: level of all tests together
        seed: seed of the permutations

    Returns:
        one row per test, see `voxslice.slices.shared_losses.units_alike`
    """
    candidates, fixed = unit_candidates(
        metadata,
        columns=columns,
        units=units,
        target=target,
        unit_columns=unit_columns,
        findings=findings,
    )
    keys = pd.MultiIndex.from_frame(metadata[KEY])
    losses = {}
    for model, table in scores.items():
        losses[model] = np.full(len(metadata), np.nan)
        losses[model][keys.get_indexer(pd.MultiIndex.from_frame(table[KEY]))] = table["loss"]
        if COPIES in metadata:
            losses[model][_repeated(metadata[COPIES], losses[model])] = np.nan
    speakers = speakers_of(metadata, metadata)
    named = [number_units(metadata[name]) for name in units]
    if speakers is not None:
        named = with_speakers(named, number_speakers(speakers)[0])
    return units_alike(
        candidates,
        losses,
        speakers,
        {name: _groups(metadata[name]) for name in features},
        [_groups(metadata[target]), *fixed, *named],
        alpha=alpha,
        seed=seed,
    )


def _repeated(copies: pd.Series, loss: np.ndarray) -> np.ndarray:
    """Whether each utterance with a loss is a copy of an earlier one with a loss."""
    scored = copies.reset_index(drop=True)[np.isfinite(loss)].dropna()
    repeated = np.zeros(len(loss), dtype=bool)
    repeated[scored.index[scored.duplicated()]] = True
    return repeated


def _groups(column: pd.Series) -> Index:
    """Number the categories of a column, or bins of its numbers; missing values are a group."""
    if not is_numeric(column):
        return pd.factorize(column, use_na_sentinel=False)[0].astype(np.int64)
    values = column.to_numpy(dtype=float, na_value=np.nan)
    groups = np.full(len(values), FEATURE_BINS, np.int64)
    known = np.isfinite(values)
    if known.any():
        edges = quantile_edges(values[known], FEATURE_BINS)
        groups[known] = assign_bins(values[known], edges)
    return groups
