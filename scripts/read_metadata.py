import pandas as pd
from voxslice.data import csv_tables, databases
from voxslice.data.computed_columns import add_columns
from voxslice.files import read_predictions, write_parquet
from voxslice.logs import to_log

with to_log(snakemake.log):
    given, params = snakemake.input, snakemake.params
    utterances = pd.read_parquet(given.utterances)
    if params.csv:
        metadata = csv_tables.read_metadata(params.csv["path"], utterances, params.columns)
    else:
        metadata = databases.read_metadata(given.audio, utterances, params.columns)
    computed = params.computed.values()
    metadata = add_columns(
        metadata,
        params.computed,
        measures={
            name: pd.read_parquet(given[f"measure_{name}"])
            for name in {column["measure"] for column in computed if "measure" in column}
            if name != "duration"
        },
        predictions={
            name: read_predictions(given[f"model_{name}"])
            for name in {column["model"] for column in computed if "model" in column}
        },
    )
    write_parquet(metadata, snakemake.output[0])
