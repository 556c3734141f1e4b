from pathlib import Path

import pyarrow.parquet as pq
from voxslice.files import write_csv
from voxslice.inference.failures import gather_failures
from voxslice.inference.shards import remove_stale
from voxslice.logs import to_log

with to_log(snakemake.log):
    # the folder of predictions is a Parquet dataset, which may be read as a whole
    for shards in (snakemake.input.predictions, snakemake.input.failures):
        for name in remove_stale(Path(shards[0]).parent, shards):
            print(f"Removed {name}, which an earlier run left.")
    failures = gather_failures(
        snakemake.input.failures,
        total=pq.read_metadata(snakemake.input.utterances).num_rows,
        tolerated=snakemake.params.tolerated,
        model=snakemake.wildcards.model,
    )
    write_csv(failures, snakemake.output[0])
