from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from voxslice.conditions.listening import write_condition_audio
from voxslice.conditions.perturbations import Perturbation
from voxslice.files import write_csv
from voxslice.logs import to_log


def main(
    *,
    utterances: str,
    condition: str,
    settings: Mapping[str, Any],
    seed: int,
    audio: str,
    talkers: str | None,
    recordings: str | None,
    longest: float,
    threads: int,
    folder: str,
) -> None:
    """Write the audio of a dataset in a condition, and a table of the files."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    change = Perturbation(
        settings,
        condition=condition,
        seed=seed,
        audio=audio,
        talkers=None if talkers is None else pd.read_parquet(talkers),
        recordings=recordings,
    )
    table = write_condition_audio(
        pd.read_parquet(utterances),
        audio=audio,
        change=change,
        folder=folder,
        threads=threads,
        longest=longest,
    )
    write_csv(table, Path(folder, "utterances.csv"))


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            utterances=snakemake.input.utterances,
            condition=snakemake.wildcards.condition,
            settings=snakemake.params.condition,
            seed=snakemake.params.seed,
            audio=snakemake.input.audio,
            talkers=snakemake.input.get("talkers"),
            recordings=snakemake.input.get("recordings"),
            longest=snakemake.params.longest,
            threads=snakemake.threads,
            folder=snakemake.output[0],
        )
