"""Check a fetched model before it is run, and write it together with a model card."""

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import audonnx
import numpy as np
import onnx

from voxslice.errors import InputError, full_disk, reason_of
from voxslice.files import sha256
from voxslice.models.definition import read_definition, write_definition
from voxslice.models.load_errors import load_error
from voxslice.models.onnx_files import (
    activations,
    count_parameters,
    declared_rate,
    read_onnx,
    take_one_at_a_time,
)
from voxslice.models.outputs import split_outputs
from voxslice.models.sessions import run
from voxslice.models.time_limits import MAX_SECONDS, TimeLimitError, time_limit
from voxslice.unicode_text import nfc

STAGED = ".checked-"
"""Beginning of the name of the folder in which a model is checked."""
TRIAL_SAMPLES = (48000, 64000)
"""Lengths of the signals that a model is tried on: 3 and 4 s at 16 kHz."""


def find_root(folder: str | Path) -> Path:
    """Find the folder of an unpacked archive that contains the model.yaml.

    Args:
        folder: Folder of an unpacked archive.

    Returns:
        The folder with the model.yaml.

    Raises:
        InputError: There is no model.yaml, or more than one.
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
    max_seconds: float = MAX_SECONDS,
    parameters: int | None = None,
) -> None:
    """Check a model and write it as `model.onnx`, `model.yaml` and `model.json` into a folder.

    Args:
        source: Folder with a model.yaml of audonnx and the ONNX file that it names.
        target: Folder that receives the three files.
        origin: URL or path that the model came from, for `model.json`.
        checksum: SHA-256 of the archive; None for a local folder.
        max_seconds: Longest time to load the model, in seconds.
        parameters: Number of parameters; None to count the floats that the ONNX file stores.

    Raises:
        InputError: The model.yaml is refused (see `read_definition`), audonnx cannot load the
            model, the model does not take one signal, or it takes too long.
        MachineError: The disk is full or memory is short.
    """
    definition = read_definition(Path(source))
    proto = read_onnx(definition.onnx, origin)

    def load(folder: Path) -> audonnx.Model:
        write_definition(definition, folder)
        return audonnx.load(str(folder))

    with _staged(target) as checked:
        shutil.copyfile(definition.onnx, checked / "model.onnx")
        named = definition.labels if isinstance(definition.labels, dict) else {}
        outputs, refused = _outputs(checked, load, named, origin, max_seconds)
        rate = definition.sampling_rate or declared_rate(proto)
        count = count_parameters(proto) if parameters is None else parameters
        digest = checksum or sha256(definition.onnx)
        _write_card(checked, origin, digest, outputs, refused, activations(proto), count, rate)


def install_onnx(
    path: str | Path,
    labels: Mapping[str, Sequence[str]],
    target: str | Path,
    *,
    origin: str,
    max_seconds: float = MAX_SECONDS,
) -> None:
    """Check a bare ONNX file and write it as `install` does, with a model.yaml for audonnx.

    Args:
        path: ONNX file.
        labels: Labels of outputs by name; audonnx numbers the labels of other outputs.
        target: Folder that receives `model.onnx`, `model.yaml` and `model.json`.
        origin: URL or path that the file came from, for `model.json`.
        max_seconds: Longest time to load the model, in seconds.

    Raises:
        InputError: audonnx cannot load the model, the model does not take one signal or takes too
            long, or the labels do not fit its outputs.
        MachineError: The disk is full or memory is short.
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
        outputs, refused = _outputs(checked, load, labels, origin, max_seconds)
        lost = next((name for name in labels if name in refused), None)
        if lost:
            raise InputError(
                f"Labels are given for the output {lost} of the model from {origin}, but"
                f" {refused[lost]}: export the model with one vector per utterance or give labels"
                " for another output."
            )
        count, rate = count_parameters(proto), declared_rate(proto)
        digest = sha256(path)
        _write_card(checked, origin, digest, outputs, refused, activations(proto), count, rate)


@contextmanager
def _staged(target: str | Path) -> Iterator[Path]:
    """Create a new folder whose files are moved into the target after the block.

    A model is loaded from a folder with only the checked files, because other fetched files, such
    as transform.yaml, could also name classes.
    """
    target = Path(target)
    with full_disk(target):
        target.mkdir(parents=True, exist_ok=True)
        for left in target.glob(f"{STAGED}*"):  # left by a process that was killed
            shutil.rmtree(left)
        with tempfile.TemporaryDirectory(dir=target, prefix=STAGED) as name:
            yield Path(name)
            for file in Path(name).iterdir():
                file.replace(target / file.name)


def _outputs(
    folder: Path,
    load: Callable[[Path], audonnx.Model],
    named: Mapping[str, object],
    origin: str,
    max_seconds: float,
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Load and try a model.

    Returns:
        The labels of the outputs that can be read, and the reasons why others cannot be read.
    """
    try:
        with time_limit(max_seconds, f"Loading the model from {origin}"):
            model = load(folder)
    except TimeLimitError:
        raise
    except Exception as error:  # onnxruntime raises many kinds
        reason_of(error, f"The model from {origin}")  # raises an error if memory is short
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
            f"The model from {origin} has no output {lacking[0]!r}, which the labels are for;"
            f" its outputs are {', '.join(model.outputs)}: correct the name."
        )
    outputs, refused = split_outputs(labels_of(model), _try(model, origin, max_seconds))
    for reason in refused.values():
        print(f"{reason[0].upper()}{reason[1:]}: it cannot be read.")
    return outputs, refused


def _try(model: audonnx.Model, origin: str, max_seconds: float) -> list[dict[str, np.ndarray]]:
    """Run a model on noise of two durations, and refuse it if it takes too long.

    Other failures are no reason to refuse the model, because they may concern only noise. There is
    no result for a duration on which the model fails.
    """
    results = []
    for samples in TRIAL_SAMPLES:
        signal = np.random.default_rng(0).uniform(-0.5, 0.5, (1, samples)).astype(np.float32)
        what = f"Running the model from {origin} on {samples / 16000:g} s of noise"
        try:
            with time_limit(max_seconds, what) as options:
                results.append(run(model, signal, list(model.outputs), options))
        except TimeLimitError:
            raise
        except Exception as error:  # onnxruntime raises many kinds
            reason = reason_of(error, f"{samples / 16000:g} s of noise by the model from {origin}")
            print(f"The model fails on noise: {reason[:300]}")
    return results


def _write_card(
    folder: Path,
    origin: str,
    checksum: str,
    outputs: dict[str, list[str]],
    refused: dict[str, str],
    activations: dict[str, str],
    parameters: int,
    rate: str | None,
) -> None:
    card = {
        "origin": origin,
        "sha256": checksum,
        "size_mb": round((folder / "model.onnx").stat().st_size / 1e6, 3),
        "outputs": outputs,
        "refused": refused,
        "activations": activations,
        "parameters": parameters,
        "sampling_rate": rate,
    }
    (folder / "model.json").write_text(json.dumps(card, indent=2) + "\n")


def require_rate(declared: str | None, sampling_rate: int, model: str) -> None:
    """Refuse to run a model at a sampling rate other than the one that its files declare.

    Args:
        declared: Sampling rate in `model.json`; None if the files declare none.
        sampling_rate: Sampling rate in the config, in Hz.
        model: Id of the model, for the message.

    Raises:
        InputError: The two differ.
    """
    try:
        expected = float(declared or sampling_rate)
    except ValueError:  # it is not a number
        return
    if expected != sampling_rate:
        raise InputError(
            f"The model {model} expects {expected:g} Hz but would be given {sampling_rate} Hz: set"
            f" models.{model}.sampling_rate to {expected:g}."
        )


def labels_of(model: audonnx.Model) -> dict[str, list[str]]:
    """The labels of each output of a model, as text: YAML may have read them as numbers.

    Args:
        model: Model that audonnx has loaded.

    Returns:
        The labels by name of the output.
    """
    return {str(name): [nfc(str(x)) for x in node.labels] for name, node in model.outputs.items()}
