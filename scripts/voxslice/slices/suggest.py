"""Slices that sliceguard suggests in one search for one model, with the evidence for each."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from voxslice.slices import held_out
from voxslice.slices.sliceguard_finder import suggest

COLUMNS = [*held_out.COLUMNS, "stability"]


def suggest_and_verify(
    scores: pd.DataFrame,
    table: pd.DataFrame,
    speakers: np.ndarray | None,
    features: Sequence[str],
    embedding: np.ndarray | None,
    *,
    classification: bool,
    min_support: int,
    min_drop: float | None,
    stability_seeds: int,
    alpha: float,
    seed: int,
) -> tuple[list[np.ndarray], pd.DataFrame]:
    """Let sliceguard suggest slices and hold them against speakers that did not choose them.

    Args:
        scores: as `voxslice.scores` gives them
        table: the metadata of the same utterances, in the same order
        speakers: speaker of each utterance, None where they are not known
        features: columns that the finder looks at
        embedding: shape (utterances, dimensions), looked at together with the features; None for
            none
        classification: whether the metric is accuracy, else mean absolute error
        min_support: smallest number of utterances in a slice
        min_drop: smallest drop, in the unit of the metric; None for the default of
            `voxslice.slices.sliceguard_finder.suggest`
        stability_seeds: further seeds that an embedding search is tried with; a search of metadata
            does not depend on the seed
        alpha: level at which a slice is confirmed
        seed: of every random step

    Returns:
        the positions of each slice's utterances, and one row a slice with `p`, `q`, `evidence`,
        `confirmed`, `note` (see `voxslice.verification.verify`) and `stability` (see there)
    """

    def run(rows: np.ndarray, smallest: int, finder_seed: int) -> list[np.ndarray]:
        found = suggest(
            table.iloc[rows].reset_index(drop=True),
            scores.iloc[rows].reset_index(drop=True),
            features,
            embedding=None if embedding is None else embedding[rows],
            classification=classification,
            min_support=smallest,
            min_drop=min_drop,
            seed=finder_seed,
        )
        return [rows[positions] for positions in found]

    everyone = np.arange(len(scores))
    slices = run(everyone, min_support, seed)
    masks = [np.isin(everyone, rows) for rows in slices]
    if not masks:
        return [], pd.DataFrame(columns=COLUMNS)
    verified = held_out.verify(
        masks,
        # half of the speakers hold about half of a slice
        lambda rows: run(rows, max(2, min_support // 2), seed),
        held_out.feature_space(table, features, embedding),
        scores["loss"].to_numpy(),
        speakers,
        alpha=alpha,
        seed=seed,
    )
    others = [] if embedding is None else [seed + 1 + i for i in range(stability_seeds)]
    verified["stability"] = held_out.stability(
        masks, lambda other: run(everyone, min_support, other), others
    )
    return slices, verified
