from collections.abc import Sequence

import pandas as pd
from voxslice.files import write_parquet
from voxslice.logs import to_log
from voxslice.scores.baselines import score_references
from voxslice.utterance_keys import KEY


def main(
    metadata: str, *, target: str, labels: Sequence[str] | None, seed: int, scores: str
) -> None:
    """Score the reference models of a task."""
    table = pd.read_parquet(metadata, columns=[*KEY, target])
    write_parquet(score_references(table[KEY], table[target], known=labels, seed=seed), scores)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            snakemake.input[0],
            target=snakemake.params.target,
            labels=snakemake.params.labels,
            seed=snakemake.params.seed,
            scores=snakemake.output[0],
        )
