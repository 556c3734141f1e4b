import pandas as pd
from voxslice.data.measures import measure_speech
from voxslice.files import write_parquet
from voxslice.logs import to_log

with to_log(snakemake.log):
    measured = measure_speech(
        pd.read_parquet(snakemake.input.utterances),
        audio=snakemake.input.audio,
        measure=snakemake.wildcards.measure,
        threads=snakemake.threads,
        longest=snakemake.params.longest,
    )
    write_parquet(measured, snakemake.output[0])
