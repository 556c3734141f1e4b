"""Rooms of the package import only the ground floor and the rooms before them."""

import ast

import pytest
from snakemake_cli import ROOT

PACKAGE = ROOT / "scripts" / "voxslice"
ROOMS = [
    "config", "data", "recordings", "audit", "models", "inference", "scores", "slices",
    "comparison", "modes", "conditions", "decisions", "report", "demo",
]  # fmt: skip
GROUND = "the ground floor"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if "spotlight_plugins" not in path.parts)


def room_of(parts):
    """Room of a module, given the parts of its path or name below the package."""
    return parts[0] if parts[0] in ROOMS else GROUND


def imported(source):
    """Rooms of the package that a module imports."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            root, *parts = node.module.split(".")
            if root == "voxslice":
                found |= {room_of([*parts, name.name]) for name in node.names}
        if isinstance(node, ast.Import):
            names = [name.name.split(".") for name in node.names]
            found |= {room_of([*parts[1:], ""]) for parts in names if parts[0] == "voxslice"}
    return found


def allowed(room):
    """Rooms that a room may import."""
    if room in (GROUND, "demo"):
        return {GROUND, room}
    before = set(ROOMS[: ROOMS.index(room)]) - {"config"}
    return {GROUND, room} | before


def test_imports_are_grouped_by_room():
    source = "from voxslice import files\nfrom voxslice.report.page import render\nimport json\n"
    assert imported(source) == {GROUND, "report"}
    assert imported("from voxslice.config import lookups\nimport voxslice.data.audio\n") == {
        "config", "data",
    }  # fmt: skip
    assert allowed("models") == {GROUND, "data", "recordings", "audit", "models"}
    assert "demo" not in allowed("report")
    assert allowed("demo") == {GROUND, "demo"}


def test_every_folder_of_the_package_is_a_room():
    folders = {path.name for path in PACKAGE.iterdir() if (path / "__init__.py").is_file()}
    assert folders == set(ROOMS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_modules_import_rooms_before_their_own(path):
    room = room_of(path.relative_to(PACKAGE).parts)
    assert imported(path.read_text(encoding="utf-8")) <= allowed(room)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "scripts").glob("*.py")), ids=lambda path: path.name
)
def test_scripts_do_not_know_the_config(path):
    assert "config" not in imported(path.read_text(encoding="utf-8"))
    assert "snakemake.config" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "path",
    [path for path in MODULES if path.name == "__init__.py"],
    ids=lambda path: path.parent.name,
)
def test_packages_hold_a_docstring_and_nothing_else(path):
    (only,) = ast.parse(path.read_text(encoding="utf-8")).body
    assert isinstance(only, ast.Expr) and isinstance(only.value, ast.Constant)
    assert isinstance(only.value.value, str)
