"""Models in onnxruntime, on the processor or on a GPU."""

import json
from collections.abc import Sequence
from pathlib import Path

import audonnx
import numpy as np
import onnxruntime
from onnxruntime.capi.onnxruntime_pybind11_state import EPFail

from voxslice.errors import InputError
from voxslice.models.transforms import features
from voxslice.models.windows import Windows

CUDA = "CUDAExecutionProvider"
"""Name under which onnxruntime runs models on NVIDIA GPUs."""
CUDA_OPTIONS = {
    "arena_extend_strategy": "kSameAsRequested",  # the default doubles the memory when it grows
    "use_tf32": "0",  # the default computes with 19 of 32 bits
}
"""Options of onnxruntime on a GPU, with which results agree with those of the processor."""
ALGORITHM_SEARCHES = ("HEURISTIC", "DEFAULT")
"""How cuDNN chooses the algorithm of a convolution: the first way that works for a model is used.

`HEURISTIC` is the fastest for signals of different lengths, but fails for some convolutions of 16
bits. onnxruntime itself would use `EXHAUSTIVE`, which times all algorithms again for each length.
"""
SAMPLING_RATE = 16000
"""Sampling rate in Hz that a transform is given if the rate of the model is not known."""
TRIAL_SAMPLES = 48000
"""Length of the signal that a model is tried on when it is loaded on a GPU."""


def load(folder: str | Path, *, threads: int, device: str = "cpu") -> audonnx.Model:
    """Load a model that `voxslice.models.install` has written.

    Args:
        folder: Folder with model.onnx and model.yaml.
        threads: Number of threads that compute one utterance together.
        device: `cpu` or `cuda`.

    Returns:
        The model. Several threads may run it at the same time.

    Raises:
        InputError: The device is `cuda` and no GPU can be used. onnxruntime itself would only warn
            and use the processor.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    if device == "cuda":
        return _load_on_gpu(str(folder), options)
    return audonnx.load(str(folder), device=device, session_options=options)


def _load_on_gpu(folder: str, options: onnxruntime.SessionOptions) -> audonnx.Model:
    """Load a model on the GPU, or raise an error if that is not possible."""
    if CUDA not in onnxruntime.get_available_providers():
        raise InputError(
            "The config asks for device: cuda, but the installed onnxruntime supports no GPU:"
            " install onnxruntime-gpu instead (docs/gpu.md) or set device: cpu."
        )
    onnxruntime.preload_dlls()  # finds CUDA and cuDNN if pip has installed them
    options.use_deterministic_compute = True
    for search in ALGORITHM_SEARCHES:
        provider = (CUDA, CUDA_OPTIONS | {"cudnn_conv_algo_search": search})
        model = audonnx.load(folder, device=provider, session_options=options)
        if CUDA not in model.sess.get_providers():
            raise InputError(
                "The config asks for device: cuda, but no GPU can be used here: check that"
                " nvidia-smi lists one and that CUDA and cuDNN fit onnxruntime-gpu, or set device:"
                " cpu."
            )
        model.sess.disable_fallback()  # to the processor, if the GPU fails on an utterance
        if _runs(model, windows_of(folder)):
            break
    return model


def _runs(model: audonnx.Model, windows: Windows | None) -> bool:
    """Whether the GPU can compute the operators of a model. Other failures are left to `run`."""
    signal = np.random.default_rng(0).uniform(-0.5, 0.5, (1, TRIAL_SAMPLES)).astype(np.float32)
    try:
        run(model, signal, list(model.outputs), onnxruntime.RunOptions(), windows)
    except EPFail:
        return False
    except Exception:  # onnxruntime raises a dozen kinds
        return True
    return True


def run(
    model: audonnx.Model,
    signal: np.ndarray,
    outputs: Sequence[str],
    options: onnxruntime.RunOptions,
    windows: Windows | None = None,
    *,
    sampling_rate: int = SAMPLING_RATE,
) -> dict[str, np.ndarray]:
    """Run a model on one signal, or on its windows one after the other.

    audonnx itself takes no run options, and without them nothing can stop a model that never ends.

    Args:
        model: Model with one input.
        signal: float32 of shape (1, samples).
        outputs: Names of the outputs to compute.
        options: What `voxslice.models.time_limits.time_limit` yields.
        windows: How the signal is cut and the outputs are pooled; None for the whole signal.
        sampling_rate: Sampling rate in Hz, which a transform of the model is given.

    Returns:
        The value of each output, in the shape that the model gives it.
    """
    [(name, node)] = model.inputs.items()
    parts = [signal] if windows is None else windows.cut(signal)
    if node.transform is None:
        inputs = (part.reshape(node.shape) for part in parts)
    else:
        inputs = (features(node, part, sampling_rate) for part in parts)
    values = [model.sess.run(list(outputs), {name: value}, options) for value in inputs]
    if windows is None:
        return dict(zip(outputs, values[0], strict=True))
    return {
        output: windows.merge([value[position] for value in values])
        for position, output in enumerate(outputs)
    }


def windows_of(folder: str | Path) -> Windows | None:
    """The windows that a model is run on.

    Args:
        folder: Folder that `voxslice.models.install` has written.

    Returns:
        The windows in model.json; None if the model takes whole signals, or has no model.json.
    """
    card = Path(folder, "model.json")
    settings = json.loads(card.read_text(encoding="utf-8")).get("window") if card.exists() else None
    return Windows(**settings) if settings else None
