from pathlib import Path

import numpy as np
import pandas as pd
from voxslice.inference import predict
from voxslice.logs import to_log

with to_log(snakemake.log):
    utterances = pd.read_parquet(snakemake.input.utterances)
    parts = np.array_split(np.arange(len(utterances)), snakemake.params.shards)
    predict(
        utterances.iloc[parts[int(snakemake.wildcards.shard)]],
        audio=snakemake.input.audio,
        model=Path(snakemake.input.yaml).parent,
        embedding=snakemake.params.embedding,
        sampling_rate=snakemake.params.sampling_rate,
        threads=snakemake.threads,
        device=snakemake.params.device,
        predictions=snakemake.output.predictions,
        failures=snakemake.output.failures,
    )
