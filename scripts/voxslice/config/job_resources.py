"""Memory and time that jobs request. They grow with the input and with each attempt."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from voxslice import workload
from voxslice.config.shard_audio import audio_to_score, longest_of_dataset
from voxslice.config.study_config import StudyConfig

MODEL = "resources/models/{model}/model.onnx"
UTTERANCES = "resources/{dataset}/utterances.parquet"
PARQUET_FACTOR = 5
"""Size of a table as CSV divided by its size as Parquet."""

MEASURE_MINUTES = 20
"""Minutes that measuring a shard may take apart from its audio."""
MEASURE_SPEED = 0.05
"""Seconds that measuring may take per second of audio: five times what one slow core needs."""

Amount = Callable[..., int]
"""Function of the wildcards, the attempt and, for some jobs, the threads."""


def size_mb(path: str | Path) -> float:
    """Size of a file in megabytes; 0 where it does not exist yet.

    Args:
        path: path of the file

    Returns:
        the size in MB
    """
    path = Path(path)
    return path.stat().st_size / 1e6 if path.exists() else 0


def growing(
    study: StudyConfig, base: float, per_mb: float = 0, size_of: str = UTTERANCES
) -> Amount:
    """Memory in MB, or time in minutes, that grows with the size of a file.

    The work of most steps grows with the table of utterances. The size is read here and not from
    the inputs of the job, because in a group of jobs the inputs may not exist yet.

    Args:
        study: config of the study
        base: amount without the file
        per_mb: further amount for each megabyte of the file
        size_of: path of the file, with wildcards

    Returns:
        function of the wildcards and the attempt
    """

    def amount(wildcards: Any, attempt: int) -> int:
        size = size_mb(study.made(size_of.format(**wildcards))) if per_mb else 0
        return math.ceil(attempt * (base + per_mb * size))

    return amount


def listing_memory(study: StudyConfig) -> Amount:
    """Memory in MB for listing utterances, which grows with the tables of the dataset.

    Args:
        study: config of the study

    Returns:
        function of the wildcards and the attempt
    """

    def amount(wildcards: Any, attempt: int) -> int:
        dataset = study.config["datasets"][wildcards.dataset]
        if "csv" in dataset:
            files = [Path(dataset["csv"]["path"])]
        else:
            files = list(Path(study.audio_place(wildcards)).glob("db.*"))
        sizes = [
            size_mb(file) * (PARQUET_FACTOR if file.suffix == ".parquet" else 1) for file in files
        ]
        return math.ceil(attempt * (1000 + 30 * sum(sizes)))

    return amount


def predict_memory(study: StudyConfig) -> Amount:
    """Memory in MB for scoring a shard, which grows with model, threads and longest utterance.

    Args:
        study: config of the study

    Returns:
        function of the wildcards, the attempt and the threads
    """

    def amount(wildcards: Any, attempt: int, threads: int) -> int:
        _, longest = audio_to_score(study, wildcards)
        model_mb = size_mb(study.made(MODEL.format(**wildcards)))
        return attempt * workload.memory_mb(longest, model_mb=model_mb, threads=threads)

    return amount


def probe_memory(study: StudyConfig) -> Amount:
    """Memory in MB for scoring utterances of all shards of a dataset.

    Args:
        study: config of the study

    Returns:
        function of the wildcards, the attempt and the threads
    """

    def amount(wildcards: Any, attempt: int, threads: int) -> int:
        longest = min(longest_of_dataset(study, wildcards), study.config["longest_seconds"])
        model_mb = size_mb(study.made(MODEL.format(**wildcards)))
        return attempt * workload.memory_mb(longest, model_mb=model_mb, threads=threads)

    return amount


def predict_minutes(study: StudyConfig) -> Amount:
    """Minutes for scoring a shard, which grow with the size of the model and of the shard.

    Args:
        study: config of the study

    Returns:
        function of the wildcards, the attempt and the threads
    """

    def amount(wildcards: Any, attempt: int, threads: int) -> int:
        seconds, longest = audio_to_score(study, wildcards)
        model_mb = size_mb(study.made(MODEL.format(**wildcards)))
        return attempt * workload.minutes(
            seconds, longest=longest, model_mb=model_mb, threads=threads
        )

    return amount


def measure_minutes(study: StudyConfig) -> Amount:
    """Minutes for measuring the utterances of a shard, which grow with its audio.

    Args:
        study: config of the study

    Returns:
        function of the wildcards and the attempt
    """

    def amount(wildcards: Any, attempt: int) -> int:
        seconds, _ = audio_to_score(study, wildcards)
        return attempt * (MEASURE_MINUTES + math.ceil(seconds * MEASURE_SPEED / 60))

    return amount


def costs_memory(study: StudyConfig) -> Amount:
    """Memory in MB for measuring the costs of a model on one utterance at a time.

    Args:
        study: config of the study

    Returns:
        function of the wildcards and the attempt
    """

    def amount(wildcards: Any, attempt: int) -> int:
        longest = max(study.config["costs"]["durations"])
        model_mb = size_mb(study.made(MODEL.format(**wildcards)))
        return attempt * workload.memory_mb(longest, model_mb=model_mb, threads=1)

    return amount
