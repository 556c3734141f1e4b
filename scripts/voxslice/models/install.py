"""Models: check what was fetched before anything of it is run, then describe what it offers."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import audobject
import audonnx
import onnx
import yaml

from voxslice.errors import InputError
from voxslice.files import sha256
from voxslice.models.load_errors import load_error
from voxslice.models.onnx_files import (
    RATE_KEYS,
    count_parameters,
    declared_rate,
    read_onnx,
    take_one_at_a_time,
)
from voxslice.utterance_keys import KEY

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


def install(
    source: str | Path,
    target: str | Path,
    *,
    origin: str,
    checksum: str | None,
    parameters: int | None = None,
) -> None:
    """Check a model and write it as `model.onnx`, `model.yaml` and `model.json` into a folder.

    Args:
        source: folder with a model.yaml in audonnx's form and the ONNX file that it names
        target: folder that receives the three files
        origin: URL or path that the model came from, for `model.json`
        checksum: SHA-256 of the archive, None for a local folder
        parameters: their number; None to count what the ONNX file stores as floats

    Raises:
        InputError: where the YAML names a class that is not allowed or a file outside of the
            folder, or where audonnx cannot load the model or run it on a signal
    """
    definition = _read_definition(Path(source))
    path = _onnx_file(Path(source), definition)
    arguments = next(iter(definition.values()))
    arguments["path"] = "model.onnx"
    named = arguments.get("labels")
    # audonnx passes over what it does not know; a rate that is named there is meant
    rates = [arguments.pop(key) for key in RATE_KEYS if key in arguments]

    def load(folder: Path) -> audonnx.Model:
        (folder / "model.yaml").write_text(yaml.safe_dump(definition, sort_keys=False))
        return audonnx.load(str(folder))

    proto = read_onnx(path, origin)
    with _staged(target) as checked:
        shutil.copyfile(path, checked / "model.onnx")
        outputs = _outputs(checked, load, named if isinstance(named, dict) else {}, origin)
        rate = str(rates[0]) if rates else declared_rate(proto)
        count = count_parameters(proto) if parameters is None else parameters
        _write_card(checked, origin, checksum or sha256(path), outputs, count, rate)


def install_onnx(
    path: str | Path,
    labels: Mapping[str, Sequence[str]],
    target: str | Path,
    *,
    origin: str,
) -> None:
    """Check a bare ONNX file and write it as `install` does, with a model.yaml of audonnx's.

    Args:
        path: the file
        labels: of the outputs, by name; other outputs have labels of audonnx's own
        target: folder that receives the three files
        origin: URL or path that the file came from, for `model.json`

    Raises:
        InputError: where audonnx cannot load the model or run it on a signal, or the labels do not
            fit its outputs
    """

    def load(folder: Path) -> audonnx.Model:
        given = {name: list(names) for name, names in labels.items()}
        model = audonnx.Model(str(folder / "model.onnx"), labels=given)
        model.to_yaml(str(folder / "model.yaml"))
        return model

    proto = read_onnx(path, origin)
    with _staged(target) as checked:
        if take_one_at_a_time(proto):
            onnx.save(proto, str(checked / "model.onnx"))
        else:
            shutil.copyfile(path, checked / "model.onnx")
        outputs = _outputs(checked, load, labels, origin)
        count, rate = count_parameters(proto), declared_rate(proto)
        _write_card(checked, origin, sha256(path), outputs, count, rate)


@contextmanager
def _staged(target: str | Path) -> Iterator[Path]:
    """Give a new folder whose files are moved into another one once the block is through.

    A model is loaded from a folder that holds the checked files alone: beside the fetched ones,
    others (transform.yaml) could name classes too.
    """
    target = Path(target)
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target, prefix=".checked-") as name:
        yield Path(name)
        for file in Path(name).iterdir():
            file.replace(target / file.name)


def _outputs(
    folder: Path,
    load: Callable[[Path], audonnx.Model],
    named: Mapping[str, object],
    origin: str,
) -> dict[str, list[str]]:
    """Labels of each output of a model that audonnx loads and can run on a signal."""
    try:
        model = load(folder)
    except Exception as error:  # onnxruntime raises a dozen kinds
        raise InputError(load_error(error, origin)) from error
    if len(model.inputs) != 1:
        raise InputError(
            f"The model from {origin} has the inputs {', '.join(model.inputs)}: export one that"
            " takes the signal alone."
        )
    name, node = next(iter(model.inputs.items()))
    if node.dtype != "tensor(float)":
        raise InputError(
            f"The input {name} of the model from {origin} is a {node.dtype}: export one that takes"
            " the signal as float32."
        )
    if sorted(node.shape) != [-1, *[1] * (len(node.shape) - 1)]:  # -1 is a length of any size
        shape = ", ".join("any" if size == -1 else str(size) for size in node.shape)
        raise InputError(
            f"The input {name} of the model from {origin} has the shape ({shape}): export one that"
            " takes a mono signal of any length, of the shape (1, any)."
        )
    lacking = [str(output) for output in named if output not in model.outputs]
    if lacking:
        raise InputError(
            f"The model from {origin} has no output {lacking[0]!r}, which labels are given for, but"
            f" {', '.join(model.outputs)}: correct the name."
        )
    return labels_of(model)


def _write_card(
    folder: Path,
    origin: str,
    checksum: str,
    outputs: dict[str, list[str]],
    parameters: int,
    rate: str | None,
) -> None:
    card = {
        "origin": origin,
        "sha256": checksum,
        "size_mb": round((folder / "model.onnx").stat().st_size / 1e6, 3),
        "outputs": outputs,
        "parameters": parameters,
        "sampling_rate": rate,
    }
    (folder / "model.json").write_text(json.dumps(card, indent=2) + "\n")


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


def require_rate(declared: str | None, sampling_rate: int, model: str) -> None:
    """Refuse to run a model at another sampling rate than it says it expects.

    Args:
        declared: what the model says, as `model.json` has it; None where it says nothing
        sampling_rate: of the config, in Hz
        model: id of the model, for the message

    Raises:
        InputError: where they differ
    """
    try:
        expected = float(declared or sampling_rate)
    except ValueError:  # in words: no one can tell
        return
    if expected != sampling_rate:
        raise InputError(
            f"The model {model} expects {expected:g} Hz but would be given {sampling_rate} Hz: set"
            f" models.{model}.sampling_rate to {expected:g}."
        )


def labels_of(model: audonnx.Model) -> dict[str, list[str]]:
    """Labels of each output of a model, as text: YAML may have read them as numbers."""
    return {str(name): [str(x) for x in node.labels] for name, node in model.outputs.items()}


def label_columns(outputs: dict[str, list[str]], embedding_output: str) -> dict[str, list[str]]:
    """Labels of the outputs that become columns of the predictions: all but the embedding.

    Args:
        outputs: labels of each output
        embedding_output: name of the output that is the embedding

    Raises:
        InputError: where two columns of the predictions would have the same name
    """
    columns = {name: labels for name, labels in outputs.items() if name != embedding_output}
    names = [*KEY, "embedding", *(label for labels in columns.values() for label in labels)]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise InputError(
            f"Two columns of the predictions would be called {sorted(twice)[0]!r}: export the model"
            " with other labels."
        )
    return columns
