from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from voxslice.decisions.abstention import abstention_table, threshold_table
from voxslice.decisions.cascade import cascade_table
from voxslice.files import read_csv, write_csv
from voxslice.logs import to_log
from voxslice.modes.in_study import count_in_study


def main(
    *,
    scores: Mapping[str, str],
    metadata: str,
    modes: str,
    members: str,
    searches: str,
    dataset: str,
    task: str,
    visible: Sequence[str],
    metric: str,
    units: Sequence[str],
    wanted: float,
    resamples: int,
    seed: int,
    table: str,
    thresholds: str,
    cascades: str,
) -> None:
    """Compute risk against coverage of each model, thresholds for a wanted risk, and cascades."""
    tables = {model: pd.read_parquet(path) for model, path in scores.items()}
    described = pd.read_parquet(metadata)
    counted = count_in_study(read_csv(modes), read_csv(searches), dataset, task)
    of_modes = counted, pd.read_parquet(members)
    drawn: dict[str, Any] = {"seed": seed, "units": units}
    found = abstention_table(
        tables, described, *of_modes, visible=visible, resamples=resamples, **drawn
    )
    write_csv(threshold_table(tables, described, wanted=wanted, **drawn), thresholds)
    write_csv(cascade_table(tables, described, *of_modes, metric=metric, **drawn), cascades)
    write_csv(found, table)


if __name__ == "__main__":
    with to_log(snakemake.log):
        sources = snakemake.params.sources
        main(
            scores=dict(zip(snakemake.params.models, snakemake.input.scores, strict=True)),
            metadata=snakemake.input.metadata,
            modes=snakemake.input.modes,
            members=snakemake.input.members,
            searches=snakemake.input.searches,
            dataset=snakemake.wildcards.dataset,
            task=snakemake.wildcards.task,
            visible=[name for name, source in sources.items() if source != "metadata"],
            metric=snakemake.params.metric,
            units=snakemake.params.units,
            wanted=snakemake.params.wanted,
            resamples=snakemake.params.resamples,
            seed=snakemake.params.seed,
            table=snakemake.output.table,
            thresholds=snakemake.output.thresholds,
            cascades=snakemake.output.cascades,
        )
