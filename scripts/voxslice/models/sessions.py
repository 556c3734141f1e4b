"""Models in onnxruntime, on the processor or on a GPU."""

from pathlib import Path

import audonnx
import onnxruntime

from voxslice.errors import InputError

CUDA = "CUDAExecutionProvider"


def load(folder: str | Path, *, threads: int, device: str = "cpu") -> audonnx.Model:
    """Load a model for a device.

    Args:
        folder: with model.onnx and model.yaml
        threads: that compute one utterance together
        device: `cpu` or `cuda`

    Returns:
        the model; several threads may call it at the same time

    Raises:
        InputError: where the device is `cuda` and no GPU can be used: onnxruntime itself would
            take the processor and only warn
    """
    if device == "cuda" and CUDA not in onnxruntime.get_available_providers():
        raise InputError(
            "The config asks for device: cuda, but the onnxruntime that is installed knows no GPU:"
            " install onnxruntime-gpu in its place (docs/gpu.md) or set device: cpu."
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
