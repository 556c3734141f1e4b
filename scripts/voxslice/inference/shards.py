"""Shards: the parts of a dataset. One job runs a model on one shard."""

import hashlib
import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from voxslice.files import KEY, read_csv

FILE = re.compile(r"(\d+|table)\.(parquet|csv)|\.(\d+|table)\.(parquet|csv)\..*")
"""Names of the files of shards, of a given table of predictions, and of unfinished ones."""


def split(files: Sequence[str], durations: Sequence[float], *, hours: float) -> pd.DataFrame:
    """Split utterances into consecutive shards of about the same duration.

    The utterances of one file stay in one shard, unless that makes a shard longer or shorter by
    more than half of a shard.

    Args:
        files: File of each utterance. The utterances of one file follow each other.
        durations: Duration of each utterance, in seconds.
        hours: Approximate longest duration of a shard, in hours.

    Returns:
        Table with one row per shard, and at least one row: `first` (row of its first utterance),
        `stop` (row after its last utterance), `seconds` (of audio) and `longest` (seconds of its
        longest utterance).
    """
    lengths = np.asarray(durations, dtype=float)
    ends = np.cumsum(lengths)
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
    longest = [
        lengths[first:stop].max(initial=0) for first, stop in zip(firsts, stops, strict=True)
    ]
    return pd.DataFrame({"first": firsts, "stop": stops, "seconds": seconds, "longest": longest})


def rows_of_shard(table: str | Path, shards: str | Path, shard: int) -> pd.DataFrame:
    """Read the rows of one shard.

    Args:
        table: Parquet file of the table that was split, such as that of all utterances.
        shards: CSV file with `first` and `stop`, as `split` returns them.
        shard: Number of the shard, from 0.

    Returns:
        The rows, with the index of the table.
    """
    limits = read_csv(shards).iloc[shard]
    return pd.read_parquet(table).iloc[int(limits["first"]) : int(limits["stop"])]


def shard_states(
    utterances: pd.DataFrame, contents: pd.DataFrame, shards: pd.DataFrame
) -> list[str]:
    """Fingerprint the utterances of each shard and the content of their audio.

    Args:
        utterances: `file`, `start` and `end` (seconds), one row per utterance.
        contents: `file` and `content` (a digest, missing if the file cannot be read), one row per
            file.
        shards: `first` and `stop`, as `split` returns them.

    Returns:
        12 hexadecimal digits per shard. They change if an utterance of the shard is added, removed
        or replaced, but not if another shard changes.
    """
    content = utterances["file"].map(contents.set_index("file")["content"])
    columns = [utterances[name] for name in KEY]
    rows = [repr(row) for row in zip(*columns, content, strict=True)]
    return [
        hashlib.sha256("\n".join(rows[first:stop]).encode("utf-8", "backslashreplace")).hexdigest()[
            :12
        ]
        for first, stop in zip(shards["first"], shards["stop"], strict=True)
    ]


def _nearest(cuts: np.ndarray, ends: np.ndarray, seconds: float) -> int | None:
    """The cut whose time since the first utterance is nearest to `seconds`; None without cuts."""
    if not len(cuts):
        return None
    passed = ends[cuts - 1]
    right = min(int(np.searchsorted(passed, seconds)), len(cuts) - 1)
    left = max(right - 1, 0)
    return int(cuts[left if seconds - passed[left] <= passed[right] - seconds else right])


def remove_stale(folder: str | Path, current: Iterable[str | Path]) -> list[str]:
    """Remove the files that earlier runs left in a folder of shards.

    An earlier run may have had more shards, or may have been killed while it wrote one. Call this
    when the current files are complete and no other job writes into the folder.

    Args:
        folder: Folder of one model's predictions or failures. It may be missing.
        current: Files to keep.

    Returns:
        Names of the removed files, sorted. Files that no run writes are not removed.
    """
    kept, removed = {Path(path).name for path in current}, []
    for path in sorted(Path(folder).glob("*")):
        if path.name not in kept and path.is_file() and FILE.fullmatch(path.name):
            path.unlink()
            removed.append(path.name)
    return removed
