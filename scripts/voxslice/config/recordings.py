"""Settings of datasets of long recordings: `segment` and `channels`.

Snakemake imports this module each time it parses the workflow, on a cluster once per job. The
module therefore imports no heavy library.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voxslice.errors import InputError

TURN_SUFFIXES = (".rttm", ".textgrid", ".csv")
"""Suffixes of files of turns, in lower case."""


def add_recording_columns(config: dict[str, Any]) -> None:
    """Add, in place, the columns that datasets of long recordings have.

    The column `speaker` is added unless the config has it, and the column `channel` where channels
    are separated. The keys of `channels` become text, as they are in the config of a job.

    Args:
        config: config without mistakes in its form
    """
    for dataset in config["datasets"].values():
        if "channels" in dataset:
            numbered = sorted((int(number), name) for number, name in dataset["channels"].items())
            dataset["channels"] = {str(number): name for number, name in numbered}
            dataset["columns"].setdefault("channel", {"column": "channel"})
        if "segment" in dataset:
            dataset["columns"].setdefault("speaker", {"column": "speaker"})


def check_recordings(config: Mapping[str, Any]) -> None:
    """Check the settings of datasets of long recordings.

    Args:
        config: config with all defaults

    Raises:
        InputError: the config has a mistake; one sentence names the key and what to change
    """
    for name, dataset in config["datasets"].items():
        place, segment = f"datasets.{name}", dataset.get("segment")
        for key in ("segment", "channels"):
            if key in dataset and "csv" not in dataset:
                raise InputError(
                    f"{place}.{key}: only the recordings of a csv can be divided: list the files of"
                    " the database in a csv, or remove this key."
                )
        if segment is None:
            if "channels" in dataset:
                raise InputError(
                    f"{place}.channels: only recordings that are divided have channels with a"
                    " speaker each: add the key segment."
                )
            continue
        if segment["min"] > segment["max"]:
            raise InputError(f"{place}.segment.min: it is larger than max: correct one of them.")
        if segment["max"] > config["longest_seconds"]:
            raise InputError(
                f"{place}.segment.max: utterances of more than longest_seconds"
                f" ({config['longest_seconds']:g} s) are not scored: choose a smaller length."
            )
        if (segment["by"] == "turns") != ("turns" in segment):
            raise InputError(
                f"{place}.segment.turns: name the file or folder of the turns."
                if "turns" not in segment
                else f"{place}.segment.turns: only by: turns reads it: remove this key."
            )
        if "turns" in segment and "channels" in dataset:
            raise InputError(
                f"{place}.channels: turns name the speakers already: remove this key, or use by:"
                " silero."
            )
        if any(int(number) < 0 for number in dataset.get("channels", {})):
            raise InputError(f"{place}.channels: the numbers of channels begin with 0: correct it.")
        names = list(dataset.get("channels", {}).values())
        if len(set(names)) < len(names):
            raise InputError(f"{place}.channels: two channels have one name: rename one of them.")


def turn_files(dataset: Mapping[str, Any]) -> list[str]:
    """Files of the turns of a dataset.

    Args:
        dataset: settings of the dataset

    Returns:
        paths of the files, sorted; the path itself if it is no folder; empty without turns
    """
    place = dataset.get("segment", {}).get("turns")
    if place is None:
        return []
    if not Path(place).is_dir():
        return [place]
    found = (file for file in Path(place).rglob("*") if file.suffix.lower() in TURN_SUFFIXES)
    return sorted(str(file) for file in found)
