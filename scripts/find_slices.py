import pandas as pd
from voxslice.files import read_csv, write_csv, write_parquet
from voxslice.logs import to_log
from voxslice.slices.table import tabulate_slices
from voxslice.speakers import speakers_of
from voxslice.task import Task
from voxslice.utterance_keys import KEY

with to_log(snakemake.log):
    scores = pd.read_parquet(snakemake.input.scores)
    metadata = pd.read_parquet(snakemake.input.metadata)
    suggestions = read_csv(snakemake.input.suggestions)
    suggested = pd.read_parquet(snakemake.input.suggested)
    model = snakemake.wildcards.model
    slices, members, searches = tabulate_slices(
        scores,
        scores[KEY].merge(metadata, on=KEY, how="left"),
        speakers_of(scores, metadata),
        suggestions[suggestions["model"] == model],
        suggested[suggested["model"] == model],
        snakemake.params.searches,
        task=Task(snakemake.params.kind),
        columns=snakemake.params.columns,
        alpha=snakemake.params.alpha,
        seed=snakemake.params.seed,
    )
    write_csv(slices, snakemake.output.slices)
    write_parquet(members, snakemake.output.members)
    write_csv(searches, snakemake.output.searches)
