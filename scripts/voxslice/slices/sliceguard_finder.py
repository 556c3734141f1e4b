"""Run sliceguard with a seed, and catch its silent failures.

sliceguard (https://github.com/Renumics/sliceguard) clusters utterances by their features and
reports clusters in which the metric drops. It makes no statistical test, so that its slices are
suggestions.
"""

import contextlib
import io
import os
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from voxslice.rule_conditions import as_text, is_numeric
from voxslice.slices.sliceguard_patches import faster_sliceguard
from voxslice.task import Task

# columns of a dataset cannot have these names
EMBEDDING, LABEL, PREDICTION = "_embedding", "_label", "_prediction"

DEFAULT_DROP = 0.5
"""Smallest drop of a slice as a share of the mean loss, if the task has no smallest drop."""


def suggest(
    table: pd.DataFrame,
    scores: pd.DataFrame,
    features: Sequence[str],
    *,
    embedding: np.ndarray | None = None,
    task: Task,
    min_support: int,
    seed: int,
) -> list[np.ndarray]:
    """Find clusters of utterances in which the metric drops.

    Rows without a number in a numeric feature, or without a finite embedding, are left out, since
    sliceguard would silently return wrong slices for them.

    Args:
        table: the features, one row per utterance
        scores: `label` and `prediction` of the same rows
        features: columns of the table
        embedding: shape (rows, dimensions), used together with the features; None for none
        task: what is measured. Its `min_drop` is the smallest difference to the overall metric; if
            it is None, the mean loss of a slice has to be 1.5 times that of all rows
        min_support: smallest number of utterances in a slice
        seed: seed of every random step

    Returns:
        for each slice the positions of its rows, ascending; of nested slices only the one with the
        most significant excess loss
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
    as_label = str if task.is_classification else float
    frame[LABEL] = [as_label(value) for value in scores["label"].to_numpy()[usable]]
    frame[PREDICTION] = [as_label(value) for value in scores["prediction"].to_numpy()[usable]]
    embeddings = {}
    if embedding is not None:
        types[EMBEDDING] = "embedding"
        embeddings = {EMBEDDING: np.asarray(embedding, np.float32)[usable]}
    if task.is_classification:
        loss = (frame[LABEL] != frame[PREDICTION]).to_numpy(float)
    else:
        loss = (frame[LABEL] - frame[PREDICTION]).abs().to_numpy()
    min_drop = task.min_drop
    if min_drop is None:
        min_drop = DEFAULT_DROP * float(loss.mean())
        if min_drop == 0:
            print("There are no errors and therefore no slices.")
            return []
    issues = _run(frame, types, embeddings, task, min_support, min_drop, seed)
    return [positions[rows] for rows in _without_nested(issues, loss)]


def _run(
    frame: pd.DataFrame,
    types: Mapping[str, str],
    embeddings: Mapping[str, np.ndarray],
    task: Task,
    min_support: int,
    min_drop: float,
    seed: int,
) -> list[np.ndarray]:
    """Run sliceguard, and return the positions of the rows of each cluster that it reports."""
    # sliceguard does not seed UMAP, which draws from numpy's global state and gives the same result
    # again only on one thread. numba reads this variable when it is first imported
    os.environ["NUMBA_NUM_THREADS"] = "1"
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    # imported here, since the import takes seconds
    from sliceguard import SliceGuard

    np.random.seed(seed)  # noqa: NPY002 (sliceguard offers no other way)
    printed = io.StringIO()
    finder = SliceGuard()
    with contextlib.redirect_stdout(printed), faster_sliceguard():
        issues = finder.find_issues(
            frame,
            list(types),
            LABEL,
            PREDICTION,
            _accuracy if task.is_classification else _mean_absolute_error,
            metric_mode="max" if task.higher_is_better else "min",
            min_support=min_support,
            min_drop=min_drop,
            feature_types=dict(types),
            precomputed_embeddings=dict(embeddings),
        )
    print(printed.getvalue())
    if "fallback" in printed.getvalue().lower():
        print("sliceguard used its fallback clustering, whose slices are wrong: they are dropped.")
        return []
    return [np.sort(issue["rows"]) for issue in issues]


# the metrics of scikit-learn check their arguments again for each of many clusters
def _accuracy(label: np.ndarray, prediction: np.ndarray) -> float:
    return float((label == prediction).mean())


def _mean_absolute_error(label: np.ndarray, prediction: np.ndarray) -> float:
    return float(np.abs(prediction - label).mean())


def _without_nested(issues: Sequence[np.ndarray], loss: np.ndarray) -> list[np.ndarray]:
    """Of nested slices, keep the one with the most significant excess loss."""

    def strength(rows: np.ndarray) -> float:
        return float((loss[rows] - loss.mean()).sum() / np.sqrt(len(rows)))

    kept: list[set[int]] = []
    for rows in sorted(issues, key=lambda rows: (-strength(rows), rows.tolist())):
        members = set(rows.tolist())
        if not any(members <= other or members >= other for other in kept):
            kept.append(members)
    return [np.array(sorted(members)) for members in kept]
