"""Logits or probabilities: what the output of a classification model holds."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from voxslice.errors import InputError
from voxslice.probabilities import is_probability

LOGITS, PROBABILITIES = "logits", "probabilities"
CLASS_INDEX = "class index"
"""What `model.json` has instead of an activation, if an output is made from a class's number."""
SUM_ROUNDING = 1e-3
"""How far a sum of probabilities may be from 1: rounding to 16 bits changes it by up to 0.0005."""
MIN_DISTINCT = 5
"""Different utterances from which values alone tell probabilities from logits.

Logits of one utterance sum to 1 within the rounding by chance with a probability of about 0.002,
those of five different utterances with 3e-14.
"""


@dataclass(frozen=True)
class Scale:
    """What an output holds, and how that is known.

    Attributes:
        kind: `LOGITS` or `PROBABILITIES`
        note: how it is known, a sentence for the log and the report; empty if the config gives the
            scale or if there is nothing to report
    """

    kind: str
    note: str = ""


def scale_of_output(
    values: np.ndarray,
    *,
    declared: str | None,
    activation: str | None,
    model: str,
    output: str,
) -> Scale:
    """Decide whether an output holds logits or probabilities.

    The config decides first, then the last operation of the model, then the values: those that are
    never negative and sum to 1 on every utterance are probabilities.

    Args:
        values: shape (utterances, classes), of all utterances of a dataset
        declared: `LOGITS` or `PROBABILITIES` if the config gives the scale, otherwise None
        activation: the model's last operation on the output, `softmax` or `sigmoid`, or
            `CLASS_INDEX`, otherwise None
        model: id of the model, for messages
        output: name of the output, for messages

    Returns:
        the scale

    Raises:
        InputError: if the config has probabilities and a value is not between 0 and 1, or if the
            values look like probabilities but are too few to be sure
    """
    name, key = f"The output {output} of {model}", f"models.{model}.scale.{output}"
    if declared == LOGITS:
        return Scale(LOGITS)
    inside = is_probability(values)
    if declared == PROBABILITIES:
        if not inside.all():
            raise InputError(
                f"{name} has the value {values[~inside][0]:g}, which is no probability: remove"
                f" {key} or set it to logits."
            )
        return Scale(PROBABILITIES)
    if activation is not None and inside.all():
        reason = f"its last operation is a {activation}"
        if activation == CLASS_INDEX:
            reason = "it is 1 for the class whose number the model gives, and 0 for others"
        return Scale(
            PROBABILITIES, f"{name} holds probabilities, since {reason}: they are used as they are."
        )
    if not len(values) or not inside.all():
        return Scale(LOGITS)
    if (np.abs(values.sum(axis=1) - 1) > SUM_ROUNDING).any():
        return Scale(
            LOGITS,
            f"All values of the output {output} of {model} are between 0 and 1; they are read as"
            f" logits, since they do not sum to 1: if they are probabilities, set {key}.",
        )
    distinct = len(pd.DataFrame(values).drop_duplicates())
    if distinct < MIN_DISTINCT:
        raise InputError(
            f"{name} is never negative and sums to 1 on every utterance, but takes only {distinct}"
            f" different {'value' if distinct == 1 else 'values'}, too few to tell probabilities"
            f" from logits: set {key} to {PROBABILITIES} or {LOGITS}."
        )
    return Scale(
        PROBABILITIES,
        f"{name} holds probabilities, since it is never negative and sums to 1 on every utterance:"
        " they are used as they are.",
    )
