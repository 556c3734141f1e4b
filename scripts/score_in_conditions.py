import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from voxslice.conditions.scores import joined
from voxslice.files import write_parquet
from voxslice.inference.failures import gather_failures
from voxslice.logs import to_log
from voxslice.scores.model_outputs import score_model_outputs
from voxslice.utterance_keys import KEY


def main(
    *,
    predictions: Mapping[str, Sequence[str]],
    failures: Mapping[str, Sequence[str]],
    metadata: str,
    card: str,
    clean: str,
    settings: Mapping[str, Any],
    classes: Mapping[str, Any],
    tolerated: float,
    model: str,
    scores: str,
) -> None:
    """Compare the predictions of a model in all conditions with the labels of a task."""
    table = pd.read_parquet(metadata, columns=[*KEY, settings["target"]])
    description = json.loads(Path(card).read_text(encoding="utf-8"))
    scale = json.loads(Path(clean).read_text(encoding="utf-8"))["scale"]
    found: dict[str, pd.DataFrame] = {}
    for condition, parts in predictions.items():
        failed = gather_failures(
            failures[condition],
            total=len(table),
            tolerated=tolerated,
            model=f"{model} in the condition {condition}",
        )
        found[condition] = score_model_outputs(
            parts,
            table,
            card=description,
            settings=settings,
            classes=classes,
            scale=scale,
            model=model,
        ).scores
        print(f"{condition}: {len(found[condition])} utterances are scored, {len(failed)} failed.")
    write_parquet(joined(found), scores)


if __name__ == "__main__":
    with to_log(snakemake.log):
        inputs, conditions = snakemake.input, snakemake.params.conditions
        main(
            predictions={name: list(inputs[f"predictions_{name}"]) for name in conditions},
            failures={name: list(inputs[f"failures_{name}"]) for name in conditions},
            metadata=inputs.metadata,
            card=inputs.card,
            clean=inputs.clean,
            settings=snakemake.params.task,
            classes=snakemake.params.classes,
            tolerated=snakemake.params.tolerated,
            model=snakemake.wildcards.model,
            scores=snakemake.output[0],
        )
