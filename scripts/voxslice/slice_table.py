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
from voxslice.sliceguard_finder import suggest

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


def find_all(
    scores: pd.DataFrame,
    table: pd.DataFrame,
    speakers: np.ndarray | None,
    views: Mapping[str, Mapping[str, Any]],
    embeddings: Mapping[str, tuple[pd.DataFrame, np.ndarray]],
    *,
    classification: bool,
    min_drop: float,
    describe_by: Sequence[str],
    resamples: int,
    seed: int,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Find the slices of one model in every view and measure them.

    Args:
        scores: as `voxslice.scores` gives them
        table: the metadata of the same utterances, in the same order
        speakers: speaker of each utterance, None where every one stands alone
        views: settings of each view (`finder`, `features`, `min_support`, maybe `embedding`)
        embeddings: of the views that look at one: keys and matrix
        classification: whether the metric is accuracy, else mean absolute error
        min_drop: smallest drop of a suggested slice, in the unit of the metric
        describe_by: columns that rules of embedding views may name
        resamples: bootstrap resamples
        seed: of every random step

    Returns:
        the slices, worst excess first within a view, in the columns of `COLUMNS`, and the keys of
        their utterances (`slice`, `file`, `start`, `end`); `p`, `q` and `evidence` are empty and
        `confirmed` is false for slices that were suggested and not tested
    """
    loss = scores["loss"].to_numpy()
    found, members = [], []
    for name, view in views.items():
        matrix = None
        if "embedding" in view:
            matrix = _match(scores, *embeddings[name])
        masks = []
        for rows in suggest(
            table,
            scores,
            view["features"],
            embedding=matrix,
            classification=classification,
            min_support=view["min_support"],
            min_drop=min_drop,
            seed=seed,
        ):
            masks.append(np.zeros(len(scores), dtype=bool))
            masks[-1][rows] = True
        summary = summarise(
            masks,
            loss,
            speakers,
            classification=classification,
            resamples=resamples,
            seed=seed,
        )
        named = view["features"] if matrix is None else [c for c in describe_by if c != "speaker"]
        rules = [describe(mask, table, named) for mask in masks]
        ids = [slice_id(scores[mask]) for mask in masks]
        found.append(
            summary.assign(
                slice=ids,
                finder=view["finder"],
                view=name,
                rule=[rule.text for rule in rules],
                precision=[rule.precision for rule in rules],
                recall=[rule.recall for rule in rules],
            )
        )
        members += [
            scores.loc[mask, KEY].assign(slice=i) for i, mask in zip(ids, masks, strict=True)
        ]
    # an empty table has no types of its own that could count
    slices = pd.concat([t for t in found if len(t)] or [pd.DataFrame()], ignore_index=True)
    slices = slices.reindex(columns=COLUMNS)
    slices["confirmed"] = False
    empty = pd.DataFrame({name: scores[name].iloc[:0] for name in KEY} | {"slice": []})
    rows = pd.concat(members or [empty], ignore_index=True)[["slice", *KEY]]
    return slices, rows.astype({"slice": str})


def _match(scores: pd.DataFrame, keys: pd.DataFrame, matrix: np.ndarray) -> np.ndarray:
    """Embedding of each scored utterance, NaN where it has none."""
    order = pd.MultiIndex.from_frame(keys[KEY]).get_indexer(pd.MultiIndex.from_frame(scores[KEY]))
    matched = matrix[order]
    matched[order < 0] = np.nan
    return matched
