"""Models in onnxruntime, on the processor or on a GPU."""

from collections.abc import Sequence
from pathlib import Path

import audonnx
import numpy as np
import onnxruntime

from voxslice.errors import InputError

CUDA = "CUDAExecutionProvider"
"""Name under which onnxruntime runs models on NVIDIA GPUs."""


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
    if device == "cuda" and CUDA not in onnxruntime.get_available_providers():
        raise InputError(
            "The config asks for device: cuda, but the installed onnxruntime supports no GPU:"
            " install onnxruntime-gpu instead (docs/gpu.md) or set device: cpu."
        )
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    model = audonnx.load(str(folder), device=device, session_options=options)
    if device == "cuda" and CUDA not in model.sess.get_providers():
        raise InputError(
            "The config asks for device: cuda, but no GPU can be used here: check that nvidia-smi"
            " lists one and that CUDA and cuDNN fit onnxruntime-gpu, or set device: cpu."
        )
    return model


def run(
    model: audonnx.Model,
    signal: np.ndarray,
    outputs: Sequence[str],
    options: onnxruntime.RunOptions,
) -> dict[str, np.ndarray]:
    """Run a model on one signal.

    audonnx itself takes no run options, and without them nothing can stop a model that never ends.

    Args:
        model: Model with one input and without a transform.
        signal: float32 of shape (1, samples).
        outputs: Names of the outputs to compute.
        options: What `voxslice.models.time_limits.time_limit` yields.

    Returns:
        The value of each output, in the shape that the model gives it.
    """
    [(name, node)] = model.inputs.items()
    values = model.sess.run(list(outputs), {name: signal.reshape(node.shape)}, options)
    return dict(zip(outputs, values, strict=True))
