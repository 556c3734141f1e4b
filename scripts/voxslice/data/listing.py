"""The utterances of a dataset and the content of their files, for every kind of source."""

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
    links: str,
    state: str | None,
    threads: int,
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any] | None]:
    """List the utterances of a dataset and read their audio once.

    Args:
        audio: the folder of the audio; the folder of a database also contains the tables
        csv: `path` and `audio` of a dataset that is a CSV table; None for a database
        table: the table of a database whose rows are the utterances
        filters: which utterances are kept, as `csv_tables.list_utterances` or
            `databases.list_utterances` takes it
        links: `inside` or `anywhere`: where symbolic links in the folder of the audio may lead
        state: fingerprint of local data when the workflow was parsed; None for data that the
            workflow fetches itself
        threads: number of files that are read at the same time

    Returns:
        the utterances with `file`, `start`, `end` and `duration` (seconds), one row per utterance;
        `file` and `content` (a digest, missing if the file cannot be read), one row per file; and,
        of local data, the record of what was read (see `LocalData.look`)

    Raises:
        InputError: where the table does not list utterances
    """
    data: LocalData | None = None
    if state:
        data = of_table(**csv, filters=filters) if csv else of_database(audio)
    # recorded before the durations are read: a file that changes meanwhile differs from the record
    record = data.look(state, threads=threads) if data and state else None
    if csv:
        utterances = csv_tables.list_utterances(**csv, filters=filters, links=links)
    else:
        utterances = databases.list_utterances(audio, str(table), filters, links)
    content = {file: row[-1] for file, row in record["files"].items()} if record else {}
    files = sorted(set(utterances["file"]))
    content |= contents(audio, [file for file in files if file not in content], threads=threads)
    found = pd.DataFrame(
        {"file": files, "content": [content[file] for file in files]}, dtype=object
    )
    return utterances, found, record
