import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
from voxslice.files import write_parquet, write_text
from voxslice.logs import to_log
from voxslice.scores.scoring import score_predictions
from voxslice.utterance_keys import KEY


def main(
    *,
    predictions: Sequence[str],
    metadata: str,
    card: str,
    given: bool,
    task: str,
    settings: Mapping[str, Any],
    classes: Mapping[str, Any],
    scale: str | None,
    model: str,
    scores: str,
    summary: str,
) -> None:
    """Compare the predictions of a model with the labels of a task."""
    known = pq.read_schema(metadata).names
    read = [name for name in known if name in (*KEY, settings["target"], "speaker")]
    scoring = score_predictions(
        predictions,
        pd.read_parquet(metadata, columns=read),
        given=given,
        card=json.loads(Path(card).read_text()),
        task=task,
        settings=settings,
        classes=classes,
        scale=scale,
        model=model,
    )
    write_parquet(scoring.scores, scores)
    notes = {"scale": scoring.scale, "notes": scoring.notes}
    write_text(json.dumps(notes, indent=2) + "\n", summary)


if __name__ == "__main__":
    with to_log(snakemake.log):
        main(
            predictions=snakemake.input.predictions,
            metadata=snakemake.input.metadata,
            card=snakemake.input.card,
            given=snakemake.params.given,
            task=snakemake.wildcards.task,
            settings=snakemake.params.task,
            classes=snakemake.params.classes,
            scale=snakemake.params.scale,
            model=snakemake.wildcards.model,
            scores=snakemake.output.scores,
            summary=snakemake.output.summary,
        )
