"""Slices that sliceguard suggests for a model, with the evidence for each slice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from tqdm import tqdm

from voxslice.files import read_embeddings
from voxslice.sampling import sampled
from voxslice.scores.clusters import crossing_units
from voxslice.slices import held_out
from voxslice.slices.sliceguard_finder import suggest
from voxslice.speakers import speakers_of
from voxslice.task import Task
from voxslice.units import Index, units_of
from voxslice.utterance_keys import KEY, match_rows

SUGGESTION_COLUMNS = [*held_out.VERIFIED_COLUMNS, "stability"]
OWNER_COLUMNS = ["model", "search", "number"]


@dataclass(frozen=True)
class Suggestions:
    """Slices that sliceguard suggests for the models of a task.

    Attributes:
        slices: one row per slice: `model`, `search`, `number` (from 0 in each search of a model)
            and the columns `SUGGESTION_COLUMNS`
        members: `model`, `search`, `number` and the keys of each slice's utterances
        halves: `model`, `search`, `half` and `speaker`: the halves of the speakers that slices were
            tested on
    """

    slices: pd.DataFrame
    members: pd.DataFrame
    halves: pd.DataFrame


def suggest_for_models(
    scores: Mapping[str, str],
    metadata: pd.DataFrame,
    searches: Mapping[str, Mapping[str, Any]],
    embeddings: Mapping[str, Sequence[str]],
    *,
    task: Task,
    alpha: float,
    seed: int,
    units: Sequence[str] = (),
) -> Suggestions:
    """Let sliceguard suggest slices for all models of a task, and test them.

    Args:
        scores: path of the scores of each model; only one table is in memory at a time
        metadata: the metadata of all utterances
        searches: settings of each search with sliceguard
        embeddings: for each search the paths of the predictions that contain its embedding; only
            read if the search has `embedding_of`
        task: what is measured
        alpha: level at which a slice is confirmed
        seed: seed of every random step
        units: columns of the metadata that name units beside the speaker

    Returns:
        the slices, their members and the halves of the speakers
    """
    tables = [pd.DataFrame(columns=[*OWNER_COLUMNS, *SUGGESTION_COLUMNS])]
    members = [pd.DataFrame(columns=[*OWNER_COLUMNS, *KEY])]
    halves = [pd.DataFrame(columns=["model", "search", "half", "speaker"])]
    for model, name in tqdm([(m, s) for m in scores for s in searches], unit="search"):
        search, table = searches[name], pd.read_parquet(scores[model])
        rows = sampled(len(table), search["sample"], seed)
        if len(rows) < len(table):
            print(f"{name}: sliceguard gets a sample of {len(rows)} of {len(table)} utterances.")
            table = table.iloc[rows].reset_index(drop=True)
        embedding = None
        if "embedding_of" in search:
            embedding = match_rows(table, *read_embeddings(list(embeddings[name]), table))
        speakers, others = speakers_of(table, metadata), units_of(table, metadata, units)
        slices, tested = suggest_and_verify(
            table,
            table[KEY].merge(metadata, on=KEY, how="left"),
            speakers,
            search["features"],
            embedding,
            task=task,
            min_support=search["min_support"],
            stability_seeds=search["stability_seeds"],
            alpha=alpha,
            seed=seed,
            units=others,
        )
        owner = {"model": model, "search": name}
        if slices:
            halves.append(held_out.split_speakers(speakers, seed).assign(**owner))
        tables.append(tested.assign(**owner, number=range(len(tested))))
        for number, rows in enumerate(slices):
            members.append(table.loc[rows, KEY].assign(**owner, number=number))
    return Suggestions(
        pd.concat([part for part in tables if len(part)] or tables),
        pd.concat(members, ignore_index=True),
        pd.concat(halves),
    )


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
    units: Sequence[Index] = (),
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
        units: for each kind of further units the number of each utterance's unit

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
    held = [] if speakers is None else crossing_units(speakers, units)
    verified = held_out.verify(
        masks,
        # half of the speakers have about half of the utterances of a slice
        lambda rows: run(rows, max(2, min_support // 2 ** (1 + len(held))), seed),
        held_out.feature_space(table, features, embedding),
        scores["loss"].to_numpy(),
        speakers,
        alpha=alpha,
        seed=seed,
        units=units,
    )
    others = [] if embedding is None else [seed + 1 + i for i in range(stability_seeds)]
    verified["stability"] = held_out.stability(
        masks, lambda other: run(everyone, min_support, other), others
    )
    return slices, verified
