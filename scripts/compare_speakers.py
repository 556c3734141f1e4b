from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd
from voxslice.comparison.by_speaker import pair_table, speaker_table
from voxslice.comparison.tables import compared_pairs
from voxslice.files import write_csv
from voxslice.logs import to_log
from voxslice.task import Task


def main(
    *,
    scores: Mapping[str, str],
    metadata: str,
    kind: Literal["classification", "regression"],
    metric: str,
    units: Sequence[str],
    margin: float | None,
    sources: Mapping[str, str],
    resamples: int,
    seed: int,
    speakers: str,
    pairs: str,
) -> None:
    """Compute the results of each speaker, and what each contributes to differences of models."""
    task = Task(kind, margin=margin, overall=metric)
    tables = {model: pd.read_parquet(path) for model, path in scores.items()}
    utterances = pd.read_parquet(metadata)
    write_csv(
        speaker_table(tables, utterances, task=task, resamples=resamples, seed=seed), speakers
    )
    write_csv(
        pair_table(
            tables,
            utterances,
            metrics=list(dict.fromkeys([task.overall_metric, task.metric])),
            margin=margin,
            resamples=resamples,
            seed=seed,
            pairs=compared_pairs(list(tables), sources),
            units=units,
        ),
        pairs,
    )


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            scores=dict(zip(snakemake.params.models, snakemake.input.scores, strict=True)),
            metadata=snakemake.input.metadata,
            kind=snakemake.params.kind,
            metric=snakemake.params.metric,
            units=snakemake.params.units,
            margin=snakemake.params.margin,
            sources=snakemake.params.sources,
            resamples=snakemake.params.resamples,
            seed=snakemake.params.seed,
            speakers=snakemake.output.speakers,
            pairs=snakemake.output.pairs,
        )
