from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from voxslice.decisions.collect import Embedded, collect_next
from voxslice.files import read_csv, read_embeddings, write_csv
from voxslice.logs import to_log


def main(
    *,
    embedding: Sequence[str],
    metadata: str,
    modes: str,
    members: str,
    pools: Mapping[str, Sequence[str]],
    seed: int,
    folder: str,
) -> None:
    """List the utterances of unlabelled datasets that most likely belong to each failure mode."""
    summary, lists = collect_next(
        Embedded(*read_embeddings(list(embedding))),
        pd.read_parquet(metadata),
        read_csv(modes),
        pd.read_parquet(members),
        {dataset: Embedded(*read_embeddings(list(paths))) for dataset, paths in pools.items()},
        seed=seed,
    )
    for mode, table in lists.items():
        write_csv(table, Path(folder) / f"{mode}.csv")
    write_csv(summary, Path(folder) / "summary.csv")


if __name__ == "__main__":
    with to_log(snakemake.log):
        inputs = snakemake.input
        main(
            embedding=inputs.embedding,
            metadata=inputs.metadata,
            modes=inputs.modes,
            members=inputs.members,
            pools={name: list(inputs[f"pool_{name}"]) for name in snakemake.params.pools},
            seed=snakemake.params.seed,
            folder=snakemake.output[0],
        )
