"""The amount of audio in a shard, read from the table of shards if it exists."""

import csv
import functools
import math
from pathlib import Path
from typing import Any, NamedTuple

from voxslice.config.study_config import Reader, StudyConfig

SHARDS = "resources/{dataset}/shards.csv"
"""Table of the shards of utterances."""
RECORDING_SHARDS = "resources/{dataset}/recordings/shards.csv"
"""Table of the shards of recordings."""


class ShardAudio(NamedTuple):
    """Audio of one shard.

    Args:
        seconds: total duration
        longest: duration of the longest utterance in seconds
        state: fingerprint of the utterances and their audio
    """

    seconds: float
    longest: float
    state: str


def audio_of_shard(study: StudyConfig, wildcards: Any, shards: str = SHARDS) -> ShardAudio | None:
    """Amount of audio in a shard.

    Args:
        study: config of the study
        wildcards: `dataset` and `shard`
        shards: path of the table of shards, with wildcards

    Returns:
        the audio of the shard; None if the table of shards does not exist or lacks the shard
    """
    table = Path(study.made(shards.format(dataset=wildcards.dataset)))
    try:
        return _audio_of_shards(table, table.stat().st_mtime_ns)[int(wildcards.shard)]
    except (FileNotFoundError, KeyError, IndexError):
        return None


def longest_of_dataset(study: StudyConfig, wildcards: Any) -> float:
    """Duration of the longest utterance of a dataset.

    Args:
        study: config of the study
        wildcards: `dataset`

    Returns:
        the duration in seconds; infinite if the table of shards does not exist
    """
    table = Path(study.made(SHARDS.format(dataset=wildcards.dataset)))
    if not table.exists():
        return math.inf
    return max(audio.longest for audio in _audio_of_shards(table, table.stat().st_mtime_ns))


@functools.cache
def _audio_of_shards(table: Path, changed: int) -> list[ShardAudio]:
    """Audio of each shard. `changed` is the modification time of the table."""
    with table.open(encoding="utf-8") as file:
        return [
            ShardAudio(float(row["seconds"]), float(row["longest"]), row["state"])
            for row in csv.DictReader(file)
        ]


def state_of_shard(study: StudyConfig, shards: str = SHARDS) -> Reader:
    """Parameter of a rule: fingerprint of the utterances of a shard and of their audio.

    Args:
        study: config of the study
        shards: path of the table of shards, with wildcards

    Returns:
        function of the wildcards that returns the fingerprint; None if it is not known yet
    """

    def state(wildcards: Any) -> str | None:
        audio = audio_of_shard(study, wildcards, shards)
        return audio.state if audio else None

    return state


def longest_allowed(study: StudyConfig) -> Reader:
    """Parameter of a rule: duration in seconds of the longest utterance that is scored.

    The duration is infinite if all utterances of the shard are within the limit. A new limit
    therefore reruns only the shards for which it makes a difference.

    Args:
        study: config of the study

    Returns:
        function of the wildcards that returns the duration
    """

    def allowed(wildcards: Any) -> float:
        limit, audio = float(study.config["longest_seconds"]), audio_of_shard(study, wildcards)
        return math.inf if audio and audio.longest <= limit else limit

    return allowed


def audio_to_score(study: StudyConfig, wildcards: Any) -> tuple[float, float]:
    """Seconds of audio in a shard, and seconds of its longest utterance that is scored.

    Args:
        study: config of the study
        wildcards: `dataset` and `shard`

    Returns:
        both durations; the largest that the config allows if the dataset is not split yet
    """
    limit = study.config["longest_seconds"]
    audio = audio_of_shard(study, wildcards)
    if audio is None:
        return 3600 * study.config["datasets"][wildcards.dataset]["shard_hours"], limit
    return audio.seconds, min(audio.longest, limit)
