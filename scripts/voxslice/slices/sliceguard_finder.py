"""Slices that sliceguard suggests, seeded and with its silent failures caught.

sliceguard (https://github.com/Renumics/sliceguard) clusters utterances by their features and
reports clusters in which the metric drops. It tests nothing: what it returns are suggestions.
"""

import contextlib
import io
import os
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from voxslice.conditions import as_text, is_numeric
from voxslice.slices.sliceguard_patches import without_waste

# names that no column of a dataset can have
EMBEDDING, LABEL, PREDICTION = "_embedding", "_label", "_prediction"

DEFAULT_DROP = 0.5
"""Smallest drop of a slice where no smallest drop is given, as a share of the mean loss."""


def suggest(
    table: pd.DataFrame,
    scores: pd.DataFrame,
    features: Sequence[str],
    *,
    embedding: np.ndarray | None = None,
    classification: bool,
    min_support: int,
    min_drop: float | None,
    seed: int,
) -> list[np.ndarray]:
    """Find clusters of utterances in which the metric drops.

    Rows without a number in a numeric feature, or without a finite embedding, are left out, since
    sliceguard would return wrong slices for them without a word.

    Args:
        table: the features, one row an utterance
        scores: `label` and `prediction` of the same rows
        features: columns of the table
        embedding: shape (rows, dimensions), used together with the features; None for none
        classification: whether the metric is accuracy, else mean absolute error
        min_support: smallest number of utterances in a slice
        min_drop: smallest difference to the overall metric, in the unit of the metric; None for
            half of the mean loss, so that the mean loss of a slice is 1.5 times that of all rows
        seed: of every random step

    Returns:
        the positions of each slice's rows, ascending; of nested slices only the most significant
    """
    usable = np.ones(len(table), dtype=bool)
    data: dict[str, np.ndarray] = {}
    types: dict[str, str] = {}
    for name in features:
        if is_numeric(table[name]):
            data[name] = table[name].astype(float).to_numpy()
            usable &= np.isfinite(data[name])
            types[name] = "numerical"
        else:
            data[name] = as_text(table[name])
            types[name] = "nominal"
    if embedding is not None:
        usable &= np.isfinite(embedding).all(axis=1)
    if not usable.all():
        print(f"{(~usable).sum()} utterances lack a number or an embedding and are left out.")
    positions = np.flatnonzero(usable)
    if len(positions) < 2 * min_support:
        print(f"{len(positions)} utterances are too few for slices of {min_support}.")
        return []
    frame = pd.DataFrame({name: values[usable] for name, values in data.items()})
    as_label = str if classification else float
    frame[LABEL] = [as_label(value) for value in scores["label"].to_numpy()[usable]]
    frame[PREDICTION] = [as_label(value) for value in scores["prediction"].to_numpy()[usable]]
    embeddings = {}
    if embedding is not None:
        types[EMBEDDING] = "embedding"
        embeddings = {EMBEDDING: np.asarray(embedding, np.float32)[usable]}
    if classification:
        loss = (frame[LABEL] != frame[PREDICTION]).to_numpy(float)
    else:
        loss = (frame[LABEL] - frame[PREDICTION]).abs().to_numpy()
    if min_drop is None:
        min_drop = DEFAULT_DROP * float(loss.mean())
        if min_drop == 0:
            print("There are no errors and therefore no slices.")
            return []
    issues = _run(frame, types, embeddings, classification, min_support, min_drop, seed)
    return [positions[rows] for rows in _one_a_chain(issues, loss)]


def _run(
    frame: pd.DataFrame,
    types: Mapping[str, str],
    embeddings: Mapping[str, np.ndarray],
    classification: bool,
    min_support: int,
    min_drop: float,
    seed: int,
) -> list[np.ndarray]:
    # UMAP, which sliceguard does not seed, draws from numpy's global state and repeats itself only
    # on one thread: numba reads this when it is first imported
    os.environ["NUMBA_NUM_THREADS"] = "1"
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    # imported here: it takes seconds, and only slices need it
    from sliceguard import SliceGuard

    np.random.seed(seed)  # noqa: NPY002 (sliceguard offers no other way)
    printed = io.StringIO()
    finder = SliceGuard()
    with contextlib.redirect_stdout(printed), without_waste():
        issues = finder.find_issues(
            frame,
            list(types),
            LABEL,
            PREDICTION,
            _accuracy if classification else _mean_absolute_error,
            metric_mode="max" if classification else "min",
            min_support=min_support,
            min_drop=min_drop,
            feature_types=dict(types),
            precomputed_embeddings=dict(embeddings),
        )
    print(printed.getvalue())
    if "fallback" in printed.getvalue().lower():
        print("sliceguard fell back to another clustering, whose slices are wrong: none is kept.")
        return []
    return [np.sort(issue["rows"]) for issue in issues]


# not those of scikit-learn, which check what they are given anew for each of many clusters
def _accuracy(label: np.ndarray, prediction: np.ndarray) -> float:
    return float((label == prediction).mean())


def _mean_absolute_error(label: np.ndarray, prediction: np.ndarray) -> float:
    return float(np.abs(prediction - label).mean())


def _one_a_chain(issues: Sequence[np.ndarray], loss: np.ndarray) -> list[np.ndarray]:
    """Of slices that lie one in another keep the one with the most significant excess loss."""

    def strength(rows: np.ndarray) -> float:
        return float((loss[rows] - loss.mean()).sum() / np.sqrt(len(rows)))

    kept: list[set[int]] = []
    for rows in sorted(issues, key=lambda rows: (-strength(rows), rows.tolist())):
        members = set(rows.tolist())
        if not any(members <= other or members >= other for other in kept):
            kept.append(members)
    return [np.array(sorted(members)) for members in kept]
