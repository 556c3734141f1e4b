import pandas as pd
from voxslice.data.measures import measure_speech
from voxslice.files import write_parquet
from voxslice.logs import to_log


def main(
    *,
    utterances: str,
    audio: str,
    measure: str,
    threads: int,
    longest: float,
    output: str,
) -> None:
    """Measure one property of the audio of each utterance."""
    measured = measure_speech(
        pd.read_parquet(utterances),
        audio=audio,
        measure=measure,
        threads=threads,
        longest=longest,
    )
    write_parquet(measured, output)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            utterances=snakemake.input.utterances,
            audio=snakemake.input.audio,
            measure=snakemake.wildcards.measure,
            threads=snakemake.threads,
            longest=snakemake.params.longest,
            output=snakemake.output[0],
        )
