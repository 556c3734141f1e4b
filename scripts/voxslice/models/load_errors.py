"""The sentence for an ONNX file that onnxruntime does not load: the reason, and what to do."""

import re

import onnxruntime

IR = re.compile(r"Unsupported model IR version: (\d+), max supported IR version: (\d+)")
"""Message of onnxruntime for a file whose IR version is too new."""
OPSET = re.compile(
    r"Opset (\d+) is under development.* support for domain (\S+) is till opset (\d+)"
)
"""Message of onnxruntime for a file whose opset is too new."""
PLACE = re.compile(r"^.*/onnxruntime_src/\S+:\d+ (?:[^()]*\([^()]*\)(?: const)? )?")
"""The place in the source code of onnxruntime, which precedes the reason."""
MAX_REASON = 200
"""Most characters of a reason that a message shows."""


def load_error(error: Exception, origin: str) -> str:
    """Explain in one sentence why a model is not loaded.

    Args:
        error: Exception of audonnx or onnxruntime.
        origin: URL or path that the model came from.

    Returns:
        A sentence that names the reason and says what to do.
    """
    reason = " ".join(str(error).split()) or type(error).__name__
    if isinstance(error, ModuleNotFoundError):
        return (
            f"The model from {origin} needs the Python package {error.name}, which is missing:"
            " install it beside Voxslice."
        )
    installed = f"the installed onnxruntime {onnxruntime.__version__}"
    if match := IR.search(reason):
        needed, known = match.groups()
        return (
            f"The model from {origin} has the ONNX IR version {needed}, but {installed} loads IR"
            f" versions up to {known}: export it with IR version {known} or lower (with onnx, set"
            f" model.ir_version to {known} before onnx.save)."
        )
    if match := OPSET.search(reason):
        needed, domain, known = match.groups()
        return (
            f"The model from {origin} needs the opset {needed} of {domain}, but {installed} runs"
            f" opsets up to {known}: export it with opset {known} or lower (opset_version in"
            " torch.onnx.export)."
        )
    return (
        f"audonnx cannot load the model from {origin} ({_shortened(PLACE.sub('', reason))}): export"
        " it again."
    )


def _shortened(reason: str) -> str:
    """The end of a long reason, where onnxruntime names the cause."""
    return reason if len(reason) <= MAX_REASON else f"... {reason[-MAX_REASON:]}"
