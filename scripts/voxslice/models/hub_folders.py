"""Folders that Optimum and transformers.js write: ONNX files with the config files of a checkpoint.

The graph takes normalised audio and often a mask, or log-mel features. Labels, sampling rate,
normalisation and the settings of the features are in files beside it. Here they become part of the
graph, so that the model takes a plain signal.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper
from onnx.external_data_helper import ExternalDataInfo, load_external_data_for_model

from voxslice.errors import InputError
from voxslice.files import sha256
from voxslice.models.graph_edits import GraphEditor
from voxslice.models.log_mel import EXTRACTORS, SIGNAL, add_front_end, read_settings
from voxslice.models.onnx_files import (
    count_parameters,
    external_tensors,
    read_graph,
    require_bounded_functions,
)

MASK = "attention_mask"
"""Name of the input of a graph that marks padding. Nothing is padded here."""
LOGITS = "logits"
"""Name of the output of a graph with one number per class."""
EPSILON = 1e-7
"""Number that the feature extractor of transformers adds to the variance."""
HEADS = (
    "ForSequenceClassification",
    "ForAudioClassification",
    "ForAudioFrameClassification",
    "ForXVector",
)
"""Ends of the names of architectures whose `logits` come from a trained head."""
MAX_JSON_BYTES = 1 << 20
"""Largest config file that is read."""
MAX_GRAPH_BYTES = 2 * 10**9
"""Most bytes of a graph with its weights: protobuf cannot write more into one file."""


@dataclass(frozen=True)
class HubModel:
    """A model of a hub folder, ready to be installed.

    Attributes:
        graph: The model, which takes a signal of the shape (1, samples).
        labels: Labels of the output `logits`, if there is one.
        sampling_rate: Sampling rate in Hz, as text.
        checksum: SHA-256 of the ONNX file, and of the files with its weights if there are any.
        parameters: Number of floats that the files store.
        first_seconds: Seconds of an utterance that the model uses, from its start; None for all.
    """

    graph: onnx.ModelProto
    labels: dict[str, list[str]]
    sampling_rate: str | None
    checksum: str
    parameters: int
    first_seconds: float | None


def read_hub_folder(
    folder: str | Path,
    *,
    file: str | None,
    outputs: Mapping[str, Sequence[str]] | None,
    origin: str,
) -> HubModel:
    """Read a folder and make its graph take a plain signal.

    Args:
        folder: Folder with config.json, preprocessor_config.json and model.onnx, which may be in
            its subfolder `onnx`.
        file: Name of the ONNX file; None for model.onnx.
        outputs: Labels that replace those of config.json, by name of the output.
        origin: Path or repository that the folder came from, for messages.

    Returns:
        The model.

    Raises:
        InputError: A file is missing or damaged, the model takes features that cannot become part
            of the graph, or its head is not trained for classes.
    """
    folder = Path(folder)
    config = _read_json(folder, "config.json", origin)
    extractor = _read_json(folder, "preprocessor_config.json", origin)
    path = _onnx_file(folder, file, origin)
    graph, checksum = _read_weights(path, folder, origin)
    features = read_settings(extractor, origin)
    if features is None:
        _require_signal_input(graph, extractor, origin)
    labels = {name: list(names) for name, names in (outputs or {}).items()}
    if any(output.name == LOGITS for output in graph.graph.output):
        if LOGITS in labels:
            own = _labels(config, origin) if config.get("id2label") else []
            _require_same_order(labels[LOGITS], own, origin)
        else:
            own = _labels(config, origin)
            _require_trained(config, origin)
            _require_named(own, origin)
            labels[LOGITS] = own
    parameters = count_parameters(graph)
    if features is None:
        _take_signal(graph, normalize=bool(extractor.get("do_normalize", True)), origin=origin)
    else:
        add_front_end(graph, features, origin)
    rate = extractor.get("sampling_rate")
    return HubModel(
        graph,
        labels,
        None if rate is None else str(rate),
        checksum,
        parameters,
        None if features is None else features.seconds,
    )


def _read_json(folder: Path, name: str, origin: str) -> dict[str, Any]:
    """Content of a config file."""
    path = folder / name
    if not path.is_file():
        raise InputError(
            f"The model from {origin} has no {name}: name a folder that Optimum has written, or"
            f" copy the {name} of the checkpoint into it."
        )
    try:
        if path.stat().st_size > MAX_JSON_BYTES:
            raise ValueError("it is too large")
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise ValueError("it holds no object")
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"The file {name} of the model from {origin} cannot be read"
            f" ({' '.join(str(error).split())[:200]}): copy that of the checkpoint again."
        ) from error
    return content


def _onnx_file(folder: Path, file: str | None, origin: str) -> Path:
    """The ONNX file of a folder, which must not be a link to another folder."""
    name = file or "model.onnx"
    for place in (folder / "onnx" / name, folder / name):
        if place.is_file() and folder.resolve() in place.resolve().parents:
            return place
    found = sorted(path.name for path in [*folder.glob("*.onnx"), *folder.glob("onnx/*.onnx")])
    if found:
        raise InputError(
            f"The model from {origin} has no ONNX file {name}, but {', '.join(found)}: name one of"
            " them as file."
        )
    if (folder / "pytorch_model.bin").exists() or list(folder.glob("*.safetensors")):
        raise InputError(
            f"The model from {origin} is a checkpoint of PyTorch without an ONNX file, and is not"
            " loaded: export it first (optimum-cli export onnx, see docs/models.md)."
        )
    raise InputError(f"The model from {origin} has no ONNX file: export it (see docs/models.md).")


def _read_weights(path: Path, folder: Path, origin: str) -> tuple[onnx.ModelProto, str]:
    """A graph with its weights, also those in files beside it, and their checksum."""
    graph = read_graph(path, origin)
    require_bounded_functions(graph, origin)
    places = {
        (tensor.name, ExternalDataInfo(tensor).location) for tensor in external_tensors(graph)
    }
    names = sorted({location for _, location in places})
    size = path.stat().st_size
    for name in names:
        place = path.parent / name
        if folder.resolve() not in place.resolve().parents:
            raise InputError(
                f"The model from {origin} keeps weights outside of its folder ({name}): export it"
                " again."
            )
        if not place.is_file():
            raise InputError(
                f"The weights of the model from {origin} are in the file {name}, which is missing:"
                f" copy it beside {path.name}."
            )
        size += place.stat().st_size
    if size > MAX_GRAPH_BYTES:
        raise InputError(
            f"The model from {origin} has {size / 1e9:.1f} GB, more than one ONNX file can hold (2"
            " GB): use a smaller model."
        )
    if not names:
        return graph, sha256(path)
    try:
        load_external_data_for_model(graph, str(path.parent))
    except Exception as error:  # onnx raises several kinds
        raise InputError(
            f"The weights of the model from {origin} cannot be read"
            f" ({' '.join(str(error).split())[:200]}): copy {', '.join(names)} again."
        ) from error
    parts = [sha256(part) for part in (path, *(path.parent / name for name in names))]
    return graph, hashlib.sha256("".join(parts).encode()).hexdigest()


def _require_signal_input(
    graph: onnx.ModelProto, extractor: Mapping[str, Any], origin: str
) -> None:
    """Raise an error unless a graph reads the signal, and nothing else except a mask."""
    names = _inputs(graph)
    if SIGNAL in names and set(names) <= {SIGNAL, MASK}:
        return
    kind = extractor.get("feature_extractor_type", "its feature extractor")
    raise InputError(
        f"The model from {origin} has the inputs {', '.join(names)}: {kind} computes features that"
        f" are not part of the graph, but only models that take the signal ({SIGNAL}) or the"
        f" features of {' or '.join(EXTRACTORS)} can be run."
    )


def _inputs(graph: onnx.ModelProto) -> list[str]:
    """Names of the inputs that are not stored in the file."""
    stored = {tensor.name for tensor in graph.graph.initializer}
    return [value.name for value in graph.graph.input if value.name not in stored]


def _labels(config: Mapping[str, Any], origin: str) -> list[str]:
    """Labels in the order of the classes, by the `id2label` of config.json."""
    given = config.get("id2label")
    if not isinstance(given, dict) or not given:
        raise InputError(
            f"The config.json of the model from {origin} has no id2label: give the labels in"
            f" outputs.{LOGITS}."
        )
    try:
        by_index = {int(key): str(value) for key, value in given.items()}
        back = {str(key): int(value) for key, value in (config.get("label2id") or {}).items()}
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"The id2label or label2id of the model from {origin} is not by number: correct"
            " config.json."
        ) from error
    if sorted(by_index) != list(range(len(by_index))):
        raise InputError(
            f"The id2label of the model from {origin} does not number the labels from 0: correct"
            " config.json."
        )
    for index, label in by_index.items():
        if back.get(label, index) != index:
            raise InputError(
                f"The config.json of the model from {origin} contradicts itself: {label!r} is class"
                f" {index} in id2label and {back[label]} in label2id: correct it."
            )
    return [by_index[index] for index in range(len(by_index))]


def _require_named(labels: Sequence[str], origin: str) -> None:
    """Raise an error if config.json has only the placeholders that transformers fills in."""
    if len(labels) > 1 and list(labels) == [f"LABEL_{index}" for index in range(len(labels))]:
        raise InputError(
            f"The config.json of the model from {origin} names its classes only LABEL_0 to"
            f" LABEL_{len(labels) - 1}: give their names in outputs.{LOGITS}."
        )


def _require_same_order(given: Sequence[str], own: Sequence[str], origin: str) -> None:
    """Raise an error if the config of the study has the same labels in another order."""
    if list(given) != list(own) and sorted(given) == sorted(own):
        raise InputError(
            f"The labels in outputs.{LOGITS} ({', '.join(given)}) have another order than id2label"
            f" of the model from {origin} ({', '.join(own)}): remove them from outputs."
        )


def _require_trained(config: Mapping[str, Any], origin: str) -> None:
    """Raise an error if the logits come from a head that the checkpoint does not contain."""
    names = [str(name) for name in config.get("architectures") or []]
    if names and not any(name.endswith(HEADS) for name in names):
        raise InputError(
            f"The model from {origin} was trained as {names[0]}, for which exporters add a head for"
            " classes with random weights: export it with its own head, or give its labels in"
            f" outputs.{LOGITS} if the head was trained."
        )


def _take_signal(graph: onnx.ModelProto, *, normalize: bool, origin: str) -> None:
    """Let the graph take a signal of any length: fill in the mask, and normalise the signal."""
    dimensions = next(
        value.type.tensor_type.shape.dim for value in graph.graph.input if value.name == SIGNAL
    )
    if len(dimensions) == 2 and not dimensions[0].HasField("dim_value"):
        dimensions[0].dim_value = 1
    editor = GraphEditor(graph, origin)
    if MASK in _inputs(graph):
        _fill_mask(editor)
    if normalize:
        signal = editor.detach_input(SIGNAL)
        axis = len(dimensions) - 1
        mean = editor.reduce("ReduceMean", SIGNAL, axis, keep=True)
        centred = editor.add("Sub", [SIGNAL, mean])
        square = editor.add("Mul", [centred, centred])
        variance = editor.reduce("ReduceMean", square, axis, keep=True)
        epsilon = editor.constant(np.array(EPSILON, np.float32))
        deviation = editor.add("Sqrt", [editor.add("Add", [variance, epsilon])])
        editor.add("Div", [centred, deviation], signal)
    editor.finish_input()


def _fill_mask(editor: GraphEditor) -> None:
    """Replace the input for the mask by ones of the shape of the signal."""
    inputs = editor.model.graph.input
    position = [value.name for value in inputs].index(MASK)
    kind = inputs[position].type.tensor_type.elem_type or TensorProto.INT64
    del inputs[position]
    mask = editor.detach_input(MASK)
    shape = editor.add("Shape", [SIGNAL])
    one = helper.make_tensor("one", kind, [1], [1])
    editor.add("ConstantOfShape", [shape], mask, value=one)
