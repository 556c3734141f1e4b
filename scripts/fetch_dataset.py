from typing import Any

from voxslice.data.audb_download import fetch_audb
from voxslice.logs import to_log


def main(audio: str, *, source: dict[str, Any], **settings: Any) -> None:
    """Download the selected files of a database."""
    fetch_audb(audio, **source, **settings)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            snakemake.output[0],
            source=snakemake.params.source,
            table=snakemake.params.table,
            filters=snakemake.params.filters,
            cache=snakemake.params.cache,
            num_workers=snakemake.threads,
        )
