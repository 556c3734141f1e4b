"""The command that makes a result again.

Snakemake imports this module each time it parses the workflow. The module therefore imports no
heavy library.
"""

import json
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def command_of(
    target: str,
    *,
    snakefile: str | Path,
    folder: str | Path,
    configfiles: Sequence[str | Path] = (),
    overrides: Mapping[str, Any] | None = None,
) -> str:
    """Command line that makes a result, to be run in the folder that holds the results.

    Args:
        target: the file to make, relative to the folder
        snakefile: the Snakefile of the workflow
        folder: folder that the workflow runs in
        configfiles: config files of the study
        overrides: values of the config that were given on the command line

    Returns:
        one line for a shell, whose paths are relative to the folder
    """
    words = ["snakemake", target]
    place = os.path.relpath(snakefile, folder)
    if place != "Snakefile":
        words += ["--snakefile", place]
    names = [os.path.relpath(path, folder) for path in configfiles]
    if names:
        words += ["--configfile", *dict.fromkeys(names)]
    if overrides:
        words += ["--config"]
        words += [
            f"{key}={value if isinstance(value, str) else json.dumps(value, default=str)}"
            for key, value in overrides.items()
        ]
    return shlex.join([*words, "--cores", "all"])
