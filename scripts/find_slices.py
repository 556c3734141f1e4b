from collections.abc import Mapping, Sequence
from typing import Any, Literal

import pandas as pd
from voxslice.files import read_csv, write_csv, write_parquet
from voxslice.logs import to_log
from voxslice.slices.table import tabulate_slices
from voxslice.speakers import speakers_of
from voxslice.task import Task
from voxslice.utterance_keys import KEY


def main(
    model: str,
    *,
    scores: str,
    metadata: str,
    suggestions: str,
    suggested: str,
    searches: Mapping[str, Mapping[str, Any]],
    kind: Literal["classification", "regression"],
    columns: Sequence[str],
    units: Sequence[str],
    alpha: float,
    seed: int,
    slices: str,
    members: str,
    summaries: str,
) -> None:
    """Search the metadata for slices of a model, and measure and describe all of its slices."""
    scored, everyone = pd.read_parquet(scores), pd.read_parquet(metadata)
    of_models, rows_of_models = read_csv(suggestions), pd.read_parquet(suggested)
    tables = tabulate_slices(
        scored,
        scored[KEY].merge(everyone, on=KEY, how="left"),
        speakers_of(scored, everyone),
        of_models[of_models["model"] == model],
        rows_of_models[rows_of_models["model"] == model],
        searches,
        task=Task(kind),
        columns=columns,
        units=units,
        alpha=alpha,
        seed=seed,
    )
    write_csv(tables.slices, slices)
    write_parquet(tables.members, members)
    write_csv(tables.searches, summaries)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            snakemake.wildcards.model,
            scores=snakemake.input.scores,
            metadata=snakemake.input.metadata,
            suggestions=snakemake.input.suggestions,
            suggested=snakemake.input.suggested,
            searches=snakemake.params.searches,
            kind=snakemake.params.kind,
            columns=snakemake.params.columns,
            units=snakemake.params.units,
            alpha=snakemake.params.alpha,
            seed=snakemake.params.seed,
            slices=snakemake.output.slices,
            members=snakemake.output.members,
            summaries=snakemake.output.searches,
        )
