from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
from voxslice.data.silence import silence_remarks
from voxslice.files import read_csv, write_csv
from voxslice.inference.failures import gather_failures
from voxslice.inference.shards import remove_stale
from voxslice.logs import to_log


def main(
    model: str,
    *,
    predictions: Sequence[str],
    failures: Sequence[str],
    silence: Sequence[str],
    utterances: str,
    tolerated: float,
    gathered: str,
    gathered_silence: str,
) -> None:
    """Collect the failures of all shards of a model, and the silent utterances that were scored."""
    # the folder of predictions is a Parquet dataset, which may be read as a whole
    for shards in (predictions, failures, silence):
        for name in remove_stale(Path(shards[0]).parent, list(shards)):
            print(f"Removed {name}, which an earlier run left.")
    total = pq.read_metadata(utterances).num_rows
    silent = pd.concat(map(read_csv, silence), ignore_index=True)
    for remark in silence_remarks(silent, total):
        print(remark)
    write_csv(silent, gathered_silence)
    table = gather_failures(list(failures), total=total, tolerated=tolerated, model=model)
    write_csv(table, gathered)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            snakemake.wildcards.model,
            predictions=snakemake.input.predictions,
            failures=snakemake.input.failures,
            silence=snakemake.input.silence,
            utterances=snakemake.input.utterances,
            tolerated=snakemake.params.tolerated,
            gathered=snakemake.output.failures,
            gathered_silence=snakemake.output.silence,
        )
