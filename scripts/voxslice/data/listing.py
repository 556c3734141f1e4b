"""The list of a dataset's utterances with the content of their audio, whatever its source is."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from voxslice.data import csv_tables, databases
from voxslice.data.local_data import LocalData, contents, of_database, of_table


def list_utterances(
    audio: str,
    *,
    csv: Mapping[str, str] | None,
    table: str | None,
    filters: Mapping[str, Mapping[str, Any]],
    state: str | None,
    threads: int,
) -> tuple[pd.DataFrame, dict[str, Any] | None]:
    """List the utterances of a dataset and read their audio once.

    Args:
        audio: the folder of the audio; of a database it holds the tables, too
        csv: `path` and `audio` of a dataset that is a CSV table; None for a database
        table: the table of a database whose rows are the utterances
        filters: which utterances are kept, as `csv_tables.list_utterances` or
            `databases.list_utterances` takes it
        state: fingerprint of local data when the workflow was parsed; None for data that the
            workflow fetches itself
        threads: number of files that are read at the same time

    Returns:
        `file`, `start`, `end`, `duration` (seconds) and `content` (digest of the file, missing
        where it cannot be read), one row per utterance; and, of local data, the record of what was
        read (see `LocalData.look`)

    Raises:
        InputError: where the table does not list utterances
    """
    data: LocalData | None = None
    if state:
        data = of_table(**csv, filters=filters) if csv else of_database(audio)
    # before the durations are read: a file that changes meanwhile differs from the record
    record = data.look(state, threads=threads) if data and state else None
    if csv:
        utterances = csv_tables.list_utterances(**csv, filters=filters)
    else:
        utterances = databases.list_utterances(audio, str(table), filters)
    content = {file: row[-1] for file, row in record["files"].items()} if record else {}
    others = sorted(set(utterances["file"]) - content.keys())
    content |= contents(audio, others, threads=threads)
    return utterances.assign(content=utterances["file"].map(content)), record
