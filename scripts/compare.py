import pandas as pd
from voxslice.comparison.compare import (
    align,
    category_slices,
    compare,
    compare_with_references,
    found_slices,
    regressions,
)
from voxslice.comparison.gates import hold_against_sources, summaries
from voxslice.files import read_csv, write_csv
from voxslice.logs import to_log
from voxslice.speakers import speakers_of
from voxslice.task import Task
from voxslice.utterance_keys import KEY

with to_log(snakemake.log):
    params = snakemake.params
    metadata = pd.read_parquet(snakemake.input.metadata)
    scores = [pd.read_parquet(path) for path in snakemake.input.scores]
    guesses = dict(iter(pd.read_parquet(snakemake.input.references).groupby("model", sort=False)))
    keys, losses = align(dict(zip(params.models, scores, strict=True)) | guesses)
    references = {name: losses.pop(name) for name in guesses}
    found = found_slices(
        keys,
        [read_csv(path) for path in snakemake.input.slices],
        [pd.read_parquet(path) for path in snakemake.input.members],
    )
    columns = keys.merge(metadata, on=KEY, how="left")[params.columns]
    slices, speakers = {**category_slices(columns, found), **found}, speakers_of(keys, metadata)
    task = Task(params.kind, margin=params.margin)
    settings = {
        "task": task,
        "resamples": params.resamples,
        "seed": params.seed,
    }
    table = compare(losses, slices, speakers, **settings)
    with_references = compare_with_references(losses, references, slices, speakers, **settings)
    tables = [part for part in (table, with_references) if len(part)]
    write_csv(pd.concat(tables), snakemake.output.comparison)
    write_csv(regressions(table, task), snakemake.output.regressions)
    gates = hold_against_sources(table, params.sources, task=task, kept=params.gate)
    print(*summaries(gates, params.gate), sep="\n")
    write_csv(gates, snakemake.output.gates)
