from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from voxslice.decisions.collect import collect_next
from voxslice.decisions.collect_features import read_features
from voxslice.files import read_csv, write_csv
from voxslice.logs import to_log
from voxslice.modes.in_study import count_in_study


def main(
    *,
    embedding: Sequence[str],
    outputs: Mapping[str, Sequence[str]],
    metadata: str,
    modes: str,
    members: str,
    searches: str,
    dataset: str,
    task: str,
    pools: Mapping[str, tuple[Sequence[str], Mapping[str, Sequence[str]], str]],
    seed: int,
    folder: str,
) -> None:
    """List the utterances of unlabelled datasets that most likely belong to each failure mode."""
    described = pd.read_parquet(metadata)
    summary, lists = collect_next(
        read_features(embedding, outputs, described),
        described,
        count_in_study(read_csv(modes), read_csv(searches), dataset, task),
        pd.read_parquet(members),
        {
            pool: read_features(vectors, predicted, pd.read_parquet(of_pool))
            for pool, (vectors, predicted, of_pool) in pools.items()
        },
        seed=seed,
    )
    for mode, table in lists.items():
        write_csv(table, Path(folder) / f"{mode}.csv")
    write_csv(summary, Path(folder) / "summary.csv")


if __name__ == "__main__":
    with to_log(snakemake.log):
        inputs, models = snakemake.input, snakemake.params.models

        def outputs_of(suffix: str = "") -> dict[str, list[str]]:
            """Predictions of each model for a dataset."""
            return {
                model: list(inputs[f"outputs_{place}{suffix}"])
                for place, model in enumerate(models)
            }

        main(
            embedding=inputs.embedding,
            outputs=outputs_of(),
            metadata=inputs.metadata,
            modes=inputs.modes,
            members=inputs.members,
            searches=inputs.searches,
            dataset=snakemake.wildcards.dataset,
            task=snakemake.wildcards.task,
            pools={
                name: (
                    list(inputs[f"embedding_{name}"]),
                    outputs_of(f"_{name}"),
                    inputs[f"metadata_{name}"],
                )
                for name in snakemake.params.pools
            },
            seed=snakemake.params.seed,
            folder=snakemake.output[0],
        )
