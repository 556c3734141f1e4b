"""Hints at labels that may be wrong: labels that a model of another training contradicts.

A model that was not trained on a dataset contradicts some of its labels. Where the model fails
systematically, nearly all of these labels are right. So these are hints, and no errors of the data.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from voxslice.utterance_keys import KEY

HINT_COLUMNS = [*KEY, "model", "label", "prediction", "p_label", "p_prediction"]
PROBABILITY = "p_"
"""Beginning of the names of columns with probabilities of classes."""


def label_hints(scores: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """List the labels that models contradict, by confident learning.

    A label counts as contradicted if the model is confident of another class, compared with its
    mean confidence where that class is the label (Northcutt, Jiang and Chuang, "Confident learning:
    Estimating uncertainty in dataset labels", Journal of Artificial Intelligence Research 70, 2021;
    `find_label_issues` of cleanlab). The probabilities are out of sample, because the models were
    not trained on this dataset.

    Args:
        scores: scores of each model, as `voxslice.scores.scores` computes them. A model without
            probabilities of all labels gives no hints

    Returns:
        one row per model and label that it contradicts, in the columns `HINT_COLUMNS`; for each
        model, the label with the smallest probability first
    """
    found = [pd.DataFrame(columns=HINT_COLUMNS)]
    for model, table in scores.items():
        rows = _hints(table)
        if rows is not None and len(rows):
            found.append(rows.assign(model=model)[HINT_COLUMNS])
    return pd.concat(found[1:] or found, ignore_index=True)


def _hints(scores: pd.DataFrame) -> pd.DataFrame | None:
    """The hints of one model, without its name; None if it has no probabilities of all labels."""
    labels = scores["label"].astype(str)
    names, codes = np.unique(labels, return_inverse=True)
    columns = [f"{PROBABILITY}{name}" for name in names]
    if len(names) < 2 or not set(columns) <= set(scores):
        return None
    # a class that no label has cannot be the right label
    values = scores[columns].to_numpy(dtype=float)
    values = values / np.maximum(values.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    # slow to import, and not needed for a regression
    from cleanlab.filter import find_label_issues

    order = find_label_issues(codes, values, return_indices_ranked_by="self_confidence", n_jobs=1)
    best = values.argmax(axis=1)
    rows = scores[KEY].assign(
        label=labels,
        prediction=names[best],
        p_label=values[np.arange(len(values)), codes],
        p_prediction=values[np.arange(len(values)), best],
    )
    return rows.iloc[order]
