"""Fingerprints of code. Jobs run again when the fingerprint of their script changes.

A fingerprint covers the script and all modules that it imports. Snakemake itself compares only the
modification time of the script.
"""

import ast
import functools
import hashlib
from pathlib import Path

PACKAGE = "voxslice"
DATA = {".j2", ".css", ".js"}


def sources(script: str | Path) -> list[Path]:
    """The script, all modules of the package that it imports, and the templates beside them.

    Imports of the form `from voxslice.<module> import <name>` are followed, also within functions.

    Args:
        script: path of the script; the package is in the same folder

    Returns:
        the files, sorted

    Raises:
        FileNotFoundError: the script does not exist
    """
    root = Path(script).parent
    found, todo = set(), [Path(script)]
    while todo:
        file = todo.pop()
        if file in found:
            continue
        found.add(file)
        if file.name == "__init__.py":  # templates of the package
            found |= {beside for beside in file.parent.iterdir() if beside.suffix in DATA}
        for module, names in _imports(file.read_bytes()):
            todo += _modules(root, module, names)
    return sorted(found)


@functools.cache
def _imports(code: bytes) -> list[tuple[str, list[str]]]:
    """Modules of the package that code imports from, with the imported names.

    Scripts share modules, so the result is kept: parsing takes most of the time.
    """
    return [
        (node.module, [name.name for name in node.names])
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == PACKAGE
    ]


def _modules(root: Path, module: str, names: list[str]) -> list[Path]:
    """Files of the package that an import runs: the modules and the packages that contain them."""
    parts = module.split(".")
    packages = [root.joinpath(*parts[: i + 1], "__init__.py") for i in range(len(parts))]
    folder = root.joinpath(*parts)
    modules = [folder.with_suffix(".py"), *(folder / f"{name}.py" for name in names)]
    return [file for file in [*packages, *modules] if file.is_file()]


def fingerprint(script: str | Path) -> str:
    """Fingerprint of a script and of the modules that it imports.

    Args:
        script: path of the script; the package is in the same folder

    Returns:
        12 hexadecimal digits of the SHA-256 of the paths and contents of all files
    """
    root, digest = Path(script).parent, hashlib.sha256()
    for file in sources(script):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(root).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:12]
