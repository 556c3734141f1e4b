"""The package uses neither test doubles nor hidden attributes of tables."""

import ast
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
MODULES = sorted(SCRIPTS.rglob("*.py"))


def test_the_modules_are_found():
    assert len(MODULES) > 50


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SCRIPTS)))
def test_no_module_patches_with_unittest_or_hides_values_in_attrs(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            assert not any(name.name.startswith("unittest") for name in node.names)
        if isinstance(node, ast.ImportFrom):
            assert not (node.module or "").startswith("unittest")
        if isinstance(node, ast.Attribute):
            assert node.attr != "attrs", "return a typed result instead of DataFrame.attrs"
