import pandas as pd
from voxslice.comparison import align, compare
from voxslice.files import speakers_of, write_csv
from voxslice.logs import to_log

with to_log(snakemake.log):
    files = pd.read_parquet(snakemake.input.files)
    scores = [pd.read_parquet(path) for path in snakemake.input.scores]
    keys, losses, slices, rules = align(
        dict(zip(snakemake.params.models, scores, strict=True)),
        [pd.read_csv(path, dtype={"slice": str}) for path in snakemake.input.slices],
        [pd.read_parquet(path) for path in snakemake.input.members],
    )
    table = compare(
        losses,
        slices,
        rules,
        speakers_of(keys, files),
        classification=snakemake.params.classification,
        resamples=snakemake.params.resamples,
        seed=snakemake.params.seed,
    )
    write_csv(table, snakemake.output[0])
