from pathlib import Path

import pandas as pd
from voxslice.data.user_tables import read_table
from voxslice.files import write_csv, write_parquet
from voxslice.inference.failures import require_few
from voxslice.inference.given_predictions import check_table
from voxslice.inference.shards import remove_stale
from voxslice.logs import to_log
from voxslice.scores.classes import Classes

with to_log(snakemake.log):
    utterances = pd.read_parquet(snakemake.input.utterances)
    table = snakemake.input.table
    tasks = snakemake.params.tasks
    predictions, failures = check_table(
        read_table(table),
        utterances,
        {task: places and Classes(**places) for task, places in tasks.items()},
        source=table,
        filtered=snakemake.params.filtered,
    )
    require_few(
        failures,
        total=len(utterances),
        tolerated=snakemake.params.tolerated,
        model=snakemake.wildcards.model,
    )
    write_parquet(predictions, snakemake.output.predictions)
    write_csv(failures, snakemake.output.failures)
    # left where the model was run before
    remove_stale(Path(snakemake.output.predictions).parent, [snakemake.output.predictions])
    remove_stale(Path(snakemake.output.failures).with_suffix(""), [])
