"""What to collect next: utterances of other datasets that most likely belong to a failure mode."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from voxslice.decisions.abstention import mode_masks
from voxslice.speakers import number_speakers, speakers_of
from voxslice.utterance_keys import KEY

FIRST = 20
"""Number of utterances at the top of a list that the test counts."""
MAX_LISTED = 500
"""Largest number of utterances in a list."""
SPLITS = 10
"""Number of random splits of the speakers into halves in the test."""
MIN_MEMBERS = 10
"""Smallest number of members of a mode from which a classifier is trained."""
PENALTY = 0.01
"""Inverse strength of the penalty of the regression, for hundreds of dimensions."""
SUMMARY_COLUMNS = [
    "mode", "name", "members", "utterances", "share", "precision", "splits", "listed",
]  # fmt: skip
LIST_COLUMNS = ["rank", "dataset", *KEY, "probability"]


@dataclass(frozen=True)
class Embedded:
    """Utterances with their embeddings.

    Attributes:
        keys: keys of the utterances
        vectors: shape (utterances, dimensions)
    """

    keys: pd.DataFrame
    vectors: np.ndarray


def collect_next(
    labelled: Embedded,
    metadata: pd.DataFrame,
    modes: pd.DataFrame,
    members: pd.DataFrame,
    pools: Mapping[str, Embedded],
    *,
    seed: int,
) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """List the utterances of unlabelled datasets that most likely belong to each failure mode.

    A classifier (penalised logistic regression) learns from the embeddings which utterances belong
    to the mode. It is tested on speakers that it has not seen. Data that were chosen by such a
    classifier improved speech models more than data that were chosen at random (Koudounas et al.,
    ACL 2025, industry track).

    Args:
        labelled: utterances of the dataset in which the modes were found
        metadata: the metadata of these utterances
        modes: failure modes of all models
        members: `mode` and the keys of the utterances of each mode
        pools: utterances of datasets without labels, by id of the dataset
        seed: seed of the splits

    Returns:
        one row per confirmed mode, in the columns `SUMMARY_COLUMNS`: number of `members` and
        `utterances`, and the `share` of members, which a random choice would find; `precision`, the
        share of members among the first 20 on speakers that were not seen, as the mean of several
        `splits` (missing if no split has members on both sides); and the number of `listed`
        utterances. And the list of each mode, by its id, the most likely utterances first, in the
        columns `LIST_COLUMNS`. Modes with fewer than ten members have no list
    """
    speakers = speakers_of(labelled.keys, metadata)
    rows, lists = [], {}
    for mode, (name, inside) in mode_masks(labelled.keys, modes, members).items():
        listed = pd.DataFrame(columns=LIST_COLUMNS)
        precision, splits = np.nan, 0
        if MIN_MEMBERS <= inside.sum() < len(inside):
            precision, splits = unseen_precision(labelled.vectors, inside, speakers, seed=seed)
            listed = _listed(labelled.vectors, inside, pools)
        lists[mode] = listed
        rows.append(
            {
                "mode": mode,
                "name": name,
                "members": int(inside.sum()),
                "utterances": len(inside),
                "share": float(inside.mean()),
                "precision": precision,
                "splits": splits,
                "listed": len(listed),
            }
        )
    return pd.DataFrame(rows, columns=SUMMARY_COLUMNS), lists


def unseen_precision(
    vectors: np.ndarray, inside: np.ndarray, speakers: np.ndarray | None, *, seed: int
) -> tuple[float, int]:
    """Share of members among the first 20 utterances of speakers that were not seen.

    Args:
        vectors: embeddings, shape (utterances, dimensions)
        inside: whether each utterance belongs to the mode
        speakers: speaker of each utterance; None if speakers are not known
        seed: seed of the splits

    Returns:
        the mean share over halves of the speakers, and the number of halves that have members both
        among the speakers of the training and among the others; NaN if there is none
    """
    units = np.arange(len(inside)) if speakers is None else number_speakers(speakers)[0]
    generator, found = np.random.default_rng(seed), []
    for _ in range(SPLITS):
        order = generator.permutation(np.unique(units))
        first = np.isin(units, order[: len(order) // 2])
        for train in (first, ~first):
            if not (inside[train].any() and (~inside[train]).any() and inside[~train].any()):
                continue
            scores = _trained(vectors[train], inside[train]).decision_function(vectors[~train])
            top = np.argsort(-scores, kind="stable")[:FIRST]
            found.append(float(inside[~train][top].mean()))
    return (float(np.mean(found)), len(found)) if found else (np.nan, 0)


def _trained(vectors: np.ndarray, inside: np.ndarray) -> Pipeline:
    """A classifier of the members of a mode."""
    model = LogisticRegression(C=PENALTY, class_weight="balanced", max_iter=1000)
    return make_pipeline(StandardScaler(), model).fit(vectors, inside)


def _listed(vectors: np.ndarray, inside: np.ndarray, pools: Mapping[str, Embedded]) -> pd.DataFrame:
    """The utterances of the pools that most likely belong to a mode."""
    trained = _trained(vectors, inside) if pools else None
    tables = [pd.DataFrame(columns=LIST_COLUMNS)]
    for dataset, pool in pools.items():
        if trained is not None and len(pool.keys):
            chance = trained.predict_proba(pool.vectors)[:, 1]
            tables.append(pool.keys[KEY].assign(dataset=dataset, probability=chance))
    table = pd.concat([part for part in tables if len(part)] or tables, ignore_index=True)
    order = ["probability", "dataset", *KEY]
    table = table.sort_values(order, ascending=[False] + [True] * (len(order) - 1), kind="stable")
    table = table.head(MAX_LISTED).reset_index(drop=True)
    return table.assign(rank=np.arange(1, len(table) + 1))[LIST_COLUMNS]
