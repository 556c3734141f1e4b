from voxslice.data import csv_tables, databases, local_data
from voxslice.files import write_parquet
from voxslice.logs import to_log

with to_log(snakemake.log):
    params, audio = snakemake.params, snakemake.input.audio
    if params.state:
        data = (
            local_data.of_table(**params.csv, filters=params.filters)
            if params.csv
            else local_data.of_database(audio)
        )
        local_data.write_seen(data.look(params.state, threads=snakemake.threads), params.seen)
    if params.csv:
        utterances = csv_tables.list_utterances(**params.csv, filters=params.filters)
    else:
        utterances = databases.list_utterances(audio, params.table, params.filters)
    write_parquet(utterances, snakemake.output[0])
