from voxslice.datasets import list_utterances
from voxslice.files import write_parquet
from voxslice.logs import to_log

with to_log(snakemake.log):
    utterances = list_utterances(snakemake.input[0], snakemake.params.table)
    write_parquet(utterances, snakemake.output[0])
