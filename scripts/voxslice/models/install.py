"""Check a fetched model before it is run, and write it together with a model card."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import audonnx
import numpy as np
import onnx

from voxslice.errors import InputError, full_disk, reason_of
from voxslice.files import sha256
from voxslice.models.behaviour import Checker
from voxslice.models.definition import (
    Definition,
    classes_of,
    read_definition,
    write_definition,
)
from voxslice.models.load_errors import load_error
from voxslice.models.onnx_files import (
    activations,
    count_parameters,
    declared_rate,
    read_onnx,
    take_one_at_a_time,
)
from voxslice.models.outputs import split_outputs
from voxslice.models.sessions import SAMPLING_RATE, run
from voxslice.models.time_limits import MAX_SECONDS, TimeLimitError, time_limit
from voxslice.models.vector_outputs import adapt_outputs
from voxslice.models.windows import Windows
from voxslice.unicode_text import nfc

REFERENCE = "reference.npz"
"""Name of the file with reference outputs in the folder of a model."""
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


@dataclass(frozen=True)
class Adaptation:
    """What the config says about models that do not map a signal to one vector per output.

    Attributes:
        pool: `mean`, `max` or `median` by name of an output with a time axis.
        scale: `logits` or `probabilities` by name of the output.
        windows: Windows that the model is run on; None for whole signals.
        trusted: Whether the config trusts a transform in model.yaml.
        sampling_rate: Sampling rate in Hz, which a transform is given.
    """

    pool: Mapping[str, str] = field(default_factory=dict)
    scale: Mapping[str, str] = field(default_factory=dict)
    windows: Windows | None = None
    trusted: bool = False
    sampling_rate: int = SAMPLING_RATE


def install(
    source: str | Path,
    target: str | Path,
    *,
    origin: str,
    checksum: str | None,
    max_seconds: float = MAX_SECONDS,
    parameters: int | None = None,
    first_seconds: float | None = None,
    adaptation: Adaptation = Adaptation(),
) -> None:
    """Check a model and write it as `model.onnx`, `model.yaml` and `model.json` into a folder.

    Args:
        source: Folder with a model.yaml of audonnx and the ONNX file that it names.
        target: Folder that receives the three files.
        origin: URL or path that the model came from, for `model.json`.
        checksum: SHA-256 of the archive; None for a local folder.
        max_seconds: Longest time to load the model, in seconds.
        parameters: Number of parameters; None to count the floats that the ONNX file stores.
        first_seconds: Seconds of an utterance that the model uses, from its start; None for all.
        adaptation: How outputs become one vector per utterance.

    Raises:
        InputError: The model.yaml is refused (see `read_definition`), audonnx cannot load the
            model, the model does not take one signal, or it takes too long.
        MachineError: The disk is full or memory is short.
    """
    definition = read_definition(Path(source), trusted=adaptation.trusted)
    install_graph(
        read_onnx(definition.onnx, origin),
        definition.labels,
        target,
        origin=origin,
        original=definition.onnx,
        checksum=checksum or sha256(definition.onnx),
        sampling_rate=definition.sampling_rate,
        max_seconds=max_seconds,
        parameters=parameters,
        first_seconds=first_seconds,
        reference=Path(source) / REFERENCE,
        adaptation=adaptation,
        transform=definition.transform,
    )


def install_onnx(
    path: str | Path,
    labels: Mapping[str, Sequence[str]],
    target: str | Path,
    *,
    origin: str,
    max_seconds: float = MAX_SECONDS,
    adaptation: Adaptation = Adaptation(),
) -> None:
    """Check a bare ONNX file and write it as `install` does, with a model.yaml for audonnx.

    Args:
        path: ONNX file.
        labels: Labels of outputs by name; audonnx numbers the labels of other outputs.
        target: Folder that receives `model.onnx`, `model.yaml` and `model.json`.
        origin: URL or path that the file came from, for `model.json`.
        max_seconds: Longest time to load the model, in seconds.
        adaptation: How outputs become one vector per utterance.

    Raises:
        InputError: audonnx cannot load the model, the model does not take one signal or takes too
            long, or the labels do not fit its outputs.
        MachineError: The disk is full or memory is short.
    """
    proto = read_onnx(path, origin)
    changed = take_one_at_a_time(proto)
    install_graph(
        proto,
        {name: list(names) for name, names in labels.items()},
        target,
        origin=origin,
        original=None if changed else Path(path),
        checksum=sha256(path),
        max_seconds=max_seconds,
        require_labelled=True,
        adaptation=adaptation,
    )


def install_graph(
    proto: onnx.ModelProto,
    labels: dict[str, list[str]] | list[str],
    target: str | Path,
    *,
    origin: str,
    original: Path | None,
    checksum: str,
    sampling_rate: str | None = None,
    max_seconds: float = MAX_SECONDS,
    parameters: int | None = None,
    first_seconds: float | None = None,
    require_labelled: bool = False,
    reference: Path | None = None,
    adaptation: Adaptation = Adaptation(),
    transform: object = None,
) -> None:
    """Adapt the graph of a model, check it, and write it as `install` does.

    Args:
        proto: The model. It is changed in place if it has to be adapted.
        labels: Labels of outputs by name, or those of the only output; audonnx numbers others.
        target: Folder that receives `model.onnx`, `model.yaml` and `model.json`.
        origin: URL or path that the model came from, for `model.json`.
        original: File with the same graph, which is copied if nothing has to be adapted; None to
            write the graph.
        checksum: SHA-256 for `model.json`.
        sampling_rate: Sampling rate that files beside the graph declare; None for that of the
            graph.
        max_seconds: Longest time to load the model, in seconds.
        parameters: Number of parameters; None to count the floats that the graph stores.
        first_seconds: Seconds of an utterance that the model uses, from its start; None for all.
            With windows it uses all.
        reference: File with reference outputs, see `Checker.check_reference`. It may be missing.
        require_labelled: Whether each output with labels has to be one vector per utterance.
        adaptation: How outputs become one vector per utterance.
        transform: Code that computes the input of the model, as plain data, which the config
            trusts; None if the model takes the signal.

    Raises:
        InputError: The model cannot be loaded or adapted, does not take one signal, takes too long,
            or the labels do not fit its outputs.
        MachineError: The disk is full or memory is short.
    """
    count = count_parameters(proto) if parameters is None else parameters
    found = activations(proto)

    with _staged(target) as checked:
        _write_graph(proto, checked, original)
        model = _loaded(
            Definition(checked / "model.onnx", transform=transform), origin, max_seconds
        )
        _require_signal(model, adaptation.windows, origin)
        # a window hides the time axis, unless the model takes nothing else
        fixed = adaptation.windows if _is_fixed(model) else None
        named = labels if isinstance(labels, dict) else dict.fromkeys(model.outputs, labels)
        _require_outputs(model, named, origin)
        edited = adapt_outputs(
            proto,
            _try(model, origin, max_seconds, replace(adaptation, windows=fixed)),
            labels=named,
            pool=adaptation.pool,
            scale=adaptation.scale,
            activations=found,
            origin=origin,
        )
        if edited:
            _write_graph(proto, checked, None)
        definition = Definition(checked / "model.onnx", labels, transform=transform)
        model = _loaded(definition, origin, max_seconds)
        outputs, refused = split_outputs(
            labels_of(model), _try(model, origin, max_seconds, adaptation)
        )
        for reason in refused.values():
            print(f"{reason[0].upper()}{reason[1:]}: it cannot be read.")
        lost = next((name for name in named if name in refused), None)
        if lost and require_labelled:
            raise InputError(
                f"Labels are given for the output {lost} of the model from {origin}, but"
                f" {refused[lost]}: export the model with one vector per utterance, set pool for an"
                " output with a time axis, or give labels for another output."
            )
        checker = Checker(
            model,
            list(outputs),
            windows=adaptation.windows,
            sampling_rate=adaptation.sampling_rate,
            origin=origin,
            max_seconds=max_seconds,
        )
        checker.check_lengths()
        if reference is not None and reference.is_file():
            checker.check_reference(reference)
        rate = sampling_rate or declared_rate(proto)
        kinds = {name: kind for name, kind in (found | edited).items() if kind}
        card: dict[str, Any] = {
            "origin": origin,
            "sha256": checksum,
            "size_mb": round((checked / "model.onnx").stat().st_size / 1e6, 3),
            "outputs": outputs,
            "refused": refused,
            "activations": kinds,
            "parameters": count,
            "sampling_rate": rate,
        }
        if adaptation.windows is not None:
            card["window"] = asdict(adaptation.windows)
        elif first_seconds is not None:
            card["first_seconds"] = first_seconds
        if transform is not None:
            card["transform"] = {
                "classes": classes_of(transform),
                "sampling_rate": adaptation.sampling_rate,
            }
        (checked / "model.json").write_text(json.dumps(card, indent=2) + "\n")


def _write_graph(proto: onnx.ModelProto, folder: Path, original: Path | None) -> None:
    """Write model.onnx: a copy of the original file, or the graph if there is none."""
    if original is None:
        onnx.save(proto, str(folder / "model.onnx"))
    else:
        shutil.copyfile(original, folder / "model.onnx")


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


def _loaded(definition: Definition, origin: str, max_seconds: float) -> audonnx.Model:
    """Write the model.yaml beside an ONNX file and load the model."""
    folder = definition.onnx.parent
    write_definition(definition, folder)
    try:
        with time_limit(max_seconds, f"Loading the model from {origin}"):
            return audonnx.load(str(folder))
    except TimeLimitError:
        raise
    except Exception as error:  # onnxruntime raises many kinds
        reason_of(error, f"The model from {origin}")  # raises an error if memory is short
        raise InputError(load_error(error, origin)) from error


def _require_signal(model: audonnx.Model, windows: Windows | None, origin: str) -> None:
    """Raise an error unless the only input is a mono signal of any length, or a window.

    The input of a model with a transform is what the transform computes.
    """
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
    if node.transform is not None:
        return
    length = max(node.shape, key=abs)
    if sorted(node.shape) == [*[1] * (len(node.shape) - 1), length] and length > 1:
        if windows is not None and windows.samples == length:
            return
        given = "" if windows is None else f", but a window has {windows.samples}"
        raise InputError(
            f"The model from {origin} takes {length} samples at a time{given}: set window.seconds"
            f" to {length / 16000:g} (at 16 kHz), or export the model with a length of any size if"
            " the exporter has frozen it."
        )
    if sorted(node.shape) != [-1, *[1] * (len(node.shape) - 1)]:  # -1 is a length of any size
        shape = ", ".join("any" if size == -1 else str(size) for size in node.shape)
        raise InputError(
            f"The input {name} of the model from {origin} has the shape ({shape}): export one that"
            " takes a mono signal of any length, of the shape (1, any)."
        )


def _require_outputs(model: audonnx.Model, labels: Mapping[str, object], origin: str) -> None:
    """Raise an error if labels are given for an output that the model does not have."""
    lacking = [str(output) for output in labels if output not in model.outputs]
    if lacking:
        raise InputError(
            f"The model from {origin} has no output {lacking[0]!r}, which the labels are for;"
            f" its outputs are {', '.join(model.outputs)}: correct the name."
        )


def _is_fixed(model: audonnx.Model) -> bool:
    """Whether a model takes signals of only one length."""
    return all(-1 not in node.shape for node in model.inputs.values())


def _try(
    model: audonnx.Model, origin: str, max_seconds: float, adaptation: Adaptation
) -> list[dict[str, np.ndarray]]:
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
                results.append(
                    run(
                        model,
                        signal,
                        list(model.outputs),
                        options,
                        adaptation.windows,
                        sampling_rate=adaptation.sampling_rate,
                    )
                )
        except TimeLimitError:
            raise
        except Exception as error:  # onnxruntime raises many kinds
            reason = reason_of(error, f"{samples / 16000:g} s of noise by the model from {origin}")
            print(f"The model fails on noise: {reason[:300]}")
    return results


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
