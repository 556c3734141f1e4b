"""What running models asks of a machine: rules ask for as much, and inference keeps within it.

Estimates for wav2vec 2.0 of the published size (16 heads, 50 frames a second), whose attention
takes memory with the square of the duration; smaller models need less. Imported whenever Snakemake
parses the workflow: it stays light.
"""

import math

A_THREAD = 2000
"""Megabytes for the utterances of one thread: those of up to 45 s are computed on side by side."""


def utterance_mb(seconds: float) -> int:
    """Memory that computing on an utterance takes, beside the model's weights.

    Onnxruntime's arena holds more than the utterance needs, and what it holds of shorter ones is of
    no use for a longer one: measured by itself 6.6 GB for 120 s; after shorter ones 10.4 GB, and
    0.4 GB for 20 s, 2.2 GB for 60 s; beside others, all of them took 12.6 GB.

    Args:
        seconds: its duration
    """
    return math.ceil(10 * seconds + 0.75 * seconds**2)


def room_mb(longest: float, *, threads: int) -> int:
    """Memory for the utterances that are computed on side by side.

    Args:
        longest: seconds of the longest of them
        threads: utterances at a time, where they are short
    """
    one = utterance_mb(longest)
    return max(one, threads * min(one, A_THREAD))


def memory_mb(longest: float, *, model_mb: float, threads: int) -> int:
    """Memory of a process that runs a model.

    Args:
        longest: seconds of the longest utterance
        model_mb: size of the model's file
        threads: utterances at a time, where they are short
    """
    return math.ceil(1000 + 2 * model_mb + room_mb(longest, threads=threads))


def minutes(seconds: float, *, longest: float, model_mb: float, threads: int) -> int:
    """Time to run a model, with room for a machine that is a few times slower than a new one.

    Of wav2vec 2.0 with six layers (363 MB) a core computes a second of speech in 0.08 s; of models
    in 8 bits a byte takes twice as long. Utterances that are too long to be computed on side by
    side take turns.

    Args:
        seconds: of audio
        longest: seconds of the longest utterance
        model_mb: size of the model's file
        threads: utterances at a time, where they are short
    """
    one = utterance_mb(longest)
    at_a_time = min(threads, room_mb(longest, threads=threads) // one) if one else threads
    return math.ceil(30 + seconds * (0.01 + 0.001 * model_mb) / at_a_time / 60)
