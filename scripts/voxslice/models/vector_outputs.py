"""Turn outputs into one vector per utterance: pool them over time, or spread one number."""

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import TensorProto

from voxslice.errors import InputError
from voxslice.models.graph_edits import GraphEditor

POOLS = ("mean", "max", "median")
"""Ways to pool the values of an output over time."""
INDEX = "class index"
"""What the model card has instead of an activation, if an output is the number of a class."""


def adapt_outputs(
    model: onnx.ModelProto,
    trials: Sequence[Mapping[str, np.ndarray]],
    *,
    labels: Mapping[str, Sequence[str]],
    pool: Mapping[str, str],
    scale: Mapping[str, str],
    activations: Mapping[str, str],
    origin: str,
) -> dict[str, str]:
    """Edit a model in place, so that outputs become one vector per utterance.

    An output with a time axis is pooled if `pool` names it. An output of one number with several
    labels becomes one probability or logit per label: an integer is the number of the class, from
    0; a float is the probability, or the logit, of the second of two labels.

    Args:
        model: Model that takes one signal.
        trials: Values of all outputs for signals of two different durations.
        labels: Labels of outputs by name.
        pool: One of `POOLS` by name of the output.
        scale: `logits` or `probabilities` by name of the output, as far as the config gives it.
        activations: `softmax` or `sigmoid` by name of the output, see
            `voxslice.models.onnx_files.activations`.
        origin: URL or path that the model came from, for messages.

    Returns:
        The activations of the edited outputs, for the model card. Empty if nothing was edited.

    Raises:
        InputError: An output that shall be pooled has no time axis or is missing, or one number
            cannot be spread over its labels.
    """
    _require_known(pool, trials, origin)
    edited = {}
    for output, how in pool.items():
        values = [np.asarray(trial[output]) for trial in trials]
        axis = _time_axis(values, output, origin)
        _pool(GraphEditor(model, origin), output, axis, how, values[0])
        edited[output] = activations.get(output, "")
    for output, names in labels.items():
        if output in pool or not trials or output not in trials[0] or len(names) < 2:
            continue
        value = np.asarray(trials[0][output])
        if value.size != 1 or any(np.asarray(trial[output]).size != 1 for trial in trials):
            continue
        if value.dtype.kind in "iu":
            _spread_index(GraphEditor(model, origin), output, len(names))
            edited[output] = INDEX
        elif value.dtype.kind == "f":
            kind = scale.get(output) or _kind(activations.get(output))
            _require_two(output, names, kind, origin)
            _spread_number(GraphEditor(model, origin), output, kind == "probabilities", value.dtype)
            edited[output] = "sigmoid" if kind == "probabilities" else ""
    return edited


def _kind(activation: str | None) -> str | None:
    return "probabilities" if activation == "sigmoid" else None


def _require_known(
    pool: Mapping[str, str], trials: Sequence[Mapping[str, np.ndarray]], origin: str
) -> None:
    """Raise an error if an output that shall be pooled is missing or could not be tried."""
    if pool and len(trials) < 2:
        raise InputError(
            f"The model from {origin} fails on noise, so that the time axis of the output"
            f" {next(iter(pool))} is not known: export the model again or remove pool."
        )
    for output in pool:
        if output not in trials[0]:
            raise InputError(
                f"The model from {origin} has no output {output!r}, which pool names; its outputs"
                f" are {', '.join(trials[0])}: correct the name."
            )


def _time_axis(values: Sequence[np.ndarray], output: str, origin: str) -> int:
    """The axis whose size depends on the duration of the signal."""
    if len({value.ndim for value in values}) != 1:
        raise InputError(
            f"The output {output} of the model from {origin} changes its number of axes with the"
            " duration: export it with a fixed number of axes."
        )
    sizes = np.array([value.shape for value in values]).reshape(len(values), -1)
    axes = np.flatnonzero((sizes != sizes[0]).any(axis=0))
    if len(axes) != 1:
        shapes = " and ".join(f"({', '.join(map(str, value.shape))})" for value in values)
        raise InputError(
            f"The output {output} of the model from {origin} does not have one time axis (its"
            f" shapes for two durations are {shapes}): remove it from pool."
        )
    return int(axes[0])


def _require_two(output: str, names: Sequence[str], kind: str | None, origin: str) -> None:
    """Raise an error unless a number is the probability or logit of the second of two labels."""
    if len(names) != 2:
        raise InputError(
            f"The output {output} of the model from {origin} is one number, but has"
            f" {len(names)} labels: give one label, or two if it is the probability of the second."
        )
    if kind is None:
        raise InputError(
            f"The output {output} of the model from {origin} is one number for two labels, and its"
            " last operation is no sigmoid: set scale of this output to probabilities or logits."
        )


def _pool(editor: GraphEditor, output: str, axis: int, how: str, example: np.ndarray) -> None:
    value = editor.detach_output(output)
    if example.dtype != np.float32:
        value = editor.add("Cast", [value], to=TensorProto.FLOAT)
    if how == "median":
        pooled = _median(editor, value, axis)
    else:
        pooled = editor.reduce({"mean": "ReduceMean", "max": "ReduceMax"}[how], value, axis)
    editor.finish_output(output, pooled, example.size // example.shape[axis])


def _median(editor: GraphEditor, value: str, axis: int) -> str:
    """The median over an axis: the mean of the two values, or of the one value, in the middle."""
    one, two = (editor.constant(np.array([number], np.int64)) for number in (1, 2))
    where = editor.constant(np.array([axis], np.int64))
    number = editor.add("Gather", [editor.add("Shape", [value]), where], axis=0)
    ordered = editor.add("TopK", [value, number], axis=axis, sorted=1, unread=1)
    low = editor.add("Div", [editor.add("Sub", [number, one]), two])
    high = editor.add("Div", [number, two])
    middle = editor.add("Concat", [low, high], axis=0)
    return editor.reduce("ReduceMean", editor.add("Gather", [ordered, middle], axis=axis), axis)


def _spread_number(editor: GraphEditor, output: str, probability: bool, dtype: np.dtype) -> None:
    """Two numbers for the two labels: 1 - p and p, or 0 and the logit."""
    value = editor.detach_output(output)
    if dtype != np.float32:
        value = editor.add("Cast", [value], to=TensorProto.FLOAT)
    flat = editor.add("Reshape", [value, editor.constant(np.array([1], np.int64))])
    first = editor.constant(np.array([1 if probability else 0], np.float32))
    if probability:
        first = editor.add("Sub", [first, flat])
    editor.finish_output(output, editor.add("Concat", [first, flat], axis=0), 2)


def _spread_index(editor: GraphEditor, output: str, width: int) -> None:
    """1 for the class with the number, 0 for the others; not a number if there is no such class."""
    flat = editor.constant(np.array([1], np.int64))
    value = editor.add("Reshape", [editor.detach_output(output), flat])
    value = editor.add("Cast", [value], to=TensorProto.INT64)
    classes = editor.constant(np.arange(width, dtype=np.int64))
    member = editor.add("Cast", [editor.add("Equal", [classes, value])], to=TensorProto.FLOAT)
    total = editor.reduce("ReduceMax", member, 0, keep=True)
    editor.finish_output(output, editor.add("Div", [member, total]), width)
