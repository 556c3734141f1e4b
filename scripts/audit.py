from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from voxslice.audit.audit import audit
from voxslice.audit.constraints import count_unnamed
from voxslice.files import write_csv
from voxslice.logs import to_log


def main(
    *,
    metadata: str,
    examined: Sequence[str],
    speaker_columns: Sequence[str],
    split_column: str,
    shortest_seconds: float,
    file_names: Mapping[str, Mapping[str, Any]],
    output: str,
) -> None:
    """Audit a dataset by rules, and write one row per finding."""
    utterances = pd.read_parquet(metadata)
    findings = audit(
        utterances,
        pd.concat(map(pd.read_parquet, examined), ignore_index=True),
        speaker_columns=speaker_columns,
        split_column=split_column,
        shortest=shortest_seconds,
        file_names=file_names,
    )
    for issue, rows in findings.groupby("issue", sort=False):
        print(f"{issue}: {len(rows):,}")
    for column, settings in file_names.items():
        if count := count_unnamed(utterances, settings["pattern"]):
            print(f"{count:,} file names do not fit the pattern of the column {column}")
    write_csv(findings, output)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            metadata=snakemake.input.metadata,
            examined=snakemake.input.examined,
            **snakemake.params.settings,
            output=snakemake.output[0],
        )
