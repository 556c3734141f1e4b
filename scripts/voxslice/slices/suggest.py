"""Slices that sliceguard suggests for a model, with the evidence for each slice."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from voxslice.slices import held_out
from voxslice.slices.sliceguard_finder import suggest
from voxslice.task import Task

SUGGESTION_COLUMNS = [*held_out.VERIFIED_COLUMNS, "stability"]


def suggest_and_verify(
    scores: pd.DataFrame,
    table: pd.DataFrame,
    speakers: np.ndarray | None,
    features: Sequence[str],
    embedding: np.ndarray | None,
    *,
    task: Task,
    min_support: int,
    stability_seeds: int,
    alpha: float,
    seed: int,
) -> tuple[list[np.ndarray], pd.DataFrame]:
    """Let sliceguard suggest slices, and test them on speakers that did not choose them.

    Args:
        scores: scores of the model, as `voxslice.scores.scores` computes them
        table: the metadata of the same utterances, in the same order
        speakers: speaker of each utterance, None if the metadata have no speakers
        features: columns that sliceguard clusters
        embedding: shape (utterances, dimensions), clustered together with the features; None to
            cluster the features only
        task: what is measured
        min_support: smallest number of utterances in a slice
        stability_seeds: number of further seeds for the stability of a search with an embedding; a
            search of the metadata does not depend on the seed
        alpha: level at which a slice is confirmed
        seed: seed of every random step

    Returns:
        for each slice the positions of its utterances; and one row per slice with `p`, `q`,
        `evidence`, `confirmed`, `note` (see `voxslice.slices.held_out.verify`) and `stability` (see
        `voxslice.slices.held_out.stability`)
    """

    def run(rows: np.ndarray, smallest: int, finder_seed: int) -> list[np.ndarray]:
        suggested = suggest(
            table.iloc[rows].reset_index(drop=True),
            scores.iloc[rows].reset_index(drop=True),
            features,
            embedding=None if embedding is None else embedding[rows],
            task=task,
            min_support=smallest,
            seed=finder_seed,
        )
        return [rows[positions] for positions in suggested]

    everyone = np.arange(len(scores))
    slices = run(everyone, min_support, seed)
    masks = [np.isin(everyone, rows) for rows in slices]
    if not masks:
        return [], pd.DataFrame(columns=SUGGESTION_COLUMNS)
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
