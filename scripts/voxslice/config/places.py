"""Checks that the local paths in a config have no special meaning for Snakemake or a shell.

Snakemake imports this module each time it parses the workflow. The module therefore imports no
heavy library.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from voxslice.errors import InputError

_WILDCARD = re.compile(r"\{\s*[.\w]+\s*(,[^{}]*(\{[^{}]*\}[^{}]*)*)?\}")
_FROM_SHELL = re.compile(r"(~[^/]*|\$\w+)(/|$)")


def check_places(config: Mapping[str, Any]) -> None:
    """Check that the paths of a config have no text with a special meaning.

    Args:
        config: completed config

    Raises:
        InputError: a path contains a wildcard of Snakemake, begins with `~` or a variable, which
            only a shell replaces, begins or ends with a blank, or has unprintable characters
    """
    for key, path in _paths(config):
        wildcard = _WILDCARD.search(path)
        if wildcard:
            raise InputError(
                f"{key}: {path!r} has {wildcard.group()!r}, which Snakemake takes for a wildcard:"
                " rename it, or give the path of a link to it."
            )
        if _FROM_SHELL.match(path):
            raise InputError(
                f"{key}: {path!r} begins with {path.split('/')[0]!r}, which only a shell replaces:"
                " write the whole path."
            )
        if path != path.strip() or not path.isprintable():
            raise InputError(
                f"{key}: {path!r} begins or ends with a blank, or has characters that cannot be"
                " printed: correct or rename it."
            )


def _paths(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The paths of local files and folders, with their keys."""
    for name, dataset in config["datasets"].items():
        for source, keys in (("csv", ("path", "audio")), ("audformat", ("path",))):
            for key in keys if source in dataset else ():
                yield f"datasets.{name}.{source}.{key}", dataset[source][key]
    for name, model in config["models"].items():
        for key in ("path", "onnx"):
            if "://" not in model.get(key, "://"):
                yield f"models.{name}.{key}", model[key]
        for dataset, path in model.get("predictions", {}).items():
            yield f"models.{name}.predictions.{dataset}", path
