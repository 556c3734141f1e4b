from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from voxslice.files import read_csv, write_csv
from voxslice.logs import to_log
from voxslice.slices.found_units import find_units
from voxslice.utterance_keys import KEY


def main(
    *,
    scores: Mapping[str, str],
    metadata: str,
    unit_columns: str,
    audit: str,
    columns: Mapping[str, Mapping[str, Any]],
    units: Sequence[str],
    features: Sequence[str],
    target: str,
    alpha: float,
    seed: int,
    output: str,
) -> None:
    """Find the units whose utterances have losses that are alike."""
    table = find_units(
        {model: pd.read_parquet(path, columns=[*KEY, "loss"]) for model, path in scores.items()},
        pd.read_parquet(metadata),
        unit_columns=pd.read_parquet(unit_columns),
        findings=read_csv(audit),
        columns=columns,
        units=units,
        features=features,
        target=target,
        alpha=alpha,
        seed=seed,
    )
    write_csv(table, output)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            scores=dict(zip(snakemake.params.models, snakemake.input.scores, strict=True)),
            metadata=snakemake.input.metadata,
            unit_columns=snakemake.input.unit_columns,
            audit=snakemake.input.audit,
            columns=snakemake.params.columns,
            units=snakemake.params.units,
            features=snakemake.params.features,
            target=snakemake.params.target,
            alpha=snakemake.params.alpha,
            seed=snakemake.params.seed,
            output=snakemake.output[0],
        )
