"""Transforms of audonnx models: code that turns the signal into features, run only if trusted.

The config trusts one content of a local folder by its checksum. Any change of the folder has to be
trusted again.
"""

import hashlib
import json
import threading
from pathlib import Path

import numpy as np
from audonnx.core.node import InputNode

from voxslice.errors import InputError
from voxslice.files import sha256

MAX_FILES = 10_000
"""Most files in a folder that is trusted."""
ONE_AT_A_TIME = threading.Lock()
"""Held while a transform runs, because its code may not be made for several threads."""


def folder_checksum(folder: str | Path) -> str:
    """Compute a checksum of all files in a folder: their names and their content.

    Args:
        folder: Folder of a model.

    Returns:
        64 hexadecimal digits.

    Raises:
        InputError: A link leads out of the folder, or there are too many files.
    """
    folder = Path(folder)
    found = []
    for path in sorted(folder.rglob("*")):
        if not _is_inside(path, folder):
            raise InputError(
                f"The folder {folder} has the link {path.relative_to(folder)}, which leads out of"
                " it, so its content cannot be trusted: copy the file instead."
            )
        if path.is_file():
            found.append([path.relative_to(folder).as_posix(), sha256(path)])
        if len(found) > MAX_FILES:
            raise InputError(
                f"The folder {folder} has more than {MAX_FILES:,} files, so it is no folder of a"
                " model: correct the path."
            )
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()


def _is_inside(path: Path, folder: Path) -> bool:
    """Whether a path is in a folder after all links were followed."""
    try:
        return folder.resolve() in path.resolve().parents
    except (OSError, RuntimeError):  # links in a circle
        return False


def require_trusted(folder: str | Path, pinned: str | None) -> str:
    """Raise an error unless a folder has the content that the config trusts.

    Args:
        folder: Folder of a model.
        pinned: Checksum in the config, or None.

    Returns:
        The checksum of the folder.

    Raises:
        InputError: The config has no checksum, or the folder has another content.
    """
    checksum = folder_checksum(folder)
    if pinned is None:
        raise InputError(
            f"The transform of the model from {folder} is code that runs with your rights: read its"
            f" model.yaml, and trust this content by adding sha256: {checksum} beside trust."
        )
    if checksum != pinned.lower():
        raise InputError(
            f"The content of {folder} is not the one that the config trusts: read its model.yaml"
            f" again, and if you trust it, set sha256 to {checksum}."
        )
    return checksum


def features(node: InputNode, signal: np.ndarray, sampling_rate: int) -> np.ndarray:
    """Compute the features that a model takes, as audonnx does.

    Args:
        node: Input of the model, with a transform.
        signal: Samples of any shape. They are not changed.
        sampling_rate: Sampling rate in Hz.

    Returns:
        float32, in the shape of the input.
    """
    with ONE_AT_A_TIME:
        values = node.transform(signal.reshape(1, -1).copy(), sampling_rate)
    return np.asarray(values, np.float32).reshape(node.shape)
