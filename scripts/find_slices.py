import pandas as pd
from voxslice.files import KEY, read_embeddings, speakers_of, write_csv, write_parquet
from voxslice.logs import to_log
from voxslice.slice_table import find_all

with to_log(snakemake.log):
    scores = pd.read_parquet(snakemake.input.scores)
    files = pd.read_parquet(snakemake.input.files)
    views = snakemake.params.views
    embeddings = {
        view: read_embeddings(snakemake.input.get(f"embedding_{view}"))
        for view in views
        if "embedding" in views[view]
    }
    slices, members = find_all(
        scores,
        scores[KEY].merge(files, on=KEY, how="left"),
        speakers_of(scores, files),
        views,
        embeddings,
        classification=snakemake.params.classification,
        min_drop=snakemake.params.min_drop,
        describe_by=snakemake.params.columns,
        resamples=snakemake.params.resamples,
        seed=snakemake.params.seed,
    )
    write_csv(slices, snakemake.output.slices)
    write_parquet(members, snakemake.output.members)
