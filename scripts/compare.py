from collections.abc import Mapping, Sequence
from typing import Literal

import pandas as pd
from voxslice.comparison.tables import compare_models
from voxslice.files import read_csv, write_csv
from voxslice.logs import to_log
from voxslice.task import Task


def main(
    *,
    scores: Mapping[str, str],
    references: str,
    slices: Sequence[str],
    members: Sequence[str],
    metadata: str,
    columns: Sequence[str],
    units: Sequence[str],
    kind: Literal["classification", "regression"],
    margin: float | None,
    metric: str,
    sources: Mapping[str, str],
    gate: float,
    resamples: int,
    seed: int,
    comparison: str,
    regressions: str,
    gates: str,
) -> None:
    """Compare the models of a task overall, on each category and on each slice."""
    tables = compare_models(
        {model: pd.read_parquet(path) for model, path in scores.items()},
        pd.read_parquet(references),
        [read_csv(path) for path in slices],
        [pd.read_parquet(path) for path in members],
        pd.read_parquet(metadata),
        columns=columns,
        task=Task(kind, margin=margin, overall=metric),
        sources=sources,
        gate=gate,
        resamples=resamples,
        seed=seed,
        units=units,
    )
    write_csv(tables.comparison, comparison)
    write_csv(tables.regressions, regressions)
    write_csv(tables.gates, gates)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            scores=dict(zip(snakemake.params.models, snakemake.input.scores, strict=True)),
            references=snakemake.input.references,
            slices=snakemake.input.slices,
            members=snakemake.input.members,
            metadata=snakemake.input.metadata,
            columns=snakemake.params.columns,
            units=snakemake.params.units,
            kind=snakemake.params.kind,
            margin=snakemake.params.margin,
            metric=snakemake.params.metric,
            sources=snakemake.params.sources,
            gate=snakemake.params.gate,
            resamples=snakemake.params.resamples,
            seed=snakemake.params.seed,
            comparison=snakemake.output.comparison,
            regressions=snakemake.output.regressions,
            gates=snakemake.output.gates,
        )
