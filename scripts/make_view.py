from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import pandas as pd
from voxslice.data.file_names import names_on_disk
from voxslice.files import read_csv, read_embeddings, write_parquet, write_text
from voxslice.logs import to_log
from voxslice.modes.in_study import count_in_study
from voxslice.report.hints import placed_hints
from voxslice.report.inputs import read_modes
from voxslice.report.spotlight import issues, layouts, tables
from voxslice.report.spotlight.data_issues import audit_issues, hint_issues
from voxslice.task import Task


def main(
    *,
    metadata: str,
    scores: Mapping[str, str],
    slices: Mapping[str, str],
    members: Mapping[str, str],
    audit: str,
    hints: str,
    modes: str,
    mode_members: str,
    mode_slices: str,
    searches: str,
    dataset: str,
    name: str,
    audio: str,
    embedding: Sequence[str],
    kind: Literal["classification", "regression"],
    unit: str,
    max_rows: int,
    seed: int,
    table: str,
    layout: str,
    listed: str,
    slice_table: str,
    slice_layout: str,
) -> None:
    """Write the tables, layouts and issues of the interactive view."""
    task = Task(kind, unit)
    scored = {model: pd.read_parquet(path) for model, path in scores.items()}
    found = {model: read_csv(path) for model, path in slices.items()}
    rows_of = {model: pd.read_parquet(path) for model, path in members.items()}
    rows, total = tables.select(pd.read_parquet(metadata), scored, max_rows=max_rows, seed=seed)
    view = tables.make_table(
        rows,
        scored,
        task=task,
        audio=tables.place(audio, Path(table).parent),
        files=names_on_disk(audio, rows["file"]),
        embedding=read_embeddings(list(embedding), rows) if embedding else None,
        seed=seed,
    )
    notes = [issues.sample_note(len(rows), total, seed)] if len(rows) < total else []
    links = read_modes(mode_slices)
    listed_modes = count_in_study(read_modes(modes), read_csv(searches), dataset, name)
    held = read_modes(mode_members)
    notes += issues.make_issues(rows, listed_modes, held, links, found, rows_of, task)
    notes += audit_issues(rows, read_csv(audit))
    notes += hint_issues(rows, placed_hints(read_csv(hints), listed_modes, held))
    write_parquet(view, table)
    write_text(layouts.to_json(layouts.make_layout(view, list(scores), task)), layout)
    write_text(layouts.to_json(notes), listed)
    write_parquet(tables.make_slice_table(found, rows_of, scored, links, task=task), slice_table)
    write_text(layouts.to_json(layouts.make_slice_layout(list(scores))), slice_layout)


def by_model(paths: Sequence[str]) -> dict[str, str]:
    """Pair each model of the job with its file."""
    return dict(zip(snakemake.params.models, paths, strict=True))


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            metadata=snakemake.input.metadata,
            scores=by_model(snakemake.input.scores),
            slices=by_model(snakemake.input.slices),
            members=by_model(snakemake.input.members),
            audit=snakemake.input.audit,
            hints=snakemake.input.hints,
            modes=snakemake.input.modes,
            mode_members=snakemake.input.mode_members,
            mode_slices=snakemake.input.mode_slices,
            searches=snakemake.input.searches,
            dataset=snakemake.wildcards.dataset,
            name=snakemake.wildcards.task,
            audio=snakemake.input.audio,
            embedding=snakemake.input.embedding,
            kind=snakemake.params.task["type"],
            unit=snakemake.params.task.get("unit", ""),
            max_rows=snakemake.params.max_rows,
            seed=snakemake.params.seed,
            table=snakemake.output.table,
            layout=snakemake.output.layout,
            listed=snakemake.output.issues,
            slice_table=snakemake.output.slices,
            slice_layout=snakemake.output.slices_layout,
        )
