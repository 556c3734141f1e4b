import pandas as pd
from voxslice.files import write_csv
from voxslice.inference.shards import split
from voxslice.logs import to_log

with to_log(snakemake.log):
    utterances = pd.read_parquet(snakemake.input[0], columns=["file", "duration"])
    hours = snakemake.params.hours
    shards = split(utterances["file"], utterances["duration"], hours=hours)
    print(f"{len(utterances)} utterances in {len(shards)} shards.")
    write_csv(shards, snakemake.output[0])
