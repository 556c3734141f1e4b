"""Versions of what influences the numbers: the workflow, Python and libraries."""

import importlib.metadata
import platform
import shutil
import subprocess

LIBRARIES = [
    "audb", "audonnx", "onnxruntime", "numpy", "pandas", "scikit-learn", "sliceguard", "snakemake",
]  # fmt: skip


def versions() -> dict[str, str]:
    """Versions of Python and of the installed libraries that influence the numbers.

    Returns:
        Versions by the name of the library.
    """
    installed = {"Python": platform.python_version()}
    for name in LIBRARIES:
        try:
            installed[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return installed


def git_commit(folder: str) -> str:
    """Return the git commit of a folder; empty if it is not known.

    The commit is not a parameter of a rule, since a new commit alone must not make all reports
    again.

    Args:
        folder: Folder of the scripts.

    Returns:
        The commit.
    """
    if shutil.which("git") is None:
        return ""
    command = ["git", "-C", folder, "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip()
