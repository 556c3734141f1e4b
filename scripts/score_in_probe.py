import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from voxslice.conditions.perturbations import Perturbation
from voxslice.conditions.probe_scores import (
    in_both,
    probed_utterances,
    processing_alone,
    score_changed,
)
from voxslice.files import read_csv, write_parquet
from voxslice.logs import to_log
from voxslice.models.install import require_rate
from voxslice.models.outputs import require_outputs
from voxslice.scores.model_outputs import score_model_outputs
from voxslice.utterance_keys import KEY


def main(
    *,
    metadata: str,
    clean: str,
    summary: str,
    modes: str,
    members: str,
    card: str,
    model: str,
    probe: str,
    settings: Mapping[str, Any],
    task: Mapping[str, Any],
    classes: Mapping[str, Any],
    tolerated: float,
    sampling_rate: int,
    seed: int,
    audio: str,
    changed_scores: str,
    alone_scores: str,
    **inference: Any,
) -> None:
    """Score a model on its failure modes after one property of their audio was changed."""
    description = json.loads(Path(card).read_text(encoding="utf-8"))
    require_rate(description["sampling_rate"], sampling_rate, model)
    require_outputs(description, model, outputs=[task["output"]], labels=[])
    known = pq.read_schema(metadata).names
    read = [name for name in known if name in (*KEY, task["target"], "speaker")]
    table = pd.read_parquet(metadata, columns=read)
    utterances = probed_utterances(table, read_csv(modes), pd.read_parquet(members), model, seed)
    unchanged = in_both(pd.read_parquet(clean), utterances)[0]
    if unchanged.empty:
        print("No failure mode of the model is confirmed, so nothing is probed.")
        write_parquet(unchanged, changed_scores)
        write_parquet(unchanged, alone_scores)
        return

    def score(paths: Sequence[str]) -> pd.DataFrame:
        return score_model_outputs(
            paths,
            table,
            card=description,
            settings=task,
            classes=classes,
            scale=json.loads(Path(summary).read_text(encoding="utf-8"))["scale"],
            model=model,
        ).scores

    def scores_with(change: Mapping[str, Any]) -> pd.DataFrame:
        return score_changed(
            unchanged[KEY],
            score=score,
            tolerated=tolerated,
            name=f"{model} with the probe {probe}",
            model=Path(card).parent,
            outputs=[task["output"]],
            sampling_rate=sampling_rate,
            audio=audio,
            change=Perturbation(change, condition=probe, seed=seed, audio=audio),
            **inference,
        )

    alone = processing_alone(settings)
    both = in_both(scores_with(settings), unchanged if alone is None else scores_with(alone))
    for scores, path in zip(both, (changed_scores, alone_scores), strict=True):
        write_parquet(scores, path)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            metadata=snakemake.input.metadata,
            clean=snakemake.input.clean,
            summary=snakemake.input.summary,
            modes=snakemake.input.modes,
            members=snakemake.input.members,
            card=snakemake.input.card,
            model=snakemake.wildcards.model,
            probe=snakemake.wildcards.probe,
            settings=snakemake.params.probe,
            task=snakemake.params.task,
            classes=snakemake.params.classes,
            tolerated=snakemake.params.tolerated,
            sampling_rate=snakemake.params.sampling_rate,
            seed=snakemake.params.seed,
            audio=snakemake.input.audio,
            threads=snakemake.threads,
            device=snakemake.params.device,
            longest=snakemake.params.longest,
            max_seconds=snakemake.params.max_seconds,
            changed_scores=snakemake.output.changed,
            alone_scores=snakemake.output.alone,
        )
