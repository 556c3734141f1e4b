import json
import shutil
import subprocess
from pathlib import Path

import pandas as pd
from voxslice.files import read_csv, write_csv, write_text
from voxslice.logs import to_log
from voxslice.report.page.render import derive, render, versions
from voxslice.report.study import Model, Study, stored_embedding
from voxslice.utterance_keys import KEY


def read_json(path: str) -> dict:
    """Read a JSON file with an object."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def commit() -> str:
    """Git commit of the workflow, or an empty text.

    It is not a parameter of the rule, because a new commit alone must not make reports again.
    """
    if shutil.which("git") is None:
        return ""
    asked = ["git", "-C", snakemake.scriptdir, "describe", "--always", "--dirty", "--exclude=*"]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)  # noqa: S603
    return done.stdout.strip()


with to_log(snakemake.log):
    given, params = snakemake.input, snakemake.params
    models = [
        Model(
            name,
            settings,
            read_json(card),
            read_json(summary),
            pd.read_parquet(scores),
            read_csv(slices),
            pd.read_parquet(members),
            read_csv(searches),
            read_csv(failures),
        )
        for (name, settings), card, summary, scores, slices, members, searches, failures in zip(
            params.models.items(),
            given.cards,
            given.summaries,
            given.scores,
            given.slices,
            given.members,
            given.searches,
            given.failures,
            strict=True,
        )
    ]
    study = Study(
        dataset=snakemake.wildcards.dataset,
        task=snakemake.wildcards.task,
        dataset_settings=params.dataset,
        task_settings=params.task,
        searches=params.searches,
        seed=params.seed,
        resamples=params.resamples,
        shortest=params.report["shortest_seconds"],
        gate=params.gate,
        command=params.command,
        commit=commit(),
        versions=versions(),
        metadata=pd.read_parquet(given.metadata),
        models=models,
        embedders={
            name: (settings, read_json(card))
            for (name, settings), card in zip(
                params.embedders.items(), given.embedders, strict=True
            )
        },
        metrics=read_csv(given.metrics),
        confusion=read_csv(given.confusion),
        comparison=read_csv(given.comparison),
        regressions=read_csv(given.regressions),
        gates=read_csv(given.gates),
        costs=pd.concat(map(read_csv, given.costs)) if given.costs else pd.DataFrame(),
        embedding=stored_embedding(params.mapped, given.embedding) if given.embedding else None,
        silence=pd.concat(
            [pd.DataFrame(columns=[*KEY, "reason"]), *map(read_csv, given.silence)]
        ).drop_duplicates(KEY),
        measure_tables={Path(path).stem: pd.read_parquet(path) for path in given.measures},
    )
    derived = derive(study)
    page = render(
        study,
        derived,
        audio=given.audio,
        library=Path(given.library).read_text(encoding="utf-8"),
        max_megabytes=params.report["max_megabytes"],
    )
    print(f"{len(page.encode()) / 1e6:.2f} MB")
    for name, table in derived.tables.items():
        write_csv(table, snakemake.output[name])
    write_text(page, snakemake.output.page)
