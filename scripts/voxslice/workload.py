"""Memory and time to run models: rules request them, and inference stays within the memory.

The estimates are for wav2vec 2.0 of the published size (16 heads, 50 frames per second). The
memory of its attention grows with the square of the duration. Smaller models need less. Snakemake
imports this module whenever it parses the workflow, so it must not import anything slow.
"""

import math

MB_PER_THREAD = 2000
"""Memory in MB for each thread: utterances of up to 45 s are computed at the same time."""


def utterance_mb(seconds: float) -> int:
    """Memory to compute one utterance, without the weights of the model.

    onnxruntime keeps more memory than an utterance needs, and a longer utterance cannot use the
    memory that is kept for shorter ones. Measured: 6.6 GB for 120 s alone; after shorter
    utterances 0.4 GB for 20 s, 2.2 GB for 60 s and 10.4 GB for 120 s; 12.6 GB for several
    utterances at the same time.

    Args:
        seconds: Duration of the utterance.

    Returns:
        Memory in MB.
    """
    return math.ceil(10 * seconds + 0.75 * seconds**2)


def room_mb(longest: float, *, threads: int) -> int:
    """Memory for the utterances that are computed at the same time.

    Args:
        longest: Duration of the longest utterance, in seconds.
        threads: Number of short utterances that are computed at the same time.

    Returns:
        Memory in MB.
    """
    one = utterance_mb(longest)
    return max(one, threads * min(one, MB_PER_THREAD))


def memory_mb(longest: float, *, model_mb: float, threads: int) -> int:
    """Memory of a process that runs a model.

    Args:
        longest: Duration of the longest utterance, in seconds.
        model_mb: Size of the ONNX file in MB.
        threads: Number of short utterances that are computed at the same time.

    Returns:
        Memory in MB.
    """
    return math.ceil(1000 + 2 * model_mb + room_mb(longest, threads=threads))


def minutes(seconds: float, *, longest: float, model_mb: float, threads: int) -> int:
    """Time to run a model, with a reserve for machines that are a few times slower than a new one.

    One core computes one second of speech in 0.08 s with wav2vec 2.0 with six layers (363 MB).
    Models in 8 bits take twice as long per byte of the file. Utterances that are too long to be
    computed at the same time are computed one after another.

    Args:
        seconds: Total duration of the audio.
        longest: Duration of the longest utterance, in seconds.
        model_mb: Size of the ONNX file in MB.
        threads: Number of short utterances that are computed at the same time.

    Returns:
        Time in minutes.
    """
    one = utterance_mb(longest)
    at_a_time = min(threads, room_mb(longest, threads=threads) // one) if one else threads
    return math.ceil(30 + seconds * (0.01 + 0.001 * model_mb) / at_a_time / 60)
