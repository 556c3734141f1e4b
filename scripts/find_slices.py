import pandas as pd
from voxslice.files import KEY, speakers_of, write_csv, write_parquet
from voxslice.logs import to_log
from voxslice.slice_table import measure_suggestions

with to_log(snakemake.log):
    scores = pd.read_parquet(snakemake.input.scores)
    files = pd.read_parquet(snakemake.input.files)
    suggestions = pd.read_parquet(snakemake.input.suggestions)
    slices, members = measure_suggestions(
        scores,
        scores[KEY].merge(files, on=KEY, how="left"),
        speakers_of(scores, files),
        suggestions[suggestions["model"] == snakemake.wildcards.model],
        snakemake.params.views,
        classification=snakemake.params.classification,
        columns=snakemake.params.columns,
        resamples=snakemake.params.resamples,
        seed=snakemake.params.seed,
    )
    write_csv(slices, snakemake.output.slices)
    write_parquet(members, snakemake.output.members)
