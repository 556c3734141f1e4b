"""The templates of the pages, and the style that they share."""

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup

from voxslice.shown_text import shown

HERE = Path(__file__).parent
"""Folder of the templates, the style and the script."""


def template(name: str) -> Template:
    """Load a template. It shows text of data as text, never as markup.

    Args:
        name: name of the file in the folder of this module

    Returns:
        the template
    """
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        loader=FileSystemLoader(HERE),
        finalize=_shown,
    )
    environment.filters["breakable"] = breakable
    return environment.get_template(name)


def style() -> Markup:
    """The style of all pages."""
    return Markup(text_of_file("report.css"))  # noqa: S704


def text_of_file(name: str) -> str:
    """Read a file in the folder of this module."""
    return (HERE / name).read_text(encoding="utf-8")


def _shown(value: Any) -> Any:
    """Make control characters of text visible and isolate text that is read from right to left."""
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def breakable(text: str) -> Markup:
    """Allow line breaks after underscores and slashes, for long ids and file names.

    Args:
        text: Text of data.

    Returns:
        The text as markup, with its control characters made visible.
    """
    return Markup("<wbr>").join(re.split(r"(?<=[_/])", shown(text)))
