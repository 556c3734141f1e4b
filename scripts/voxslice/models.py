"""Models: check what was fetched before anything of it is run, then describe what it offers."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import audobject
import audonnx
import numpy as np
import onnx
import yaml

from voxslice.errors import InputError
from voxslice.files import KEY, sha256

ALLOWED = ("audonnx.core.model.Model", "audonnx.Model")
"""Classes that a model.yaml may name: loading it instantiates them, so no other is let through.

Transforms are left out on purpose: audonnx.Function carries source code, and openSMILE's arguments
can name files to write.
"""


def find_root(folder: str | Path) -> Path:
    """Find the one folder below `folder` that holds a model.yaml.

    Raises:
        InputError: where there is none, or more than one
    """
    found = sorted(Path(folder).rglob("model.yaml"))
    if len(found) != 1:
        raise InputError(
            f"A model is one folder with model.yaml and model.onnx, but {len(found)} files called"
            " model.yaml were found: check the model's url or path."
        )
    return found[0].parent


def install(source: str | Path, target: str | Path, *, origin: str, checksum: str | None) -> None:
    """Check a model and write it as `model.onnx`, `model.yaml` and `model.json` into a folder.

    Args:
        source: folder with a model.yaml in audonnx's form and the ONNX file that it names
        target: folder that receives the three files
        origin: URL or path that the model came from, for `model.json`
        checksum: SHA-256 of the archive, None for a local folder

    Raises:
        InputError: where the YAML names a class that is not allowed or a file outside of the
            folder, or where audonnx cannot load the model
    """
    source, target = Path(source), Path(target)
    definition = _read_definition(source)
    path = _onnx_file(source, definition)
    for arguments in definition.values():
        arguments["path"] = "model.onnx"
    target.mkdir(parents=True, exist_ok=True)
    # the model is loaded from a folder that holds the checked files alone: in the source, other
    # files (transform.yaml) could name classes too
    with tempfile.TemporaryDirectory(dir=target, prefix=".checked-") as name:
        checked = Path(name)
        shutil.copyfile(path, checked / "model.onnx")
        (checked / "model.yaml").write_text(yaml.safe_dump(definition, sort_keys=False))
        card = {
            "origin": origin,
            "sha256": checksum or sha256(path),
            "size_mb": round(path.stat().st_size / 1e6, 3),
            "outputs": _load_once(checked, origin),
            "parameters": count_parameters(path),
        }
        (checked / "model.json").write_text(json.dumps(card, indent=2) + "\n")
        for file in checked.iterdir():
            file.replace(target / file.name)


def _read_definition(folder: Path) -> dict[str, dict]:
    path = folder / "model.yaml"
    if not path.is_file():
        raise InputError(f"The model folder {folder} has no model.yaml: check the model's path.")
    try:
        definition = yaml.safe_load(path.read_text(encoding="utf-8"))
        keys = list(_keys(definition))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"{path} is not plain YAML: export the model with audonnx.") from error
    if not isinstance(definition, dict) or len(definition) != 1:
        raise InputError(f"{path} does not describe one audonnx model: export it with audonnx.")
    _refuse_classes(keys, path)
    name, arguments = next(iter(definition.items()))
    if not str(name).startswith("$audonnx") or not isinstance(arguments, dict):
        raise InputError(f"{path} does not describe an audonnx model: export it with audonnx.")
    return definition


def _keys(node: object) -> Iterator[object]:
    """All keys of nested YAML; its ordered maps are lists of tuples."""
    if isinstance(node, dict):
        yield from node
        node = list(node.values())
    if isinstance(node, list | tuple):
        for value in node:
            yield from _keys(value)


def _refuse_classes(keys: Sequence[object], path: Path) -> None:
    """Raise where a key names a class that is not in `ALLOWED`."""
    for key in keys:
        if audobject.core.utils.is_class(key):
            # audobject writes "$package:module.Class==version" or "$module.Class==version"
            name = str(key).removeprefix("$").split("==")[0].split(":")[-1]
            if name not in ALLOWED:
                raise InputError(
                    f"{path} names the class {name}, which is not run: export an audonnx model"
                    " that takes the signal itself."
                )


def _onnx_file(folder: Path, definition: dict[str, dict]) -> Path:
    arguments = next(iter(definition.values()))
    path = (folder / str(arguments.get("path"))).resolve()
    if folder.resolve() not in path.parents:
        raise InputError(f"{folder}/model.yaml names a file outside of its folder: {path.name}.")
    if not path.is_file():
        raise InputError(f"{folder}/model.yaml names {path.name}, but the file is not there.")
    return path


def _load_once(folder: Path, origin: str) -> dict[str, list[str]]:
    """Labels of each output of a model, as audonnx loads it."""
    try:
        model = audonnx.load(str(folder))
    except Exception as error:  # onnxruntime raises a dozen kinds
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"audonnx cannot load the model from {origin} ({reason}): export it again."
        ) from error
    return labels_of(model)


def labels_of(model: audonnx.Model) -> dict[str, list[str]]:
    """Labels of each output of a model, as text: YAML may have read them as numbers."""
    return {str(name): [str(x) for x in node.labels] for name, node in model.outputs.items()}


def count_parameters(path: str | Path) -> int:
    """Number of elements in the float tensors that an ONNX file stores."""
    graph = onnx.load(str(path), load_external_data=False).graph
    real = {onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.DOUBLE}
    return sum(int(np.prod(t.dims)) for t in graph.initializer if t.data_type in real)


def label_columns(outputs: dict[str, list[str]], embedding: str) -> dict[str, list[str]]:
    """Labels of the outputs that become columns of the predictions: all but the embedding.

    Args:
        outputs: labels of each output
        embedding: name of the output that is the embedding

    Raises:
        InputError: where two columns of the predictions would have the same name
    """
    columns = {name: labels for name, labels in outputs.items() if name != embedding}
    names = [*KEY, "embedding", *(label for labels in columns.values() for label in labels)]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise InputError(
            f"Two columns of the predictions would be called {sorted(twice)[0]!r}: export the model"
            " with other labels."
        )
    return columns
