from pathlib import Path

import pandas as pd
from voxslice.data.file_names import names_on_disk
from voxslice.files import read_csv, read_embeddings, write_parquet, write_text
from voxslice.logs import to_log
from voxslice.report.spotlight import issues, layouts, tables
from voxslice.task import Task

with to_log(snakemake.log):
    given, params = snakemake.input, snakemake.params
    metadata = pd.read_parquet(given.metadata)
    models = params.models
    scores = {name: pd.read_parquet(path) for name, path in zip(models, given.scores, strict=True)}
    task = Task(params.task["type"], params.task.get("unit", ""))
    slices = {name: read_csv(path) for name, path in zip(models, given.slices, strict=True)}
    members = {
        name: pd.read_parquet(path) for name, path in zip(models, given.members, strict=True)
    }
    rows, total = tables.select(metadata, scores, max_rows=params.max_rows, seed=params.seed)
    table = tables.make_table(
        rows,
        scores,
        task=task,
        audio=tables.place(given.audio, Path(snakemake.output.table).parent),
        files=names_on_disk(given.audio, rows["file"]),
        embedding=read_embeddings(given.embedding, rows) if given.embedding else None,
        seed=params.seed,
    )
    found = issues.make_issues(
        rows,
        slices,
        members,
        task,
    )
    if len(rows) < total:
        found.insert(0, issues.sample_note(len(rows), total, params.seed))
    layout = layouts.make_layout(table, models, task)
    slice_table = tables.make_slice_table(slices, members, scores, task=task)
    slice_layout = layouts.make_slice_layout(models)
    write_parquet(table, snakemake.output.table)
    write_text(layouts.to_json(layout), snakemake.output.layout)
    write_text(layouts.to_json(found), snakemake.output.issues)
    write_parquet(slice_table, snakemake.output.slices)
    write_text(layouts.to_json(slice_layout), snakemake.output.slices_layout)
