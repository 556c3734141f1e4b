"""Utterances for which a model has no prediction, and how many of them a study tolerates."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from voxslice.errors import InputError
from voxslice.files import read_csv

SHOWN = 5
"""Number of failures that a message shows."""


def gather_failures(
    parts: Sequence[str | Path], *, total: int, tolerated: float, model: str
) -> pd.DataFrame:
    """Collect the failures of a model's shards, and refuse the model if they are too many.

    Args:
        parts: CSV files, one per shard.
        total: Number of utterances of the dataset.
        tolerated: Share of the utterances that may fail, from 0 to 1.
        model: Id of the model, for the message.

    Returns:
        Table with the columns `file`, `start`, `end` and `reason`, one row per failure.

    Raises:
        InputError: More utterances failed than are tolerated.
    """
    tables = [read_csv(part) for part in parts]
    failures = pd.concat(tables, ignore_index=True)
    folder = Path(parts[0]).parent
    failed = [Path(part).stem for part, table in zip(parts, tables, strict=True) if len(table)]
    names = f"{{{','.join(failed)}}}" if len(failed) > 1 else "".join(failed)
    where = (
        f"; all of them are listed in {folder}; to score their shards again although no file has"
        f" changed: rm {folder}/{names}.csv"
    )
    require_few(failures, total=total, tolerated=tolerated, model=model, where=where)
    return failures


def require_few(
    failures: pd.DataFrame, *, total: int, tolerated: float, model: str, where: str = ""
) -> None:
    """Refuse a model if too many utterances failed.

    Args:
        failures: Table with the columns `file` and `reason`, one row per failure.
        total: Number of utterances of the dataset.
        tolerated: Share of the utterances that may fail, from 0 to 1.
        model: Id of the model, for the message.
        where: End of the message, for example the place of the list of all failures.

    Raises:
        InputError: More utterances failed than are tolerated.
    """
    if len(failures) / total > tolerated:
        rows = failures[["file", "reason"]].head(SHOWN).to_numpy()
        first = "; ".join(f"{file}: {reason}" for file, reason in rows)
        raise InputError(
            f"{model} could not score {len(failures)} of {total} utterances, more than the"
            f" tolerated share of {tolerated:g}: correct or remove these files or raise"
            f" failures_tolerated ({first}{'; ...' if len(failures) > SHOWN else ''}{where})."
        )
