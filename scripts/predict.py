import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from voxslice.inference.predict import predict
from voxslice.inference.shards import rows_of_shard
from voxslice.logs import to_log
from voxslice.models.install import require_rate
from voxslice.models.outputs import require_outputs


def main(
    *,
    model: str,
    card: str,
    utterances: str,
    shards: str,
    shard: int,
    outputs: Sequence[str] | None,
    labels: Sequence[str],
    embedding_output: str | None,
    sampling_rate: int,
    **settings: Any,
) -> None:
    """Check that a model has the outputs that the study reads, and run it on one shard."""
    description = json.loads(Path(card).read_text(encoding="utf-8"))
    require_rate(description["sampling_rate"], sampling_rate, model)
    if outputs is None:
        outputs = [name for name in description["outputs"] if name != embedding_output]
        embedding_output = embedding_output if embedding_output in description["outputs"] else None
    embeddings = [] if embedding_output is None else [embedding_output]
    require_outputs(description, model, outputs=[*outputs, *embeddings], labels=labels)
    predict(
        rows_of_shard(utterances, shards, shard),
        model=Path(card).parent,
        outputs=outputs,
        embedding_output=embedding_output,
        sampling_rate=sampling_rate,
        **settings,
    )


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            model=snakemake.wildcards.model,
            card=snakemake.input.card,
            utterances=snakemake.input.utterances,
            shards=snakemake.input.shards,
            shard=int(snakemake.wildcards.shard),
            **snakemake.params.outputs,
            sampling_rate=snakemake.params.sampling_rate,
            audio=snakemake.input.audio,
            threads=snakemake.threads,
            device=snakemake.params.device,
            longest=snakemake.params.longest,
            max_seconds=snakemake.params.max_seconds,
            predictions=snakemake.output.predictions,
            failures=snakemake.output.failures,
            silence=snakemake.output.silence,
        )
