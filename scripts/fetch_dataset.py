from voxslice.data.audb_download import fetch_audb
from voxslice.logs import to_log

with to_log(snakemake.log):
    fetch_audb(
        snakemake.output[0],
        **snakemake.params.source,
        table=snakemake.params.table,
        filters=snakemake.params.filters,
        cache=snakemake.params.cache,
        num_workers=snakemake.threads,
    )
