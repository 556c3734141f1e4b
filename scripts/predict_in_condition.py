import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from voxslice.conditions.perturbations import Perturbation
from voxslice.inference.predict import predict
from voxslice.inference.shards import rows_of_shard
from voxslice.logs import to_log
from voxslice.models.install import require_rate
from voxslice.models.outputs import require_outputs


def main(
    *,
    model: str,
    card: str,
    condition: str,
    settings: Mapping[str, Any],
    seed: int,
    audio: str,
    talkers: str | None,
    recordings: str | None,
    utterances: str,
    shards: str,
    shard: int,
    outputs: Sequence[str],
    sampling_rate: int,
    **inference: Any,
) -> None:
    """Run a model on one shard in a condition."""
    description = json.loads(Path(card).read_text(encoding="utf-8"))
    require_rate(description["sampling_rate"], sampling_rate, model)
    require_outputs(description, model, outputs=outputs, labels=[])
    predict(
        rows_of_shard(utterances, shards, shard),
        model=Path(card).parent,
        outputs=outputs,
        embedding_output=None,
        sampling_rate=sampling_rate,
        audio=audio,
        change=Perturbation(
            settings,
            condition=condition,
            seed=seed,
            audio=audio,
            talkers=None if talkers is None else pd.read_parquet(talkers),
            recordings=recordings,
        ),
        **inference,
    )


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            model=snakemake.wildcards.model,
            card=snakemake.input.card,
            condition=snakemake.wildcards.condition,
            settings=snakemake.params.condition,
            seed=snakemake.params.seed,
            audio=snakemake.input.audio,
            talkers=snakemake.input.get("talkers"),
            recordings=snakemake.input.get("recordings"),
            utterances=snakemake.input.utterances,
            shards=snakemake.input.shards,
            shard=int(snakemake.wildcards.shard),
            outputs=snakemake.params.outputs,
            sampling_rate=snakemake.params.sampling_rate,
            threads=snakemake.threads,
            device=snakemake.params.device,
            longest=snakemake.params.longest,
            max_seconds=snakemake.params.max_seconds,
            predictions=snakemake.output.predictions,
            failures=snakemake.output.failures,
            silence=snakemake.output.silence,
        )
