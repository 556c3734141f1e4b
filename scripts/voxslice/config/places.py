"""Checks that the local paths in a config have no special meaning for Snakemake or a shell.

Snakemake imports this module each time it parses the workflow. The module therefore imports no
heavy library.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from voxslice.config.condition_checks import NOISES, condition_folders
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
                f"{key}: {path!r} has {wildcard.group()!r}, which Snakemake reads as a wildcard:"
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


def check_existence(config: Mapping[str, Any], folder: str | Path) -> None:
    """Check that the local files and folders of a config exist.

    Args:
        config: completed config
        folder: folder of the study, to which relative paths are relative

    Raises:
        InputError: if one does not exist. Paths in `resources/` are not checked, because the
            workflow makes them
    """
    for key, path in _paths(config):
        if not path.startswith("resources/") and not Path(folder, path).exists():
            place, hint = "", ""
            if not Path(path).is_absolute():
                place = f" in {Path(folder).name or folder}"
                hint = (
                    ", since relative paths are relative to the folder in which snakemake is"
                    " started, or to --directory"
                )
            if key.startswith("conditions.") and key.endswith(".noise"):
                hint += f", or name one of {', '.join(NOISES)}"
            raise InputError(f"{key}: there is no {path!r}{place}: correct the path{hint}.")


def _paths(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The paths of local files and folders, with their keys."""
    for name, dataset in config["datasets"].items():
        for source, keys in (("csv", ("path", "audio")), ("audformat", ("path",))):
            for key in keys if source in dataset else ():
                yield f"datasets.{name}.{source}.{key}", dataset[source][key]
        if "turns" in dataset.get("segment", {}):
            yield f"datasets.{name}.segment.turns", dataset["segment"]["turns"]
    for name, model in config["models"].items():
        for key in ("path", "onnx"):
            if "://" not in model.get(key, "://"):
                yield f"models.{name}.{key}", model[key]
        if "path" in model.get("hub", {}):
            yield f"models.{name}.hub.path", model["hub"]["path"]
        for dataset, path in model.get("predictions", {}).items():
            yield f"models.{name}.predictions.{dataset}", path
    yield from condition_folders(config)
