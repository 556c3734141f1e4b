"""The outputs of a model that a study reads on a dataset."""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voxslice.config import lookups
from voxslice.config.study_config import Reader, StudyConfig

CARD = "resources/models/{model}/model.json"


def outputs_read(study: StudyConfig) -> Reader:
    """Parameter of a rule: the outputs of a model that the study reads on a dataset.

    Computed columns name labels, and the model card gives the output of each label. The card exists
    as soon as the model is fetched, so it exists when a job runs the model.

    Args:
        study: config of the study

    Returns:
        function of the wildcards that returns what `lookups.outputs_read` describes
    """

    @functools.cache
    def read(dataset: str, model: str, changed: int | None) -> dict[str, Any]:
        known = None if changed is None else _labels(CARD.format(model=model), changed)
        return lookups.outputs_read(study.config, dataset, model, known)

    def of_job(wildcards: Any) -> dict[str, Any]:
        card = Path(CARD.format(model=wildcards.model))
        changed = card.stat().st_mtime_ns if card.exists() else None
        return read(wildcards.dataset, wildcards.model, changed)

    return of_job


@functools.cache
def _labels(card: str, changed: int) -> Mapping[str, list[str]]:
    """Labels of each output of a model. `changed` is the modification time of its card."""
    outputs: Mapping[str, list[str]] = json.loads(Path(card).read_text(encoding="utf-8"))["outputs"]
    return outputs
