"""Signs in the predictions that a head was never trained, or has its labels in another order.

Both mistakes give outputs of the right shape. They show only in predictions on labelled speech.
"""

from math import factorial

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from scipy.stats import binom

from voxslice.speakers import UNKNOWN_SPEAKER

MIN_UTTERANCES = 30
"""Fewest utterances from which a constant prediction is reported."""
CONSTANT = 0.98
"""Least share of the utterances for which a constant head predicts one class."""
COMMON = 0.8
"""A class that is the label of so many utterances may be predicted for nearly all of them."""
CONFIDENT = 0.9
"""Least median probability of the class that a confident head predicts."""
FLAT = 0.02
"""Largest standard deviation over utterances of a probability that does not follow the audio."""
FAR_BELOW = 0.5
"""Mean recall of exchanged labels, in parts of chance, up to which they are far below chance."""
ALPHA = 0.01
"""Largest probability that a random head looks as if its labels were in another order."""
MAX_NAMED = 6
"""Most labels whose exchange is listed."""


def head_remarks(scores: pd.DataFrame, speakers: np.ndarray | None, model: str) -> list[str]:
    """Report signs that the head of a model was not trained, or has another order of labels.

    Args:
        scores: Scores of a classification, see `voxslice.scores.scores.score_classes`.
        speakers: Speaker of each row of the scores, see `voxslice.speakers.speakers_of`; None if
            they are not known.
        model: Id of the model.

    Returns:
        At most one sentence.
    """
    sentence = _untrained(scores, model) or _other_order(scores, speakers, model)
    return [sentence] if sentence else []


def _untrained(scores: pd.DataFrame, model: str) -> str | None:
    """Report a class that is predicted for nearly all utterances, without a reason in the labels.

    The class has to be predicted with confidence, or the probabilities have to be nearly the same
    for all utterances. A weak but trained head does neither.
    """
    if len(scores) < MIN_UTTERANCES:
        return None
    counts = scores["prediction"].value_counts()
    name, predicted = counts.index[0], counts.iloc[0] / len(scores)
    labelled = float((scores["label"] == name).mean())
    column = f"p_{name}"
    if predicted < CONSTANT or labelled >= COMMON or column not in scores:
        return None
    probability = scores[column].to_numpy(float)
    median = float(np.median(probability))
    if median < CONFIDENT and probability.std() > FLAT:
        return None
    how = f"a median probability of {median:.2f}" if median >= CONFIDENT else (
        f"nearly the same probability of {median:.2f} each time")  # fmt: skip
    return (
        f"{model} predicts {name} for {predicted:.0%} of the utterances with {how}, but only"
        f" {labelled:.0%} have this label: its head looks as if it was never trained, so compare"
        " its outputs with those of its source."
    )


def _other_order(scores: pd.DataFrame, speakers: np.ndarray | None, model: str) -> str | None:
    """Report labels that a model predicts for each other.

    The model has to be far below chance on these labels. With the labels exchanged, it has to be
    nearer to perfect than to chance. Each pair of a speaker and a label is one observation, because
    the utterances of a speaker are alike.
    """
    label = scores["label"].to_numpy(str)
    prediction = scores["prediction"].to_numpy(str)
    names = np.unique(label)
    shares = np.array([[(prediction[label == row] == name).mean() for name in names]
                       for row in names])  # fmt: skip
    found = linear_sum_assignment(shares, maximize=True)[1]
    moved = np.flatnonzero(found != np.arange(len(names)))
    if not len(moved):
        return None
    chance = 1 / len(names)
    if shares[moved, moved].mean() > FAR_BELOW * chance:
        return None
    if shares[moved, found[moved]].mean() < (1 + chance) / 2:
        return None
    exchanged = dict(zip(names[moved], names[found[moved]], strict=True))
    wanted = np.array([exchanged.get(name, name) for name in label])
    observed = pd.DataFrame(
        {
            "speaker": np.arange(len(scores)).astype(str) if speakers is None else speakers,
            "label": label,
            "hit": prediction == wanted,
        }
    )
    observed = observed[(label != wanted) & (observed["speaker"] != UNKNOWN_SPEAKER)]
    pairs = observed.groupby(["speaker", "label"])["hit"].mean()
    hits = int((pairs > 0.5).sum())
    if binom.sf(hits - 1, len(pairs), chance) * factorial(len(names)) > ALPHA:
        return None
    listed = [f"{other} for {own}" for own, other in list(exchanged.items())[:MAX_NAMED]]
    listed += ["and so on"] if len(exchanged) > MAX_NAMED else []
    return (
        f"{model} predicts {', '.join(listed)}: the order of its labels looks wrong, because"
        f" {(prediction == label).mean():.0%} of its predictions are right as they are, and"
        f" {(prediction == wanted).mean():.0%} with these labels exchanged. Compare the labels of"
        " the model with those of its training."
    )
