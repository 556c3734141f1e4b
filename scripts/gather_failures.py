from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq
from voxslice.files import write_csv
from voxslice.inference.failures import gather_failures
from voxslice.inference.shards import remove_stale
from voxslice.logs import to_log


def main(
    model: str,
    *,
    predictions: Sequence[str],
    failures: Sequence[str],
    utterances: str,
    tolerated: float,
    gathered: str,
) -> None:
    """Collect the failures of all shards of a model."""
    # the folder of predictions is a Parquet dataset, which may be read as a whole
    for shards in (predictions, failures):
        for name in remove_stale(Path(shards[0]).parent, list(shards)):
            print(f"Removed {name}, which an earlier run left.")
    total = pq.read_metadata(utterances).num_rows
    table = gather_failures(list(failures), total=total, tolerated=tolerated, model=model)
    write_csv(table, gathered)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            snakemake.wildcards.model,
            predictions=snakemake.input.predictions,
            failures=snakemake.input.failures,
            utterances=snakemake.input.utterances,
            tolerated=snakemake.params.tolerated,
            gathered=snakemake.output[0],
        )
