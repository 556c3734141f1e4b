"""The conditions of a config: the standard set, those of each dataset, and their mistakes.

Snakemake imports this module each time it parses the workflow, on a cluster once per job. The
module therefore imports no heavy library.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from voxslice.config.lookups import condition_models_of, run_models_of
from voxslice.errors import InputError

DEFAULT = "default"
"""Word that stands for the standard set in the conditions of a dataset."""
STANDARD: dict[str, dict[str, Any]] = {
    "phone": {"codec": "g711"},
    "mobile": {"codec": "gsm"},
    "voip": {"codec": "opus", "kbps": 9},
    "mp3": {"codec": "mp3", "kbps": 16},
    "white": {"noise": "white", "snr": 10},
    "pink": {"noise": "pink", "snr": 10},
    "babble": {"noise": "babble", "snr": 10},
    "room": {"room": 0.6},
    "quiet": {"gain": -30},
    "clipped": {"clip": 0.2},
    "narrow": {"band": [300, 3400]},
    "short": {"crop": 1.0},
}
"""The standard set of conditions."""
KBPS = {"opus": (6, 256), "mp3": (8, 320), "vorbis": (8, 500)}
"""Lowest and highest bit rate of the codecs that have one."""
NOISES = ("white", "pink", "speech-shaped", "babble")
"""Noises that are made. Another value of `noise` is a folder."""


def add_standard_conditions(config: dict[str, Any]) -> None:
    """Replace, in place, the word `default` in the conditions of datasets by the standard set.

    The conditions of the set are added to those of the config, except where the config has one of
    the same id.

    Args:
        config: config without mistakes in its form, without the defaults of the schema

    Raises:
        InputError: a condition of the config has the id `default`
    """
    if DEFAULT in config.get("conditions", {}):
        raise InputError(
            f"conditions.{DEFAULT}: this id stands for the standard set: choose another."
        )
    for dataset in config["datasets"].values():
        named = dataset.get("conditions", [])
        named = [named] if isinstance(named, str) else named
        if DEFAULT not in named:
            continue
        config["conditions"] = STANDARD | config.get("conditions", {})
        ids = [name for part in named for name in (STANDARD if part == DEFAULT else [part])]
        dataset["conditions"] = list(dict.fromkeys(ids))


def condition_folders(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The folders of recordings that conditions name, with their keys.

    Args:
        config: completed config

    Yields:
        the key of the config and the path of the folder
    """
    for name, condition in config.get("conditions", {}).items():
        if condition.get("noise", NOISES[0]) not in NOISES:
            yield f"conditions.{name}.noise", condition["noise"]
        if isinstance(condition.get("room"), str):
            yield f"conditions.{name}.room", condition["room"]


def check_conditions(config: Mapping[str, Any]) -> None:
    """Check the conditions of a config, and those that its datasets name.

    Args:
        config: completed config

    Raises:
        InputError: the config has a mistake; one sentence names the key and what to change
    """
    for name, condition in config["conditions"].items():
        _check_condition(f"conditions.{name}", condition)
    for name, dataset in config["datasets"].items():
        place = f"datasets.{name}"
        unknown = [known for known in dataset["conditions"] if known not in config["conditions"]]
        if unknown:
            known = ", ".join(config["conditions"]) or "none"
            raise InputError(
                f"{place}.conditions: there is no condition {unknown[0]!r}; the conditions are"
                f" {known}: define it, or write default for the standard set."
            )
        run = run_models_of(config, name)
        for model in dataset.get("condition_models", []):
            if model not in run:
                raise InputError(
                    f"{place}.condition_models: no model {model!r} is run and has a task on this"
                    f" dataset; those that are: {', '.join(run) or 'none'}."
                )
        if "condition_models" in dataset and not dataset["conditions"]:
            raise InputError(
                f"{place}.condition_models: the dataset has no conditions: give it the key"
                " conditions, or remove this key."
            )
        if dataset["conditions"] and not condition_models_of(config, name):
            raise InputError(
                f"{place}.conditions: no model is run and has a task on this dataset: add one, or"
                " remove this key."
            )


def _check_condition(place: str, condition: Mapping[str, Any]) -> None:
    """Check the keys of a condition that depend on each other."""
    codec = condition.get("codec")
    limits = KBPS.get(codec or "")
    if limits is None and "kbps" in condition:
        raise InputError(
            f"{place}.kbps: only the codecs {', '.join(KBPS)} have a bit rate: remove this key."
        )
    if limits is not None and "kbps" not in condition:
        raise InputError(f"{place}.kbps: give the bit rate of {codec} in kbit/s.")
    if limits is not None and not limits[0] <= condition["kbps"] <= limits[1]:
        raise InputError(
            f"{place}.kbps: {codec} has {limits[0]} to {limits[1]} kbit/s: give such a number"
            f" instead of {condition['kbps']:g}."
        )
    if "snr" in condition and "noise" not in condition:
        raise InputError(f"{place}.snr: only a noise has a signal-to-noise ratio: remove this key.")
    if "noise" in condition and "snr" not in condition:
        raise InputError(f"{place}.snr: give the signal-to-noise ratio of the noise in dB.")
    low, high = condition.get("band", (0, 1))
    if low >= high:
        raise InputError(
            f"{place}.band: the lowest frequency {low:g} is not below the highest, {high:g}: write"
            " the lower one first."
        )
