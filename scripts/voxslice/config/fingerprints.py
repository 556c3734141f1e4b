"""Fingerprints of code: which files a script is made of, and whether one of them was edited.

Snakemake compares a script by its modification time and never sees the modules that it imports.
Imported whenever Snakemake parses the workflow: it stays light.
"""

import ast
import hashlib
from pathlib import Path

PACKAGE = "voxslice"
DATA = {".j2", ".css", ".js"}


def sources(script: str | Path) -> list[Path]:
    """The script and all modules that it imports of the package, with the templates beside them.

    Imports are followed wherever they stand, as in a function, in the form
    `from voxslice.<module> import <name>`.

    Args:
        script: path of a script; the package lies in the same folder

    Returns:
        the files, sorted

    Raises:
        FileNotFoundError: where there is no such script
    """
    root = Path(script).parent
    found, todo = set(), [Path(script)]
    while todo:
        file = todo.pop()
        if file in found:
            continue
        found.add(file)
        if file.name == "__init__.py":  # the package's templates lie beside it
            found |= {beside for beside in file.parent.iterdir() if beside.suffix in DATA}
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.ImportFrom):
                todo += _modules(root, node)
    return sorted(found)


def _modules(root: Path, node: ast.ImportFrom) -> list[Path]:
    """Files of the package that are run by an import: the packages on the way, and the modules."""
    parts = (node.module or "").split(".")
    if parts[0] != PACKAGE:
        return []
    packages = [root.joinpath(*parts[: i + 1], "__init__.py") for i in range(len(parts))]
    folder = root.joinpath(*parts)
    modules = [folder.with_suffix(".py"), *(folder / f"{name.name}.py" for name in node.names)]
    return [file for file in [*packages, *modules] if file.is_file()]


def fingerprint(script: str | Path) -> str:
    """Name the content of a script and of the modules that it imports.

    Args:
        script: path of a script; the package lies in the same folder

    Returns:
        12 hexadecimal digits (of the SHA-256 of all files' paths and content)
    """
    root, digest = Path(script).parent, hashlib.sha256()
    for file in sources(script):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(root).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()[:12]
