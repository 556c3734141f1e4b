"""YAML files from strangers: plain data of a bounded size, or an error.

A YAML file of a dataset or a model may come from anyone. A tag in it can name Python code to run.
An alias repeats a part of the file, so that aliases of aliases make a kilobyte grow without end.
"""

from pathlib import Path
from typing import Any

import yaml

from voxslice.errors import InputError

MAX_BYTES = 16_000_000
"""Largest file that is read."""
MAX_NODES = 200_000
"""Most keys and values of a file, where an alias counts as all that it repeats."""
MAX_DEPTH = 50
"""Deepest nesting of lists and mappings."""
MAX_DIGITS = {"int": 20, "float": 30}
"""Longest numbers in characters: PyYAML needs hours for `1:1:1...`, a long number to base 60, and
long integers can share one hash, which makes a mapping slow."""


class _RefusedError(Exception):
    """A file contains something that is not accepted. The message names it."""


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file that may come from a stranger.

    Args:
        path: File in UTF-8 with one document of mappings, lists and plain values.

    Returns:
        The document, made of `dict`, `list`, `str`, `int`, `float`, `bool`, `None`, `date` and
        `datetime`.

    Raises:
        InputError: The file is missing, is not a regular file or is not valid YAML. It has a tag
            or a merge key, or it exceeds the largest size, depth or number of values.
    """
    return parse_yaml(read_text(path), str(path))


def read_text(path: str | Path) -> str:
    """Read a text file that may come from a stranger, up to the largest size.

    Args:
        path: File in UTF-8.

    Returns:
        Its text.

    Raises:
        InputError: The file is missing, is not a regular file, is too large or is not UTF-8.
    """
    try:
        if not Path(path).is_file():  # reading a pipe would never end
            raise InputError(f"{path} is missing or is not a regular file: provide it as a file.")
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise InputError(_message(path, f"more than {MAX_BYTES / 1e6:g} MB"))
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not a text file in UTF-8: save it as UTF-8.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror}): check the file.") from error


def parse_yaml(text: str, source: str) -> Any:
    """Parse YAML text that may come from a stranger.

    Args:
        text: One document of mappings, lists and plain values.
        source: Name of the file, for the message.

    Returns:
        The document (see `read_yaml`).

    Raises:
        InputError: The text is not accepted (see `read_yaml`).
    """
    try:
        _check(text)
        return yaml.load(text, Loader=yaml.CSafeLoader)
    except _RefusedError as error:
        raise InputError(_message(source, str(error))) from error
    # PyYAML raises ValueError for the date 2020-13-01 and TypeError for a list as a key
    except (yaml.YAMLError, ValueError, TypeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{source} is not valid YAML ({reason}): correct the file.") from error


def _message(source: str | Path, found: str) -> str:
    """The sentence that refuses a file because of what was found in it."""
    return (
        f"{source} has {found}, which is not accepted from a dataset or a model: provide a YAML"
        " file of plain keys and values."
    )


def _check(text: str) -> None:
    """Check each event of the parser before any object is built, and stop at the first problem."""
    loader = yaml.CSafeLoader(text)
    try:
        sizes: dict[str | None, int] = {}  # nodes of each anchor that is complete
        opened: list[tuple[str | None, int]] = []  # anchors of the collections around an event
        nodes = 0
        while loader.check_event():
            event = loader.get_event()
            if isinstance(event, yaml.AliasEvent):
                if event.anchor not in sizes:
                    raise _RefusedError(f"the alias *{event.anchor[:50]} of no earlier part")
                nodes += sizes[event.anchor]
            elif isinstance(event, yaml.NodeEvent):
                _refuse(event, loader)
                nodes += 1
                if isinstance(event, yaml.ScalarEvent):
                    sizes[event.anchor] = 1
                else:
                    opened.append((event.anchor, nodes))
            elif isinstance(event, yaml.CollectionEndEvent):
                anchor, first = opened.pop()
                sizes[anchor] = nodes - first + 1
            if nodes > MAX_NODES:
                raise _RefusedError(f"more than {MAX_NODES:,} keys and values")
            if len(opened) > MAX_DEPTH:
                raise _RefusedError(f"more than {MAX_DEPTH} levels")
    finally:
        loader.dispose()


def _refuse(event: yaml.NodeEvent, loader: yaml.CSafeLoader) -> None:
    """Refuse tags, merge keys and very long numbers."""
    if event.tag is not None:
        raise _RefusedError(f"the tag {event.tag[:100]!r}")
    if not isinstance(event, yaml.ScalarEvent) or not event.implicit[0]:
        return  # a value in quotes is always text
    if event.value == "<<":
        raise _RefusedError("the merge key <<")
    if len(event.value) > min(MAX_DIGITS.values()):
        kind = loader.resolve(yaml.ScalarNode, event.value, event.implicit).rpartition(":")[2]
        if len(event.value) > MAX_DIGITS.get(kind, MAX_BYTES):
            raise _RefusedError(f"a number of {len(event.value):,} characters")
