from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from voxslice.data import csv_tables, databases
from voxslice.data.computed_columns import add_columns
from voxslice.files import read_predictions, write_parquet
from voxslice.logs import to_log
from voxslice.recordings.labels import read_labels


def main(
    *,
    utterances: str,
    audio: str,
    segments: str | None = None,
    csv: Mapping[str, str] | None,
    columns: Mapping[str, Mapping[str, Any]],
    computed: Mapping[str, Mapping[str, Any]],
    measures: Sequence[str],
    predictions: Mapping[str, Sequence[str]],
    output: str,
) -> None:
    """Add the metadata columns of the config to the utterances of a dataset."""
    listed = pd.read_parquet(utterances)
    if csv and segments:
        cells = read_labels(csv["path"], pd.read_parquet(segments))
        metadata = csv_tables.add_columns(listed, cells, columns, csv["path"])
    elif csv:
        metadata = csv_tables.read_metadata(csv["path"], listed, columns)
    else:
        metadata = databases.read_metadata(audio, listed, columns)
    metadata = add_columns(
        metadata,
        computed,
        measures=read_predictions(list(measures)) if measures else None,
        predictions={name: read_predictions(list(paths)) for name, paths in predictions.items()},
    )
    write_parquet(metadata, output)


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
            csv=snakemake.params.csv,
            columns=snakemake.params.columns,
            computed=snakemake.params.computed,
            measures=snakemake.input.get("measures", []),
            predictions=inputs("model_"),
            output=snakemake.output[0],
        )
