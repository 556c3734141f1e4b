"""Results per recording: the predictions for its segments are pooled, weighted by duration."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from voxslice.comparison.compare import compare
from voxslice.comparison.groups import align
from voxslice.comparison.tables import compared_pairs
from voxslice.scores.metrics import measure
from voxslice.speakers import UNKNOWN_SPEAKER, speakers_of
from voxslice.task import Task
from voxslice.units import units_of_groups

UNIT = ["file", "speaker", "label"]
"""The segments that are pooled have the same file, speaker and label."""
MIN_WEIGHT = 1e-9
"""Smallest weight of a segment, so that a segment without a duration still has a prediction."""


class RecordingTables(NamedTuple):
    """Results per recording.

    Attributes:
        pooled: one row per model and recording: `model`, `file`, `start`, `end`, `speaker`,
            `segments`, `seconds`, `label`, `prediction`, `loss` and, if they are known, `p_<class>`
        metrics: the metrics of each model on recordings, see `voxslice.scores.metrics.measure`
        comparison: comparison of models on recordings, see `voxslice.comparison.compare.compare`
    """

    pooled: pd.DataFrame
    metrics: pd.DataFrame
    comparison: pd.DataFrame


def pool(scores: pd.DataFrame, speakers: np.ndarray) -> pd.DataFrame:
    """Pool the predictions of a model for the segments of each recording.

    A recording stands here for the segments of one speaker in one file. If its turns have
    different labels, the segments of each label are pooled.

    Args:
        scores: scores of the segments, as `voxslice.scores.scores` computes them
        speakers: speaker of each segment

    Returns:
        one row per recording, in the columns of `RecordingTables.pooled` without `model`. The
        probability of a class is the mean over the segments, weighted by their durations, and the
        most probable class is the prediction. Without probabilities, it is the class that was
        predicted for the longest time. A number is the weighted mean
    """
    table = scores.reset_index(drop=True).assign(speaker=speakers)
    weights = (table["end"] - table["start"]).clip(lower=MIN_WEIGHT)
    groups = _recordings(table)
    numbers = groups.ngroup().to_numpy()
    total = np.bincount(numbers, weights)

    def mean(values: pd.Series) -> np.ndarray:
        return np.bincount(numbers, weights * values.to_numpy(float)) / total

    pooled = groups.agg(start=("start", "min"), end=("end", "max"), segments=("end", "size"))
    pooled = pooled.reset_index().assign(seconds=total)
    if not isinstance(scores["prediction"].dtype, pd.CategoricalDtype):
        prediction = mean(scores["prediction"])
        loss = np.abs(prediction - pooled["label"].to_numpy(float))
        return _ordered(pooled.assign(prediction=prediction, loss=loss))
    classes = scores["prediction"].cat.categories
    known = [name for name in classes if f"p_{name}" in scores]
    columns = [f"p_{name}" for name in known]
    if known and scores[columns].notna().all(axis=None):
        shares = np.column_stack([mean(table[column]) for column in columns])
        pooled[columns] = shares
    else:
        known = list(classes)
        shares = np.column_stack([mean(table["prediction"] == name) for name in known])
    chosen = pd.Categorical(np.array(known, dtype=object)[shares.argmax(1)], categories=classes)
    wrong = np.asarray(chosen.astype(object)) != pooled["label"].astype(object).to_numpy()
    return _ordered(pooled.assign(prediction=chosen, loss=wrong.astype(float)))


def compare_recordings(
    scores: Mapping[str, pd.DataFrame],
    metadata: pd.DataFrame,
    *,
    labels: Sequence[str] | None,
    task: Task,
    sources: Mapping[str, str],
    resamples: int,
    seed: int,
    units: Sequence[str] = (),
) -> RecordingTables:
    """Measure and compare models on recordings. Intervals and tests are by speaker and other units.

    Only segments that all models have scored are used. Without a known speaker, the recording
    itself is the speaker (see `voxslice.recordings.labels.read_labels`).

    Args:
        scores: scores of the segments by model, in the order of the config
        metadata: the metadata of all segments
        labels: labels of a classification, None for a regression
        task: what is measured, with the margin of equivalence
        sources: source of each derived model
        resamples: number of resamples of the comparison
        seed: seed of the resamples
        units: columns of the metadata that name units beside the speaker. Those of which a
            recording has several, such as sentences, are left out

    Returns:
        the pooled predictions, the metrics and the comparison
    """
    keys, aligned = align(scores)
    speakers = speakers_of(keys, metadata)
    if speakers is None:
        speakers = np.full(len(keys), UNKNOWN_SPEAKER)
    pooled = {name: pool(table, speakers) for name, table in aligned.items()}
    first = next(iter(pooled.values()))
    owners = first["speaker"].to_numpy(dtype=str)
    segments = next(iter(aligned.values())).reset_index(drop=True).assign(speaker=speakers)
    others = units_of_groups(keys, metadata, units, _recordings(segments).ngroup().to_numpy())
    metrics = [
        measure(table, owners, labels=labels, units=others).assign(model=name)
        for name, table in pooled.items()
    ]
    names = [name for name in metrics[0] if name != "model"]
    comparison = compare(
        pooled,
        {},
        owners,
        task=task,
        resamples=resamples,
        seed=seed,
        pairs=compared_pairs(list(scores), sources),
        units=others,
    )
    rows = [table.assign(model=name) for name, table in pooled.items()]
    return RecordingTables(
        pd.concat([table[["model", *first]] for table in rows], ignore_index=True),
        pd.concat(metrics, ignore_index=True)[["model", *names]],
        comparison,
    )


def _recordings(segments: pd.DataFrame) -> pd.api.typing.DataFrameGroupBy:
    """The segments of each recording."""
    return segments.groupby(UNIT, observed=True, sort=True)


def _ordered(pooled: pd.DataFrame) -> pd.DataFrame:
    """The columns of pooled predictions in their order."""
    fixed = ["file", "start", "end", "speaker", "segments", "seconds", "label", "prediction"]
    return pooled[[*fixed, "loss", *(name for name in pooled if name.startswith("p_"))]]
