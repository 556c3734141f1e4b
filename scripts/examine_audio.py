import pandas as pd
from voxslice.audit.examine import examine
from voxslice.files import read_csv, write_parquet
from voxslice.logs import to_log


def main(
    *,
    utterances: str,
    shards: str,
    shard: int,
    audio: str,
    threads: int,
    longest: float,
    output: str,
) -> None:
    """Examine the audio of the utterances of one shard for the audit."""
    limits = read_csv(shards).iloc[shard]
    examined = examine(
        pd.read_parquet(utterances).iloc[int(limits["first"]) : int(limits["stop"])],
        audio=audio,
        threads=threads,
        longest=longest,
    )
    write_parquet(examined, output)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            utterances=snakemake.input.utterances,
            shards=snakemake.input.shards,
            shard=int(snakemake.wildcards.shard),
            audio=snakemake.input.audio,
            threads=snakemake.threads,
            longest=snakemake.params.longest,
            output=snakemake.output[0],
        )
