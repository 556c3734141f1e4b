"""What is known of each slice: its size, the metric inside and outside, and how sure that is."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from voxslice.files import KEY
from voxslice.metrics import count_speakers
from voxslice.resampling import bootstrap_interval, speaker_sums
from voxslice.rules import describe

COLUMNS = [
    "slice", "finder", "view", "rule", "precision", "recall", "support", "speakers", "value",
    "rest", "drop", "low", "high", "p", "q", "evidence", "confirmed",
]  # fmt: skip


def slice_id(keys: pd.DataFrame) -> str:
    """Name a slice after its utterances: the same slice has the same id wherever it is found."""
    rows = sorted(keys[KEY].itertuples(index=False, name=None))
    return hashlib.sha256(repr(rows).encode()).hexdigest()[:8]


def summarise(
    members: Sequence[np.ndarray],
    loss: np.ndarray,
    speakers: np.ndarray | None,
    *,
    classification: bool,
    resamples: int,
    seed: int,
) -> pd.DataFrame:
    """Measure slices.

    Args:
        members: for each slice a mask of shape (utterances,)
        loss: of each utterance (0 right and 1 wrong, or absolute error)
        speakers: speaker of each utterance, None where every one stands alone
        classification: whether the metric is accuracy (1 - mean loss), else mean absolute error
        resamples: bootstrap resamples
        seed: of the bootstrap

    Returns:
        one row a slice: `support`, `speakers`, `value` and `rest` (the metric inside and outside),
        `drop` (how much worse inside is than outside, positive where it is worse) and its 95 %
        interval `low`, `high`, by drawing speakers
    """
    columns = ["support", "speakers", "value", "rest", "drop", "low", "high"]
    if not members:
        return pd.DataFrame({name: pd.Series(dtype=float) for name in columns})
    masks = np.stack(members, axis=1).astype(float)
    parts = np.stack(
        [masks, masks * loss[:, None], 1 - masks, (1 - masks) * loss[:, None]], axis=-1
    )
    sums = speaker_sums(parts, speakers)
    low, high = bootstrap_interval(sums, _difference, resamples=resamples, seed=seed)
    inside, inside_loss, outside, outside_loss = np.moveaxis(sums.sum(0), -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        value, rest = inside_loss / inside, outside_loss / outside
    return pd.DataFrame(
        {
            "support": inside.astype(int),
            "speakers": pd.array(
                [None if speakers is None else count_speakers(speakers[m]) for m in members],
                dtype="Int64",
            ),
            "value": 1 - value if classification else value,
            "rest": 1 - rest if classification else rest,
            "drop": value - rest,
            "low": low,
            "high": high,
        }
    )


def _difference(sums: np.ndarray) -> np.ndarray:
    """Mean loss inside minus outside, shape (resamples, slices); NaN where one side is empty."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[..., 1] / sums[..., 0] - sums[..., 3] / sums[..., 2]


def measure_suggestions(
    scores: pd.DataFrame,
    table: pd.DataFrame,
    speakers: np.ndarray | None,
    suggestions: pd.DataFrame,
    views: Mapping[str, Mapping[str, Any]],
    *,
    classification: bool,
    columns: Sequence[str],
    resamples: int,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Measure and describe the slices that were suggested for one model.

    Args:
        scores: as `voxslice.scores` gives them
        table: the metadata of the same utterances, in the same order
        speakers: speaker of each utterance, None where every one stands alone
        suggestions: `view`, `number` and the keys of each suggested slice's utterances
        views: settings of each view (`finder`, `features`, maybe `embedding`)
        classification: whether the metric is accuracy, else mean absolute error
        columns: of the metadata; rules of embedding views may name any but the speaker
        resamples: bootstrap resamples
        seed: of the bootstrap

    Returns:
        the slices, most significant first within a view, in the columns of `COLUMNS`, and the keys
        of their utterances (`slice`, `file`, `start`, `end`); `p`, `q` and `evidence` are empty and
        `confirmed` is false, since what was suggested by looking has not been tested
    """
    positions = pd.Series(np.arange(len(scores)), pd.MultiIndex.from_frame(scores[KEY]))
    rows: list[dict[str, Any]] = []
    masks: list[np.ndarray] = []
    for (view, _), keys in suggestions.groupby(["view", "number"], sort=False):
        mask = np.zeros(len(scores), dtype=bool)
        mask[positions[pd.MultiIndex.from_frame(keys[KEY])]] = True
        exact = "embedding" not in views[view]
        named = views[view]["features"] if exact else [c for c in columns if c != "speaker"]
        rule = describe(mask, table, named)
        masks.append(mask)
        rows.append(
            {
                "slice": slice_id(scores[mask]),
                "finder": views[view]["finder"],
                "view": view,
                "rule": rule.text,
                "precision": rule.precision,
                "recall": rule.recall,
                "confirmed": False,
            }
        )
    measured = summarise(
        masks,
        scores["loss"].to_numpy(),
        speakers,
        classification=classification,
        resamples=resamples,
        seed=seed,
    )
    slices = pd.concat([pd.DataFrame(rows), measured], axis=1).reindex(columns=COLUMNS)
    members = [
        scores.loc[mask, KEY].assign(slice=row["slice"])
        for row, mask in zip(rows, masks, strict=True)
    ]
    empty = scores[KEY].iloc[:0].assign(slice=pd.Series(dtype=str))
    return slices, pd.concat([empty, *members], ignore_index=True)[["slice", *KEY]]
