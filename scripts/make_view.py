import os
from pathlib import Path

import pandas as pd
from voxslice import spotlight_view
from voxslice.files import read_embeddings, write_parquet, write_text
from voxslice.logs import to_log
from voxslice.report.numbers import measures

with to_log(snakemake.log):
    given, params = snakemake.input, snakemake.params
    target = Path(snakemake.output.table).parent
    files = pd.read_parquet(given.files)
    models = params.models
    scores = {name: pd.read_parquet(path) for name, path in zip(models, given.scores, strict=True)}
    task = params.task
    classification = task["type"] == "classification"
    table, keys = spotlight_view.make_table(
        files,
        scores,
        classification=classification,
        audio=os.path.relpath(given.audio, target),
        embedding=read_embeddings(given.embedding) if given.embedding else None,
        seed=params.seed,
    )
    issues = spotlight_view.make_issues(
        keys,
        {
            name: pd.read_csv(path, dtype={"slice": str})
            for name, path in zip(models, given.slices, strict=True)
        },
        {name: pd.read_parquet(path) for name, path in zip(models, given.members, strict=True)},
        measure=measures(task.get("unit", ""))["accuracy" if classification else "mae"],
        min_drop=task["min_drop"],
    )
    layout = spotlight_view.make_layout(table, models, classification=classification)
    write_parquet(table, snakemake.output.table)
    write_text(layout.model_dump_json(by_alias=True, indent=1) + "\n", snakemake.output.layout)
    write_text(spotlight_view.to_json(issues), snakemake.output.issues)
