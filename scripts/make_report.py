import json
from pathlib import Path

import pandas as pd
from voxslice.files import write_text
from voxslice.logs import to_log
from voxslice.report.page import render, versions
from voxslice.report.study import Model, Study


def read_card(path: str) -> dict:
    return json.loads(Path(path).read_text(encoding="utf-8"))


with to_log(snakemake.log):
    given, params = snakemake.input, snakemake.params
    models = [
        Model(
            name,
            settings,
            read_card(card),
            pd.read_parquet(scores),
            pd.read_csv(slices, dtype={"slice": str}),
            pd.read_parquet(members),
            pd.read_csv(searches),
            pd.read_csv(failures, dtype={"file": str, "reason": str}),
        )
        for (name, settings), card, scores, slices, members, searches, failures in zip(
            params.models.items(),
            given.cards,
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
        views=params.views,
        seed=params.seed,
        resamples=params.resamples,
        command=params.command,
        versions=versions(),
        files=pd.read_parquet(given.files),
        models=models,
        embedders={
            name: (settings, read_card(card))
            for (name, settings), card in zip(
                params.embedders.items(), given.embedders, strict=True
            )
        },
        metrics=pd.read_csv(given.metrics),
        confusion=pd.read_csv(
            given.confusion,
            dtype={"model": str, "label": str, "prediction": str, "count": int},
            keep_default_na=False,  # a label may be called "None"
        ),
        comparison=pd.read_csv(given.comparison, dtype={"slice": str}),
    )
    page = render(
        study,
        audio=given.audio,
        template=Path(given.template).read_text(encoding="utf-8"),
        style=Path(given.style).read_text(encoding="utf-8"),
        script=Path(given.behaviour).read_text(encoding="utf-8"),
        max_megabytes=params.max_megabytes,
    )
    print(f"{len(page.encode()) / 1e6:.2f} MB")
    write_text(page, snakemake.output[0])
