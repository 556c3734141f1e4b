"""Texts that would run as a script in the report of Snakemake.

`snakemake --report` writes the parameters of jobs into a script element of a page and escapes
nothing. A text such as `</script><script>...` in the config would end that element and run code in
the browser of everyone who opens the page.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from voxslice.errors import InputError

SCRIPT = re.compile(r"<(?:/?script|!--)", re.IGNORECASE)
"""What a browser acts on inside a script element; any other `<` is text there."""


def check_texts(config: Any) -> None:
    """Refuse texts of a config that would run in the report of Snakemake.

    Args:
        config: Config, or a part of one.

    Raises:
        InputError: If a key or a value holds such a text.
    """
    for place, text in _texts(config, ""):
        if found := SCRIPT.search(text):
            raise InputError(
                f"{SCRIPT.sub('...', place) or 'config'}: {found[0]!r} would be run by a browser in"
                " the report of Snakemake: remove it."
            )


def check_folders(*folders: str | Path) -> None:
    """Refuse paths with `<`, which could run as a script together with the text after them.

    Args:
        folders: Folders and files that the command in the report names.

    Raises:
        InputError: If a path holds `<`.
    """
    for folder in folders:
        if "<" in str(folder):
            raise InputError(
                f"{folder}: a browser may run what follows '<' in the report of Snakemake: rename"
                " this folder or file."
            )


def _texts(node: Any, place: str) -> Iterator[tuple[str, str]]:
    """Each text of a config, including keys, and its place."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield place, str(key)
            yield from _texts(value, f"{place}.{key}".lstrip("."))
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from _texts(value, f"{place}[{number}]")
    elif isinstance(node, str):
        yield place, node
