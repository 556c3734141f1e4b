from collections.abc import Mapping, Sequence

import pandas as pd
from voxslice.conditions.scores import separated
from voxslice.decisions.abstention import abstention_in_conditions
from voxslice.files import write_csv
from voxslice.logs import to_log


def main(
    *,
    clean: Mapping[str, str],
    in_conditions: Mapping[str, str],
    conditions: Sequence[str],
    metadata: str,
    units: Sequence[str],
    resamples: int,
    seed: int,
    table: str,
) -> None:
    """Compute what the thresholds of the original audio do in conditions."""
    found = abstention_in_conditions(
        {model: pd.read_parquet(path) for model, path in clean.items()},
        {
            model: separated(pd.read_parquet(path), conditions)
            for model, path in in_conditions.items()
        },
        pd.read_parquet(metadata),
        resamples=resamples,
        seed=seed,
        units=units,
    )
    write_csv(found, table)


if __name__ == "__main__":
    with to_log(snakemake.log):
        inputs, params = snakemake.input, snakemake.params
        main(
            clean=dict(zip(params.models, inputs.clean, strict=True)),
            in_conditions=dict(zip(params.models, inputs.in_conditions, strict=True)),
            conditions=params.conditions,
            metadata=inputs.metadata,
            units=params.units,
            resamples=params.resamples,
            seed=params.seed,
            table=snakemake.output[0],
        )
