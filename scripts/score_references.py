import pandas as pd
from voxslice.files import write_parquet
from voxslice.logs import to_log
from voxslice.scores.baselines import score_references
from voxslice.utterance_keys import KEY

with to_log(snakemake.log):
    params = snakemake.params
    metadata = pd.read_parquet(snakemake.input[0], columns=[*KEY, params.target])
    scores = score_references(
        metadata[KEY], metadata[params.target], known=params.labels, seed=params.seed
    )
    write_parquet(scores, snakemake.output[0])
