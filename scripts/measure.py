from collections.abc import Mapping, Sequence

import pandas as pd
from voxslice.files import write_csv
from voxslice.logs import to_log
from voxslice.scores.metrics import measure_models


def main(
    *,
    scores: Mapping[str, str],
    references: str,
    metadata: str,
    labels: Sequence[str] | None,
    units: Sequence[str],
    metrics: str,
    confusion: str,
) -> None:
    """Measure all models of a task, and the reference models."""
    table, confusions = measure_models(
        {model: pd.read_parquet(path) for model, path in scores.items()},
        pd.read_parquet(references),
        pd.read_parquet(metadata),
        labels=labels,
        units=units,
    )
    write_csv(table, metrics)
    write_csv(confusions, confusion)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            scores=dict(zip(snakemake.params.models, snakemake.input.scores, strict=True)),
            references=snakemake.input.references,
            metadata=snakemake.input.metadata,
            labels=snakemake.params.labels,
            units=snakemake.params.units,
            metrics=snakemake.output.metrics,
            confusion=snakemake.output.confusion,
        )
