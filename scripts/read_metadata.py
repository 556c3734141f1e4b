import pandas as pd
from voxslice.datasets import read_metadata
from voxslice.files import write_parquet
from voxslice.logs import to_log

with to_log(snakemake.log):
    utterances = pd.read_parquet(snakemake.input.utterances)
    files = read_metadata(snakemake.input.audio, utterances, snakemake.params.columns)
    write_parquet(files, snakemake.output[0])
