import json
from pathlib import Path

import pandas as pd
from voxslice.files import read_csv
from voxslice.inference.predict import predict
from voxslice.logs import to_log
from voxslice.models.install import require_rate

with to_log(snakemake.log):
    card = json.loads(Path(snakemake.input.card).read_text())
    require_rate(
        card["sampling_rate"],
        snakemake.params.model["sampling_rate"],
        snakemake.wildcards.model,
    )
    utterances = pd.read_parquet(snakemake.input.utterances)
    shard = read_csv(snakemake.input.shards).iloc[int(snakemake.wildcards.shard)]
    predict(
        utterances.iloc[int(shard["first"]) : int(shard["stop"])],
        audio=snakemake.input.audio,
        model=Path(snakemake.input.yaml).parent,
        **snakemake.params.model,
        threads=snakemake.threads,
        device=snakemake.params.device,
        longest=snakemake.params.longest,
        max_seconds=snakemake.params.max_seconds,
        predictions=snakemake.output.predictions,
        failures=snakemake.output.failures,
        silence=snakemake.output.silence,
    )
