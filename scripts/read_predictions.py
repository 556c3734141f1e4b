from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from voxslice.classes import Classes
from voxslice.files import write_csv, write_parquet
from voxslice.inference.given_predictions import read_predictions
from voxslice.inference.shards import remove_stale
from voxslice.logs import to_log


def main(
    *,
    table: str,
    utterances: str,
    tasks: Mapping[str, Mapping[str, Any] | None],
    filtered: bool,
    tolerated: float,
    model: str,
    predictions: str,
    failures: str,
) -> None:
    """Read a table of predictions and write them in the form of a model's predictions."""
    matched, missing = read_predictions(
        table,
        pd.read_parquet(utterances),
        {task: Classes(**classes) if classes else None for task, classes in tasks.items()},
        filtered=filtered,
        tolerated=tolerated,
        model=model,
    )
    write_parquet(matched, predictions)
    write_csv(missing, failures)
    # shards may be left from when the model was run
    remove_stale(Path(predictions).parent, [predictions])
    remove_stale(Path(failures).with_suffix(""), [])


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            table=snakemake.input.table,
            utterances=snakemake.input.utterances,
            tasks=snakemake.params.tasks,
            filtered=snakemake.params.filtered,
            tolerated=snakemake.params.tolerated,
            model=snakemake.wildcards.model,
            predictions=snakemake.output.predictions,
            failures=snakemake.output.failures,
        )
