import pyarrow.parquet as pq
from voxslice.failures import gather_failures
from voxslice.files import write_csv
from voxslice.logs import to_log

with to_log(snakemake.log):
    failures = gather_failures(
        snakemake.input.failures,
        total=pq.read_metadata(snakemake.input.utterances).num_rows,
        tolerated=snakemake.params.tolerated,
        model=snakemake.wildcards.model,
    )
    write_csv(failures, snakemake.output[0])
