"""Outputs of a model: which of them are one vector of numbers per utterance, and which are read."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from voxslice.errors import InputError
from voxslice.utterance_keys import KEY

NUMERIC = "fiub"
"""Kinds of NumPy types whose values are numbers."""


def unfit(name: str, value: object, size: int) -> str | None:
    """Explain why a value is not one vector of numbers per utterance.

    Args:
        name: Name of the output.
        value: Value of the output for one utterance.
        size: Number of the output's labels.

    Returns:
        A reason that begins with the name of the output, or None if the value is such a vector.
    """
    array = np.asarray(value)
    if array.dtype.kind not in NUMERIC:
        return f"the output {name} holds text or other values that are not numbers"
    if array.size != size:
        shape = ", ".join(map(str, array.shape))
        return (
            f"the output {name} is not one vector per utterance: it has the shape ({shape}), but"
            f" {size} {'label' if size == 1 else 'labels'}"
        )
    return None


def split_outputs(
    labels: Mapping[str, Sequence[str]], trials: Sequence[Mapping[str, object]]
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Separate the outputs that can be read from those that cannot.

    Args:
        labels: Labels of each output.
        trials: Values of all outputs for signals of different durations. Without any, all outputs
            are taken to be fit.

    Returns:
        The labels of the outputs that give one vector per utterance, and for each other output the
        reason why it cannot be read.
    """
    usable, refused = {}, {}
    for name, own in labels.items():
        reasons = [unfit(name, trial[name], len(own)) for trial in trials]
        reason = next((reason for reason in reasons if reason), None)
        if reason is None:
            usable[name] = list(own)
        else:
            refused[name] = reason
    return usable, refused


def require_outputs(
    card: Mapping[str, Any],
    model: str,
    *,
    outputs: Sequence[str],
    labels: Sequence[str] = (),
) -> None:
    """Refuse a study that reads an output that the model lacks, or that is no vector.

    Args:
        card: Content of `model.json`.
        model: Id of the model, for the message.
        outputs: Names of the outputs that are read.
        labels: Labels that are read by their names alone.

    Raises:
        InputError: An output or a label is missing, or an output is not one vector of numbers per
            utterance.
    """
    usable = card["outputs"]
    listed = ", ".join(usable) or "none"
    for name in outputs:
        if name in card["refused"]:
            raise InputError(
                f"The model {model} cannot be used, since {card['refused'][name]}: name another"
                f" output in the config (those that can be read: {listed}) or export the model with"
                " one vector per utterance."
            )
        if name not in usable:
            raise InputError(
                f"The model {model} has no output {name!r}, but {listed}: correct the name of the"
                " output in the config, or remove what uses it."
            )
    for label in labels:
        if not any(label in own for own in usable.values()):
            known = ", ".join(label for own in usable.values() for label in own)
            raise InputError(
                f"The model {model} has no label {label!r}: a computed column must name one of"
                f" {known}."
            )


def label_columns(outputs: Mapping[str, Sequence[str]], model: str) -> list[str]:
    """Columns of the predictions: one per label.

    Args:
        outputs: Labels of the outputs that are read.
        model: Id of the model, for the message.

    Returns:
        The labels of all outputs.

    Raises:
        InputError: Two columns of the predictions would have the same name.
    """
    columns = [label for labels in outputs.values() for label in labels]
    names = [*KEY, "embedding", *columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(
            f"Two columns of the predictions of {model} would be called {twice[0]!r}: export the"
            " model with other labels."
        )
    return columns
