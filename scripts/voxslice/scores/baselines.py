"""Reference models: what the labels of a task alone achieve, without the audio."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from voxslice.names import CHANCE, MAJORITY, MEDIAN
from voxslice.scores.scores import known_labels, known_values, score_choices, score_values


def score_references(
    keys: pd.DataFrame, labels: pd.Series, *, known: Sequence[str] | None, seed: int
) -> pd.DataFrame:
    """Score the reference models of a task.

    In a classification, `chance` predicts a random label, all with the same probability, and
    `majority` always predicts the most frequent label (the first one if there are several). In a
    regression, `chance` predicts the label of a random utterance, and `median` always predicts the
    median of the labels, which is the constant with the smallest mean absolute error.

    Args:
        keys: keys of the utterances
        labels: true label of each utterance
        known: labels of a classification, None for a regression
        seed: seed of the random predictions

    Returns:
        the scores of one model after the other: `model` (its id) and the columns of
        `voxslice.scores.scores.score_choices` or `score_values`

    Raises:
        InputError: if no utterance has a known label, or labels of a regression are not numbers
    """
    generator, count = np.random.default_rng(seed), len(keys)
    tables = {}
    if known is not None:
        text, kept = known_labels(labels, known)
        frequent = text[kept].value_counts().reindex(known, fill_value=0).idxmax()
        predictions = {CHANCE: generator.choice(known, count), MAJORITY: [frequent] * count}
        for name, prediction in predictions.items():
            table = keys.assign(prediction=pd.Categorical(prediction, categories=known))
            tables[name] = score_choices(table, labels, task="prediction", known=known)
    else:
        values, kept = known_values(labels)
        numbers = values[kept].to_numpy()
        median = [np.median(numbers)] * count
        predictions = {CHANCE: generator.choice(numbers, count), MEDIAN: median}
        for name, prediction in predictions.items():
            table = keys.assign(prediction=prediction)
            tables[name] = score_values(table, labels, column="prediction", scale=1)
    return pd.concat([table.assign(model=name) for name, table in tables.items()])[
        ["model", *next(iter(tables.values()))]
    ].reset_index(drop=True)
