from collections.abc import Mapping, Sequence

import pandas as pd
from voxslice.conditions.scores import separated
from voxslice.conditions.tables import compare_conditions
from voxslice.files import read_csv, write_csv
from voxslice.logs import to_log
from voxslice.task import Task


def main(
    *,
    clean: Mapping[str, str],
    in_conditions: Mapping[str, str],
    conditions: Sequence[str],
    metadata: str,
    modes: str,
    members: str,
    columns: Sequence[str],
    task: Task,
    sources: Mapping[str, str],
    units: Sequence[str],
    alpha: float,
    resamples: int,
    seed: int,
    outcomes: str,
    slices: str,
    models: str,
    worst: str,
    broken: str,
) -> None:
    """Compute what conditions cost the models of a task, and whom."""
    tables = compare_conditions(
        {model: pd.read_parquet(path) for model, path in clean.items()},
        {
            model: separated(pd.read_parquet(path), conditions)
            for model, path in in_conditions.items()
        },
        pd.read_parquet(metadata),
        read_csv(modes).astype({"mode": str}),
        pd.read_parquet(members),
        columns=columns,
        task=task,
        sources=sources,
        alpha=alpha,
        resamples=resamples,
        seed=seed,
        units=units,
    )
    write_csv(tables.outcomes, outcomes)
    write_csv(tables.slices, slices)
    write_csv(tables.models, models)
    write_csv(tables.worst, worst)
    write_csv(tables.broken, broken)


if __name__ == "__main__":
    with to_log(snakemake.log):
        models = snakemake.params.models
        main(
            clean=dict(zip(models, snakemake.input.clean, strict=True)),
            in_conditions=dict(zip(models, snakemake.input.in_conditions, strict=True)),
            conditions=snakemake.params.conditions,
            metadata=snakemake.input.metadata,
            modes=snakemake.input.modes,
            members=snakemake.input.members,
            columns=snakemake.params.columns,
            task=Task(
                snakemake.params.task["type"],
                snakemake.params.task.get("unit", ""),
                snakemake.params.task.get("margin"),
                overall=snakemake.params.task.get("metric"),
            ),
            sources=snakemake.params.sources,
            units=snakemake.params.units,
            alpha=snakemake.params.alpha,
            resamples=snakemake.params.resamples,
            seed=snakemake.params.seed,
            outcomes=snakemake.output.outcomes,
            slices=snakemake.output.slices,
            models=snakemake.output.models,
            worst=snakemake.output.worst,
            broken=snakemake.output.broken,
        )
