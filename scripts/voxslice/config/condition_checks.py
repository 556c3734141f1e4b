"""Conditions and probes of a config: standard sets, those of each dataset, and their mistakes.

Snakemake imports this module each time it parses the workflow, on a cluster once per job. The
module therefore imports no heavy library.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from voxslice.config.lookups import condition_models_of, run_models_of
from voxslice.errors import InputError

CLEAN = "clean"
"""Name of the original audio in tables of conditions, which no condition can have."""
DEFAULT = "default"
"""Word that stands for the standard set in the conditions, or probes, of a dataset."""
STANDARD: dict[str, dict[str, Any]] = {
    "phone": {"codec": "g711"},
    "mobile": {"codec": "gsm"},
    "voip": {"codec": "opus", "kbps": 8},
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
STANDARD_PROBES: dict[str, dict[str, Any]] = {
    "lower": {"pitch": -4},
    "higher": {"pitch": 4},
    "louder": {"gain": 10},
    "softer": {"gain": -10},
    "narrow": {"band": [300, 3400]},
    "slower": {"speed": 0.8},
    "faster": {"speed": 1.25},
    "noisy": {"noise": "pink", "snr": 10},
}
"""The standard set of probes."""
SETS = {"conditions": STANDARD, "probes": STANDARD_PROBES}
KBPS = {"opus": (6, 256), "mp3": (8, 320), "vorbis": (8, 500)}
"""Lowest and highest bit rate of the codecs that have one."""
NOISES = ("white", "pink", "speech-shaped", "babble")
"""Noises that are made. Another value of `noise` is a folder."""


def add_standard_sets(config: dict[str, Any]) -> None:
    """Replace, in place, the word `default` in the conditions and probes of datasets.

    Those of the standard set are added to those of the config, except where the config has one of
    the same id.

    Args:
        config: config without mistakes in its form, without the defaults of the schema

    Raises:
        InputError: a condition or probe of the config has the id `default`
    """
    for key, standard in SETS.items():
        if DEFAULT in config.get(key, {}):
            raise InputError(
                f"{key}.{DEFAULT}: this id stands for the standard set: choose another."
            )
        for dataset in config["datasets"].values():
            named = dataset.get(key, [])
            named = [named] if isinstance(named, str) else named
            if DEFAULT in named:
                config[key] = standard | config.get(key, {})
                ids = [name for part in named for name in (standard if part == DEFAULT else [part])]
                dataset[key] = list(dict.fromkeys(ids))


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
    """Check the conditions and probes of a config, and those that its datasets name.

    Args:
        config: completed config

    Raises:
        InputError: the config has a mistake; one sentence names the key and what to change
    """
    if CLEAN in config["conditions"]:
        raise InputError(
            f"conditions.{CLEAN}: this id stands for the original audio: choose another."
        )
    for key in SETS:
        for name, settings in config[key].items():
            _check_condition(f"{key}.{name}", settings)
    for name, dataset in config["datasets"].items():
        for key in SETS:
            _check_named(f"datasets.{name}.{key}", key, dataset[key], config)
        _check_models(f"datasets.{name}", name, config)


def _check_named(place: str, key: str, ids: Sequence[str], config: Mapping[str, Any]) -> None:
    """Check that the conditions or probes that a dataset names exist."""
    for name in ids:
        if name not in config[key]:
            known = ", ".join(config[key]) or "none"
            raise InputError(
                f"{place}: there is no {key.removesuffix('s')} {name!r}; the {key} are {known}:"
                " define it, or write default for the standard set."
            )


def _check_models(place: str, name: str, config: Mapping[str, Any]) -> None:
    """Check that models are run in the conditions and probes of a dataset."""
    dataset, run = config["datasets"][name], run_models_of(config, name)
    for model in dataset.get("condition_models", []):
        if model not in run:
            raise InputError(
                f"{place}.condition_models: no model {model!r} is run and has a task on this"
                f" dataset; those that are: {', '.join(run) or 'none'}."
            )
    used = [key for key in SETS if dataset[key]]
    if "condition_models" in dataset and not used:
        raise InputError(
            f"{place}.condition_models: the dataset has no conditions: give it the key conditions,"
            " or remove this key."
        )
    if used and not condition_models_of(config, name):
        raise InputError(
            f"{place}.{used[0]}: no model is run and has a task on this dataset: add one, or remove"
            " this key."
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
