from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd
from voxslice.comparison.recordings import compare_recordings
from voxslice.files import write_csv, write_parquet
from voxslice.logs import to_log
from voxslice.task import Task


def main(
    *,
    scores: Mapping[str, str],
    metadata: str,
    kind: Literal["classification", "regression"],
    labels: Sequence[str] | None,
    margin: float | None,
    metric: str,
    sources: Mapping[str, str],
    units: Sequence[str],
    resamples: int,
    seed: int,
    pooled: str,
    metrics: str,
    comparison: str,
) -> None:
    """Pool the predictions for the segments of each recording, and compare the models."""
    found = compare_recordings(
        {model: pd.read_parquet(path) for model, path in scores.items()},
        pd.read_parquet(metadata),
        labels=labels,
        task=Task(kind, margin=margin, overall=metric),
        sources=sources,
        units=units,
        resamples=resamples,
        seed=seed,
    )
    write_parquet(found.pooled, pooled)
    write_csv(found.metrics, metrics)
    write_csv(found.comparison, comparison)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            scores=dict(zip(snakemake.params.models, snakemake.input.scores, strict=True)),
            metadata=snakemake.input.metadata,
            kind=snakemake.params.kind,
            labels=snakemake.params.labels,
            margin=snakemake.params.margin,
            metric=snakemake.params.metric,
            sources=snakemake.params.sources,
            units=snakemake.params.units,
            resamples=snakemake.params.resamples,
            seed=snakemake.params.seed,
            pooled=snakemake.output.pooled,
            metrics=snakemake.output.metrics,
            comparison=snakemake.output.comparison,
        )
