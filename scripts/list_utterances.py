from voxslice import csv_tables, databases
from voxslice.files import write_parquet
from voxslice.logs import to_log

with to_log(snakemake.log):
    params, audio = snakemake.params, snakemake.input.audio
    if params.csv:
        utterances = csv_tables.list_utterances(**params.csv, filters=params.filters)
    else:
        utterances = databases.list_utterances(audio, params.table, params.filters)
    write_parquet(utterances, snakemake.output[0])
