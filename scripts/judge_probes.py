from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from voxslice.conditions.probes import judge_models
from voxslice.files import read_csv, write_csv
from voxslice.logs import to_log
from voxslice.task import Task


def main(
    *,
    clean: Mapping[str, str],
    changed: Mapping[str, Mapping[str, str]],
    alone: Mapping[str, Mapping[str, str]],
    modes: str,
    members: str,
    metadata: str,
    probes: Mapping[str, Mapping[str, Any]],
    task: Task,
    units: Sequence[str],
    seed: int,
    table: str,
) -> None:
    """Judge whether changing one property of the audio of failure modes repairs their errors."""

    def read(paths: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, pd.DataFrame]]:
        return {
            model: {probe: pd.read_parquet(path) for probe, path in of_model.items()}
            for model, of_model in paths.items()
        }

    judged = judge_models(
        {model: pd.read_parquet(path) for model, path in clean.items()},
        read(changed),
        read(alone),
        read_csv(modes).astype({"mode": str}),
        pd.read_parquet(members).astype({"mode": str}),
        pd.read_parquet(metadata),
        probes,
        task=task,
        units=units,
        seed=seed,
    )
    print(*judged["sentence"], sep="\n")
    write_csv(judged, table)


if __name__ == "__main__":
    with to_log(snakemake.log):
        models, probes = snakemake.params.models, snakemake.params.probes
        changed, alone = iter(snakemake.input.changed), iter(snakemake.input.alone)
        main(
            clean=dict(zip(models, snakemake.input.clean, strict=True)),
            changed={model: {name: next(changed) for name in probes} for model in models},
            alone={model: {name: next(alone) for name in probes} for model in models},
            modes=snakemake.input.modes,
            members=snakemake.input.members,
            metadata=snakemake.input.metadata,
            probes=probes,
            task=Task(snakemake.params.task["type"], snakemake.params.task.get("unit", "")),
            units=snakemake.params.units,
            seed=snakemake.params.seed,
            table=snakemake.output[0],
        )
