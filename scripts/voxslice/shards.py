"""Shards: the parts of a dataset that inference takes one by one."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd


def split(files: Sequence[str], durations: Sequence[float], *, hours: float) -> pd.DataFrame:
    """Split utterances into runs of about the same duration.

    The segments of a file stay together, where that makes no shard longer or shorter by more than
    half of a shard.

    Args:
        files: file of each utterance, the utterances of a file in succession
        durations: of the utterances, in seconds
        hours: longest duration of a shard, give or take

    Returns:
        one row a shard: `first` (row of its first utterance), `stop` (row after its last) and
        `seconds` (of audio); at least one shard
    """
    ends = np.cumsum(np.asarray(durations, dtype=float))
    total = float(ends[-1]) if len(ends) else 0.0
    count = max(1, math.ceil(total / (3600 * hours)))
    names = np.asarray(files, dtype=object)
    rows = np.arange(1, len(names))
    whole = rows[names[1:] != names[:-1]]
    wanted = total * np.arange(1, count) / count
    cuts = []
    for seconds in wanted:
        cut = _nearest(whole, ends, seconds)
        if cut is None or abs(ends[cut - 1] - seconds) > total / count / 2:
            cut = _nearest(rows, ends, seconds)
        if cut is not None:
            cuts.append(cut)
    stops = np.array([*sorted(set(cuts)), len(names)], dtype=int)
    firsts = np.array([0, *stops[:-1]], dtype=int)
    edges = np.concatenate([[0.0], ends])
    seconds = np.round(edges[stops] - edges[firsts], 3)
    return pd.DataFrame({"first": firsts, "stop": stops, "seconds": seconds})


def _nearest(cuts: np.ndarray, ends: np.ndarray, seconds: float) -> int | None:
    """The cut at which the time that has passed is nearest to `seconds`."""
    if not len(cuts):
        return None
    passed = ends[cuts - 1]
    right = min(int(np.searchsorted(passed, seconds)), len(cuts) - 1)
    left = max(right - 1, 0)
    return int(cuts[left if seconds - passed[left] <= passed[right] - seconds else right])
