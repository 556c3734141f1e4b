"""How much audio a shard holds, as far as the table of shards is written."""

import csv
import functools
import math
from pathlib import Path
from typing import Any, NamedTuple

from voxslice.config.study_config import Reader, StudyConfig

SHARDS = "resources/{dataset}/shards.csv"


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


def audio_of_shard(study: StudyConfig, wildcards: Any) -> ShardAudio | None:
    """Audio of a shard; None where the dataset has no table of shards or the table lacks it."""
    table = Path(study.made(SHARDS.format(dataset=wildcards.dataset)))
    try:
        return _audio_of_shards(table, table.stat().st_mtime_ns)[int(wildcards.shard)]
    except (FileNotFoundError, KeyError, IndexError):
        return None


@functools.cache
def _audio_of_shards(table: Path, changed: int) -> list[ShardAudio]:
    """Audio of each shard. `changed` is the modification time of the table."""
    with table.open(encoding="utf-8") as file:
        return [
            ShardAudio(float(row["seconds"]), float(row["longest"]), row["state"])
            for row in csv.DictReader(file)
        ]


def state_of_shard(study: StudyConfig) -> Reader:
    """Fingerprint of the utterances of a shard and their audio; None where it is not known."""

    def state(wildcards: Any) -> str | None:
        audio = audio_of_shard(study, wildcards)
        return audio.state if audio else None

    return state


def longest_allowed(study: StudyConfig) -> Reader:
    """Duration in seconds of the longest utterance of a shard that is scored.

    It is infinite where every utterance of the shard is within the limit. Then another limit scores
    only those shards again in which it makes a difference.
    """

    def allowed(wildcards: Any) -> float:
        limit, audio = float(study.config["longest_seconds"]), audio_of_shard(study, wildcards)
        return math.inf if audio and audio.longest <= limit else limit

    return allowed


def audio_to_score(study: StudyConfig, wildcards: Any) -> tuple[float, float]:
    """Seconds of audio of a shard, and of its longest utterance that is scored.

    They are as large as the config allows where the dataset is not split yet.
    """
    limit = study.config["longest_seconds"]
    audio = audio_of_shard(study, wildcards)
    if audio is None:
        return 3600 * study.config["datasets"][wildcards.dataset]["shard_hours"], limit
    return audio.seconds, min(audio.longest, limit)
