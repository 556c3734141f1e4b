from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from voxslice.data.local_data import contents as contents_of
from voxslice.files import write_parquet
from voxslice.logs import to_log
from voxslice.recordings.channels import separate_channels


def main(
    *,
    audio: str,
    listed: str,
    channels: Mapping[str, str],
    threads: int,
    folder: str,
    recordings: str,
    contents: str,
) -> None:
    """Write each channel of the recordings of a dataset as a mono file."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    table = separate_channels(
        pd.read_parquet(listed), audio=audio, channels=channels, folder=folder, threads=threads
    )
    for row in table[table["note"] != ""].itertuples():
        print(f"{row.recording}: {row.note}.")
    files = sorted(set(table["file"]))
    found = contents_of(folder, files, threads=threads)
    content = pd.DataFrame({"file": files, "content": [found[file] for file in files]})
    write_parquet(content.astype(object), contents)
    write_parquet(table, recordings)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            audio=snakemake.input.audio,
            listed=snakemake.input.recordings,
            channels=snakemake.params.channels,
            threads=snakemake.threads,
            folder=snakemake.output.audio,
            recordings=snakemake.output.recordings,
            contents=snakemake.output.contents,
        )
