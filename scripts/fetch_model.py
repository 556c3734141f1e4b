from pathlib import Path
from typing import Any

from voxslice.data.local_data import of_files, write_seen
from voxslice.logs import to_log
from voxslice.models.fetching import fetch_model


def main(
    files: list[str],
    *,
    source: dict[str, Any],
    state: str | None,
    seen: str,
    card: str,
    **settings: Any,
) -> None:
    """Fetch and install a model, and record the content of local files."""
    found = of_files(files).look(state, threads=1) if state else None
    fetch_model(source, Path(card).parent, **settings)
    if found:
        write_seen(found, seen)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            list(snakemake.input),
            source=snakemake.params.source,
            download=snakemake.params.download,
            record=snakemake.params.record,
            max_megabytes=snakemake.params.max_megabytes,
            max_minutes=snakemake.params.max_minutes,
            max_seconds=snakemake.params.max_seconds,
            state=snakemake.params.state,
            seen=snakemake.params.seen,
            card=snakemake.output.card,
        )
