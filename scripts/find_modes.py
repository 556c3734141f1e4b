from collections.abc import Mapping, Sequence

import pandas as pd
from voxslice.audit.finding import flagged
from voxslice.files import read_csv, write_csv, write_parquet
from voxslice.logs import to_log
from voxslice.measure_units import PREDICTION, UNITS, VOICE
from voxslice.modes.table import find_modes
from voxslice.task import Task


def main(
    *,
    scores: Mapping[str, str],
    slices: Mapping[str, str],
    members: Mapping[str, str],
    metadata: str,
    audit: str,
    task: Task,
    seed: int,
    sources: Mapping[str, str],
    people: Sequence[str],
    channel: Sequence[str],
    modes: str,
    members_of_modes: str,
    slices_of_modes: str,
    differences: str,
    channels: str,
) -> None:
    """Find the failure modes of a task, and measure them for each model."""
    tables = find_modes(
        {model: pd.read_parquet(path) for model, path in scores.items()},
        {model: read_csv(path) for model, path in slices.items()},
        {model: pd.read_parquet(path) for model, path in members.items()},
        pd.read_parquet(metadata),
        flagged(read_csv(audit)),
        task=task,
        seed=seed,
        indirect=[name for name, source in sources.items() if source in (*VOICE, PREDICTION)],
        people=people,
        channel=channel,
        units={name: UNITS[source] for name, source in sources.items() if source in UNITS},
    )
    write_csv(tables.modes, modes)
    write_parquet(tables.members, members_of_modes)
    write_parquet(tables.slices, slices_of_modes)
    write_csv(tables.differences, differences)
    write_csv(tables.channels, channels)


if __name__ == "__main__":
    with to_log(snakemake.log):
        names = snakemake.params.models
        main(
            scores=dict(zip(names, snakemake.input.scores, strict=True)),
            slices=dict(zip(names, snakemake.input.slices, strict=True)),
            members=dict(zip(names, snakemake.input.members, strict=True)),
            metadata=snakemake.input.metadata,
            audit=snakemake.input.audit,
            task=Task(snakemake.params.task["type"], snakemake.params.task.get("unit", "")),
            seed=snakemake.params.seed,
            sources=snakemake.params.sources,
            people=snakemake.params.people,
            channel=snakemake.params.channel,
            modes=snakemake.output.modes,
            members_of_modes=snakemake.output.members,
            slices_of_modes=snakemake.output.slices,
            differences=snakemake.output.differences,
            channels=snakemake.output.channels,
        )
