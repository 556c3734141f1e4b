from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from voxslice.audit.exact_copies import exact_copies
from voxslice.data import csv_tables, databases
from voxslice.data.computed_columns import add_columns
from voxslice.files import read_predictions, write_parquet
from voxslice.logs import to_log
from voxslice.recordings.labels import read_labels
from voxslice.units import COPIES
from voxslice.utterance_keys import KEY


def main(
    *,
    utterances: str,
    audio: str,
    segments: str | None = None,
    examined: Sequence[str],
    csv: Mapping[str, str] | None,
    columns: Mapping[str, Mapping[str, Any]],
    computed: Mapping[str, Mapping[str, Any]],
    measures: Sequence[str],
    predictions: Mapping[str, Sequence[str]],
    output: str,
    unit_columns: str,
) -> None:
    """Add the metadata columns of the config to the utterances of a dataset, and tell exact copies.

    The other columns whose names tell that they describe a unit go to a table of their own.
    """
    listed = pd.read_parquet(utterances)
    if csv:
        cells = (
            read_labels(csv["path"], pd.read_parquet(segments))
            if segments
            else csv_tables.read_cells(csv["path"], listed)
        )
        metadata = csv_tables.add_columns(listed, cells, columns, csv["path"])
        known = [*KEY, *(source["column"] for source in columns.values())]
        units = csv_tables.select_unit_columns(listed, cells, known)
    else:
        metadata = databases.read_metadata(audio, listed, columns)
        places = [
            {"table": source["table"], "column": source["column"]} for source in columns.values()
        ]
        units = databases.read_unit_columns(audio, listed, places)
    metadata = add_columns(
        metadata,
        computed,
        measures=read_predictions(list(measures)) if measures else None,
        predictions={name: read_predictions(list(paths)) for name, paths in predictions.items()},
    )
    copies = exact_copies(metadata, read_predictions(list(examined), [*KEY, "content", "silence"]))
    if copies is not None:
        metadata[COPIES] = copies
    write_parquet(metadata, output)
    write_parquet(units, unit_columns)


def inputs(prefix: str) -> dict[str, Any]:
    """Return the inputs of the job whose names begin with a prefix, by the rest of the name."""
    return {
        name.removeprefix(prefix): files
        for name, files in snakemake.input.items()
        if name.startswith(prefix)
    }


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            utterances=snakemake.input.utterances,
            audio=snakemake.input.audio,
            segments=snakemake.input.segments or None,
            examined=snakemake.input.examined,
            csv=snakemake.params.csv,
            columns=snakemake.params.columns,
            computed=snakemake.params.computed,
            measures=snakemake.input.get("measures", []),
            predictions=inputs("model_"),
            output=snakemake.output.metadata,
            unit_columns=snakemake.output.units,
        )
