"""Utterances that a model could not score, and how many of them a study takes."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from voxslice.errors import InputError
from voxslice.files import read_csv


def gather_failures(
    parts: Sequence[str | Path], *, total: int, tolerated: float, model: str
) -> pd.DataFrame:
    """Collect the failures of a model's shards and hold them against what is tolerated.

    Args:
        parts: CSV files, one a shard
        total: number of utterances of the dataset
        tolerated: share of the utterances that may fail, 0 to 1
        model: id of the model, for the message

    Returns:
        `file`, `start`, `end`, `reason`

    Raises:
        InputError: where more failed than are tolerated
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
    """Hold failures against what is tolerated.

    Args:
        failures: `file` and `reason`
        total: number of utterances of the dataset
        tolerated: share of the utterances that may fail, 0 to 1
        model: id of the model, for the message
        where: what the message says of the place that lists all of them

    Raises:
        InputError: where more failed than are tolerated
    """
    if len(failures) / total > tolerated:
        first = "; ".join(f"{f}: {r}" for f, r in failures[["file", "reason"]].head(5).to_numpy())
        raise InputError(
            f"{model} could not score {len(failures)} of {total} utterances, more than the"
            f" tolerated share of {tolerated:g}: mend or remove these files or raise"
            f" failures_tolerated ({first}{'; ...' if len(failures) > 5 else ''}{where})."
        )
