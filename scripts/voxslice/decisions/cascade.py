"""Cascades: one model answers where it is sure, and another one answers the other utterances."""

from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np
import pandas as pd

from voxslice.comparison.groups import align
from voxslice.decisions.abstention import mode_masks
from voxslice.decisions.confidence import confidence
from voxslice.decisions.estimate import estimate, interval
from voxslice.scores.bootstrap import LEVEL
from voxslice.speakers import number_speakers, speakers_of
from voxslice.units import Index, units_of

SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)
"""Shares of the utterances that are handed on."""
CASCADE_COLUMNS = [
    "model", "then", "share", "handed", "metric", "value", "low", "high", "mode", "name",
    "mode_value", "mode_low", "mode_high",
]  # fmt: skip


def cascade_table(
    scores: Mapping[str, pd.DataFrame],
    metadata: pd.DataFrame,
    modes: pd.DataFrame,
    members: pd.DataFrame,
    *,
    metric: str,
    seed: int,
    units: Sequence[str] = (),
) -> pd.DataFrame:
    """Measure cascades of each ordered pair of models.

    The first model answers where the probability of its predicted class reaches a threshold, and
    the second model answers the other utterances. The threshold for a share is chosen on half of
    the speakers and used on the other half, and the other way round. So no utterance chooses its
    own threshold.

    Args:
        scores: scores by model, of a classification
        metadata: the metadata of all utterances
        modes: failure modes of all models
        members: `mode` and the keys of the utterances of each mode
        metric: metric of the task
        seed: seed of the halves
        units: columns of the metadata that name units beside the speaker

    Returns:
        one row per ordered pair and share, in the columns `CASCADE_COLUMNS`: the wanted `share` and
        the share that is really `handed` on; the `metric` on all utterances that both models
        scored with its 95 % interval by speaker; and the accuracy in the confirmed failure `mode`
        in which the cascade is worst. Pairs whose first model has no probabilities are left out
    """
    rows = []
    for first, second in permutations(scores, 2):
        if confidence(scores[first]) is None:
            continue
        keys, aligned = align({first: scores[first], second: scores[second]})
        if not len(keys):
            continue
        sure = confidence(aligned[first])
        if sure is None:  # never, since the classes are those of all utterances
            continue
        speakers, others = speakers_of(keys, metadata), units_of(keys, metadata, units)
        halves = _halves(len(keys), speakers, seed)
        groups = mode_masks(keys, modes, members)
        for share in SHARES:
            handed = handed_on(sure, halves, share)
            answers = _combined(aligned[first], aligned[second], handed)
            found = estimate([answers], speakers, metric, others)
            low, high = interval(found, LEVEL)
            rows.append(
                {
                    "model": first,
                    "then": second,
                    "share": share,
                    "handed": float(handed.mean()),
                    "metric": metric,
                    "value": found.value,
                    "low": low,
                    "high": high,
                    **_worst(answers, groups, speakers, others),
                }
            )
    return pd.DataFrame(rows, columns=CASCADE_COLUMNS)


def _halves(count: int, speakers: np.ndarray | None, seed: int) -> np.ndarray:
    """Whether each utterance belongs to the first half of the speakers."""
    units = np.arange(count) if speakers is None else number_speakers(speakers)[0]
    order = np.random.default_rng(seed).permutation(np.unique(units))
    return np.isin(units, order[: len(order) // 2])


def handed_on(sure: np.ndarray, halves: np.ndarray, share: float) -> np.ndarray:
    """Choose the utterances that are handed on, by thresholds of the other half of the speakers.

    Args:
        sure: confidence of each utterance
        halves: whether each utterance belongs to the first half of the speakers
        share: share of the utterances of a half that its threshold hands on

    Returns:
        mask of shape (utterances,)
    """
    handed = np.zeros(len(sure), dtype=bool)
    for half in (halves, ~halves):
        other = sure[~half] if (~half).any() else sure
        handed[half] = sure[half] < np.quantile(other, share)
    return handed


def _combined(first: pd.DataFrame, second: pd.DataFrame, handed: np.ndarray) -> pd.DataFrame:
    """Label, prediction and loss of a cascade."""
    return pd.DataFrame(
        {
            "label": first["label"].astype(str),
            "prediction": np.where(
                handed, second["prediction"].astype(str), first["prediction"].astype(str)
            ),
            "loss": np.where(handed, second["loss"], first["loss"]),
        }
    )


def _worst(
    answers: pd.DataFrame,
    groups: Mapping[str, tuple[str, np.ndarray]],
    speakers: np.ndarray | None,
    units: Sequence[Index],
) -> dict[str, object]:
    """The accuracy in the mode in which the cascade is worst."""
    if not groups:
        return {}
    right = 1 - answers["loss"].to_numpy(float)
    mode = min(groups, key=lambda name: right[groups[name][1]].mean())
    name, inside = groups[mode]
    found = estimate(
        [answers[inside].reset_index(drop=True)],
        None if speakers is None else speakers[inside],
        "accuracy",
        [unit[inside] for unit in units],
    )
    low, high = interval(found, LEVEL)
    return {
        "mode": mode, "name": name, "mode_value": found.value, "mode_low": low, "mode_high": high,
    }  # fmt: skip
