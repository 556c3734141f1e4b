"""Checks of key names for which the schema has no clear error message."""

from collections.abc import Iterator, Mapping
from typing import Any

from voxslice.errors import InputError

RENAMED = {"slices": "searches"}
"""New names of the top-level keys that were renamed."""
RENAMED_WITHIN = {
    "models": {"embedding": "embedding_output"},
    "searches": {"embedding": "embedding_of"},
}
"""New names of the keys of models and searches that were renamed."""


def check_key_names(config: Any, schema: Mapping[str, Any]) -> None:
    """Refuse keys that were renamed, and keys of one finder in a search with the other.

    Args:
        config: content of the config files; it may be of any type
        schema: JSON schema whose `$defs` have one entry per finder, named like the finder

    Raises:
        InputError: a key is refused; one sentence names the key and what to change
    """
    for place, key, name in _renamed(config):
        raise InputError(f"{place}: the key {key} is now called {name}: rename it.")
    finders = schema["properties"]["searches"]["additionalProperties"]["properties"]["finder"]
    keys = {name: schema["$defs"][name]["properties"] for name in finders["enum"]}
    for place, search in _children(config, "searches"):
        finder = search.get("finder")
        if not isinstance(finder, str) or finder not in keys:
            continue
        for key in search:
            readers = [other for other in keys if key in keys[other]]
            if readers and finder not in readers:
                raise InputError(
                    f"{place}.{key}: only the finder {' or '.join(readers)} reads this key and this"
                    f" search has the finder {finder}: remove the key or change the finder."
                )


def _renamed(config: Any) -> Iterator[tuple[str, str, str]]:
    """Place, name and new name of each key that was renamed."""
    if isinstance(config, Mapping):
        for key, name in RENAMED.items():
            if key in config:
                yield key, key, name
    for parent, names in RENAMED_WITHIN.items():
        for place, node in _children(config, parent):
            for key, name in names.items():
                if key in node:
                    yield f"{place}.{key}", key, name


def _children(config: Any, parent: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Place and value of each mapping below a key of the config."""
    nodes = config.get(parent) if isinstance(config, Mapping) else None
    for name, node in nodes.items() if isinstance(nodes, Mapping) else ():
        if isinstance(node, Mapping):
            yield f"{parent}.{name}", node
