from voxslice.files import write_parquet
from voxslice.inference.shards import rows_of_shard
from voxslice.logs import to_log
from voxslice.recordings.speech import detect_speech


def main(
    *, recordings: str, shards: str, shard: int, audio: str, threads: int, output: str
) -> None:
    """Compute the probability of speech of each frame of the recordings of one shard."""
    chosen = rows_of_shard(recordings, shards, shard)
    write_parquet(detect_speech(chosen, audio, threads=threads), output)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            recordings=snakemake.input.recordings,
            shards=snakemake.input.shards,
            shard=int(snakemake.wildcards.shard),
            audio=snakemake.input.audio,
            threads=snakemake.threads,
            output=snakemake.output[0],
        )
