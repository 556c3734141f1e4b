from voxslice.data.measures import measure_speech
from voxslice.files import write_parquet
from voxslice.inference.shards import rows_of_shard
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
    """Measure the sound of the utterances of one shard."""
    measured = measure_speech(
        rows_of_shard(utterances, shards, shard),
        audio=audio,
        threads=threads,
        longest=longest,
    )
    write_parquet(measured, output)


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
