from typing import Any

from voxslice.data.listing import list_utterances
from voxslice.data.local_data import write_seen
from voxslice.files import write_parquet
from voxslice.logs import to_log


def main(
    audio: str,
    *,
    csv: dict[str, str] | None,
    table: str | None,
    filters: dict[str, dict[str, Any]],
    links: str,
    state: str | None,
    seen: str,
    threads: int,
    utterances: str,
    contents: str,
) -> None:
    """List the utterances of a dataset and the content of their files."""
    listed, found, record = list_utterances(
        audio, csv=csv, table=table, filters=filters, links=links, state=state, threads=threads
    )
    if record:
        write_seen(record, seen)
    write_parquet(found, contents)
    write_parquet(listed, utterances)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            snakemake.input.audio,
            csv=snakemake.params.csv,
            table=snakemake.params.table,
            filters=snakemake.params.filters,
            links=snakemake.params.links,
            state=snakemake.params.state,
            seen=snakemake.params.seen,
            threads=snakemake.threads,
            utterances=snakemake.output.utterances,
            contents=snakemake.output.contents,
        )
