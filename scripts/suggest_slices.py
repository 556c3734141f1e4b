from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pandas as pd
from voxslice.files import write_csv, write_parquet
from voxslice.logs import to_log
from voxslice.slices.suggest import suggest_for_models
from voxslice.task import Task


def main(
    *,
    scores: Mapping[str, str],
    metadata: str,
    searches: Mapping[str, Mapping[str, Any]],
    embeddings: Mapping[str, Sequence[str]],
    kind: Literal["classification", "regression"],
    min_drop: float | None,
    units: Sequence[str],
    alpha: float,
    seed: int,
    table: str,
    members: str,
    halves: str,
) -> None:
    """Let sliceguard suggest slices for all models of a task, and test them."""
    suggestions = suggest_for_models(
        scores,
        pd.read_parquet(metadata),
        searches,
        embeddings,
        task=Task(kind, min_drop=min_drop),
        units=units,
        alpha=alpha,
        seed=seed,
    )
    write_csv(suggestions.slices, table)
    write_parquet(suggestions.members, members)
    write_csv(suggestions.halves, halves)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            scores=dict(zip(snakemake.params.models, snakemake.input.scores, strict=True)),
            metadata=snakemake.input.metadata,
            searches=snakemake.params.searches,
            embeddings={
                name: snakemake.input.get(f"embedding_{name}", [])
                for name in snakemake.params.searches
            },
            kind=snakemake.params.kind,
            min_drop=snakemake.params.min_drop,
            units=snakemake.params.units,
            alpha=snakemake.params.alpha,
            seed=snakemake.params.seed,
            table=snakemake.output.table,
            members=snakemake.output.members,
            halves=snakemake.output.halves,
        )
