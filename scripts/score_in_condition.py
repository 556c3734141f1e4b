import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from voxslice.files import write_parquet
from voxslice.inference.failures import gather_failures
from voxslice.logs import to_log
from voxslice.scores.model_outputs import score_model_outputs
from voxslice.utterance_keys import KEY


def main(
    *,
    predictions: Sequence[str],
    failures: Sequence[str],
    metadata: str,
    card: str,
    clean: str,
    settings: Mapping[str, Any],
    classes: Mapping[str, Any],
    tolerated: float,
    model: str,
    condition: str,
    scores: str,
) -> None:
    """Compare the predictions of a model in a condition with the labels of a task."""
    table = pd.read_parquet(metadata, columns=[*KEY, settings["target"]])
    name = f"{model} in the condition {condition}"
    failed = gather_failures(failures, total=len(table), tolerated=tolerated, model=name)
    scoring = score_model_outputs(
        predictions,
        table,
        card=json.loads(Path(card).read_text(encoding="utf-8")),
        settings=settings,
        classes=classes,
        scale=json.loads(Path(clean).read_text(encoding="utf-8"))["scale"],
        model=model,
    )
    print(f"{len(scoring.scores)} utterances are scored, {len(failed)} could not be scored.")
    write_parquet(scoring.scores, scores)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            predictions=snakemake.input.predictions,
            failures=snakemake.input.failures,
            metadata=snakemake.input.metadata,
            card=snakemake.input.card,
            clean=snakemake.input.clean,
            settings=snakemake.params.task,
            classes=snakemake.params.classes,
            tolerated=snakemake.params.tolerated,
            model=snakemake.wildcards.model,
            condition=snakemake.wildcards.condition,
            scores=snakemake.output[0],
        )
