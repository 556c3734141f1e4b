"""Reference models: what is reached by who knows the labels of a task but hears no speech."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from voxslice.names import CHANCE, MAJORITY, MEDIAN
from voxslice.scores.scores import known_labels, known_values, score_choices, score_values


def score_references(
    keys: pd.DataFrame, labels: pd.Series, *, known: Sequence[str] | None, seed: int
) -> pd.DataFrame:
    """Score the reference models of a task.

    In a classification `chance` guesses each of the labels equally often, and `majority` always
    says the most frequent one, the first of those where several are. In a regression `chance` says
    the label of an utterance that is drawn at random, and `median` always the median of the labels,
    the constant with the smallest mean absolute error.

    Args:
        keys: of the utterances
        labels: the true label of each
        known: the labels of a classification, None for a regression
        seed: of the guesses

    Returns:
        `model` (its id) and what `voxslice.scores.score_choices` or `score_values` give, one model
        after the other

    Raises:
        InputError: where no utterance has a known label, or the labels of a regression are no
            numbers
    """
    generator, count = np.random.default_rng(seed), len(keys)
    tables = {}
    if known is not None:
        text, kept = known_labels(labels, known)
        frequent = text[kept].value_counts().reindex(known, fill_value=0).idxmax()
        guesses = {CHANCE: generator.choice(known, count), MAJORITY: [frequent] * count}
        for name, guess in guesses.items():
            table = keys.assign(guess=pd.Categorical(guess, categories=known))
            tables[name] = score_choices(table, labels, task="guess", known=known)
    else:
        values, kept = known_values(labels)
        numbers = values[kept].to_numpy()
        guesses = {CHANCE: generator.choice(numbers, count), MEDIAN: [np.median(numbers)] * count}
        for name, guess in guesses.items():
            tables[name] = score_values(keys.assign(guess=guess), labels, column="guess", scale=1)
    return pd.concat([table.assign(model=name) for name, table in tables.items()])[
        ["model", *next(iter(tables.values()))]
    ].reset_index(drop=True)
