"""The model.yaml of an audonnx model: read as plain data, and written again from accepted values.

audonnx creates an object for each class name in its YAML file. A second model in an argument could
load any ONNX file, and a transform could run any code. Therefore only the class of the model itself
and its known arguments are accepted. A transform is accepted only if the config trusts it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import audobject
import yaml

from voxslice.errors import InputError
from voxslice.models.onnx_files import RATE_KEYS
from voxslice.safe_yaml import read_yaml

ALLOWED_CLASSES = ("audonnx.core.model.Model", "audonnx.Model")
"""Names of the class of an audonnx model."""
UNUSED_ARGUMENTS = ("device", "num_workers", "session_options")
"""Arguments of audonnx that Voxslice sets itself; their values in the file are ignored."""


@dataclass(frozen=True)
class Definition:
    """Content of a model.yaml.

    Attributes:
        onnx: The ONNX file, inside the folder of the model.
        labels: Labels of outputs by name; a list without a name belongs to the only output.
        sampling_rate: Sampling rate as it is written in the file, or None.
        transform: Code that computes the input of the model, as plain data from the file; None if
            the model takes the signal itself.
    """

    onnx: Path
    labels: dict[str, list[str]] | list[str] = field(default_factory=dict)
    sampling_rate: str | None = None
    transform: object = None


def read_definition(folder: Path, *, trusted: bool = False) -> Definition:
    """Read the model.yaml of a folder. No code of it runs.

    Args:
        folder: Folder of a model from a stranger.
        trusted: Whether the config trusts the transform of the model.

    Returns:
        The arguments of the model.

    Raises:
        InputError: The file is missing, is not plain YAML, names a class other than that of the
            model, names an unknown argument, or names an ONNX file outside of the folder. It has a
            transform that is not trusted, or it has none although one is trusted.
    """
    path = folder / "model.yaml"
    if not path.is_file():
        raise InputError(f"The model folder {folder} has no model.yaml: check the model's path.")
    document = read_yaml(_inside(folder, "model.yaml", path))
    if not isinstance(document, dict) or len(document) != 1:
        raise InputError(f"{path} does not describe one audonnx model: export it with audonnx.")
    name, arguments = next(iter(document.items()))
    _refuse_class(name, path, allowed=ALLOWED_CLASSES)
    plain = arguments
    if isinstance(arguments, dict):
        plain = {key: value for key, value in arguments.items() if key != "transform"}
    for key in _keys(plain):
        _refuse_class(key, path)
    if not str(name).startswith("$audonnx") or not isinstance(arguments, dict):
        raise InputError(f"{path} does not describe an audonnx model: export it with audonnx.")
    known = ("path", "labels", "transform", *RATE_KEYS, *UNUSED_ARGUMENTS)
    unknown = [str(key) for key in arguments if key not in known]
    if unknown:
        raise InputError(
            f"{path} has the argument {unknown[0]!r}, which an audonnx model does not have: remove"
            " it."
        )
    transform = arguments.get("transform")
    if _is_empty(transform):
        transform = None
    if trusted and transform is None:
        raise InputError(f"{path} has no transform: remove trust from the model in the config.")
    if transform is not None and not trusted:
        named = ", ".join(classes_of(transform)[:3])
        raise InputError(
            f"{path} has a transform, which is not run{f' ({named})' if named else ''}: export an"
            " audonnx model that takes the signal itself, or set trust: transform for a local"
            " folder if you trust its code."
        )
    rates = [arguments[key] for key in RATE_KEYS if key in arguments]
    return Definition(
        _onnx_file(folder, arguments.get("path"), path),
        _labels(arguments.get("labels"), path),
        _text(rates[0], path) if rates else None,
        transform,
    )


def write_definition(definition: Definition, folder: Path) -> None:
    """Write the model.yaml for a folder whose ONNX file is model.onnx.

    Args:
        definition: What `read_definition` returned.
        folder: Folder to write to.
    """
    arguments: dict[str, object] = {"path": "model.onnx"}
    if definition.labels:
        arguments["labels"] = definition.labels
    if definition.transform is not None:
        arguments["transform"] = definition.transform
    text = yaml.safe_dump({f"${ALLOWED_CLASSES[0]}": arguments}, sort_keys=False)
    (folder / "model.yaml").write_text(text, encoding="utf-8")


def classes_of(transform: object) -> list[str]:
    """List the classes that a transform names.

    Args:
        transform: Plain data of a transform.

    Returns:
        Their modules and names, without versions, each once and sorted.
    """
    keys = (str(key) for key in _keys(transform) if audobject.core.utils.is_class(key))
    return sorted({_class_name(key) for key in keys})


def _keys(node: object) -> Iterator[object]:
    """All keys of nested mappings and lists."""
    if isinstance(node, dict):
        yield from node
        node = list(node.values())
    if isinstance(node, list):
        for value in node:
            yield from _keys(value)


def _refuse_class(key: object, path: Path, *, allowed: Sequence[str] = ()) -> None:
    """Raise an error if a key names a class, except the allowed ones."""
    if audobject.core.utils.is_class(key):
        name = _class_name(str(key))
        if name not in allowed:
            raise InputError(
                f"{path} names the class {name}, which is not run: export an audonnx model that"
                " takes the signal itself."
            )


def _class_name(key: str) -> str:
    """Module and name of a class that audobject has written.

    audobject writes `$package:module.Class==version` or `$module.Class==version`.
    """
    return key.removeprefix("$").split("==")[0].split(":")[-1]


def _is_empty(transform: object) -> bool:
    """Whether no input has a transform."""
    values = transform.values() if isinstance(transform, dict) else [transform]
    return all(value is None for value in values)


def _onnx_file(folder: Path, name: object, path: Path) -> Path:
    if not isinstance(name, str):
        raise InputError(f"{path} names no ONNX file: export the model with audonnx.")
    found = _inside(folder, name, path)
    if not found.is_file():  # reading a pipe would wait for ever
        raise InputError(f"{path} names {found.name}, but the file is not there.")
    return found


def _inside(folder: Path, name: str, path: Path) -> Path:
    """Path of a file in a folder. A link or `..` that leads out of the folder is an error."""
    try:
        found = (folder / name).resolve()
    except (OSError, ValueError, RuntimeError) as error:  # links in a circle, a null byte
        raise InputError(
            f"{path} names a file that cannot exist: export the model again."
        ) from error
    if folder.resolve() not in found.parents:
        raise InputError(f"{path} names a file outside of its folder: {found.name}.")
    return found


def _labels(labels: object, path: Path) -> dict[str, list[str]] | list[str]:
    """Labels as text: YAML may have read them as numbers."""
    if labels is None:
        return {}
    if isinstance(labels, dict):
        return {_text(name, path): _names(names, path) for name, names in labels.items()}
    return _names(labels, path)


def _names(names: object, path: Path) -> list[str]:
    if not isinstance(names, list):
        raise InputError(f"{path} has labels that are not a list of names: export the model again.")
    return [_text(name, path) for name in names]


def _text(value: object, path: Path) -> str:
    if isinstance(value, dict | list):
        raise InputError(f"{path} has a list or a mapping instead of a name: correct the file.")
    return str(value)
