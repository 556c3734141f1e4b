import pandas as pd
import pyarrow.parquet as pq
from voxslice.conditions.talkers import choose_talkers
from voxslice.files import write_parquet
from voxslice.logs import to_log
from voxslice.utterance_keys import KEY


def main(*, metadata: str, contents: str, seed: int, talkers: str) -> None:
    """Choose the utterances that babble and speech-shaped noise are made from."""
    read = [name for name in pq.read_schema(metadata).names if name in (*KEY, "speaker")]
    chosen = choose_talkers(
        pd.read_parquet(metadata, columns=read), pd.read_parquet(contents), seed
    )
    write_parquet(chosen, talkers)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            metadata=snakemake.input.metadata,
            contents=snakemake.input.contents,
            seed=snakemake.params.seed,
            talkers=snakemake.output[0],
        )
