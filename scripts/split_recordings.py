import pandas as pd
from voxslice.files import write_csv
from voxslice.inference.shards import shard_states, split
from voxslice.logs import to_log


def main(recordings: str, contents: str, *, hours: float, shards: str) -> None:
    """Split the recordings of a dataset into shards, with a fingerprint of each shard."""
    table = pd.read_parquet(recordings)
    parts = split(table["file"], table["duration"], hours=hours)
    print(f"{len(table)} recordings in {len(parts)} shards.")
    write_csv(parts.assign(state=shard_states(table, pd.read_parquet(contents), parts)), shards)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            snakemake.input.recordings,
            snakemake.input.contents,
            hours=snakemake.params.hours,
            shards=snakemake.output[0],
        )
