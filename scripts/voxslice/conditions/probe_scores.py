"""Scores of a model after one property of the audio of its failure modes was changed."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pandas as pd

from voxslice.conditions.probes import MODES, probed_modes
from voxslice.files import read_csv
from voxslice.inference.failures import require_few
from voxslice.inference.predict import predict
from voxslice.sampling import sampled
from voxslice.speakers import UNKNOWN_SPEAKER, as_speakers
from voxslice.utterance_keys import KEY

MAX_OTHERS = 500
"""Largest number of utterances outside of the modes; from more, a random sample is drawn."""
ALONE: dict[str, dict[str, float]] = {"pitch": {"pitch": 0}, "speed": {"speed": 1}}
"""Settings of the processing alone, by key of the probe. That of other probes changes nothing."""


def processing_alone(settings: Mapping[str, Any]) -> dict[str, float] | None:
    """Settings with which the processing of a probe changes nothing on purpose.

    Args:
        settings: settings of the probe

    Returns:
        the settings; None if the processing alone is the clean audio
    """
    return next((alone for key, alone in ALONE.items() if key in settings), None)


def probed_utterances(
    metadata: pd.DataFrame, modes: pd.DataFrame, members: pd.DataFrame, model: str, seed: int
) -> pd.DataFrame:
    """Select the utterances of the first confirmed modes of a model, and others of their speakers.

    Args:
        metadata: keys of all utterances and, if the dataset has it, `speaker`
        modes: failure modes of the task, see `voxslice.modes.table`
        members: `mode` and keys of the utterances of each mode
        model: id of the model
        seed: seed of the sample of other utterances

    Returns:
        keys of the utterances in the order of the metadata; none if no mode is confirmed. Without
        speakers, the others are those of the whole dataset
    """
    wanted = members[members["mode"].astype(str).isin(probed_modes(modes, model, MODES))]
    keys = pd.MultiIndex.from_frame(metadata[KEY])
    inside = keys.isin(pd.MultiIndex.from_frame(wanted[KEY]))
    if "speaker" in metadata:
        speakers = as_speakers(metadata["speaker"])
        known = np.setdiff1d(speakers[inside], [UNKNOWN_SPEAKER])
        others = np.flatnonzero(~inside & np.isin(speakers, known))
    else:
        others = np.flatnonzero(~inside) if inside.any() else np.zeros(0, int)
    others = others[sampled(len(others), MAX_OTHERS, seed)]
    rows = np.sort(np.concatenate([np.flatnonzero(inside), others]))
    return metadata[KEY].iloc[rows].reset_index(drop=True)


def score_changed(
    utterances: pd.DataFrame,
    *,
    score: Callable[[Sequence[str]], pd.DataFrame],
    tolerated: float,
    name: str,
    model: str | Path,
    **inference: Any,
) -> pd.DataFrame:
    """Run a model on changed utterances and score its predictions.

    Args:
        utterances: keys of the utterances
        score: function that scores the predictions in Parquet files
        tolerated: share of the utterances that may fail, from 0 to 1
        name: name of the model and the change, for messages
        model: folder of the model
        inference: further arguments of `voxslice.inference.predict.predict`

    Returns:
        what `score` returns

    Raises:
        InputError: if more utterances fail than are tolerated
    """
    with TemporaryDirectory() as folder:
        predictions, failures = Path(folder, "predictions.parquet"), Path(folder, "failures.csv")
        predict(
            utterances,
            model=model,
            embedding_output=None,
            predictions=predictions,
            failures=failures,
            silence=Path(folder, "silence.csv"),
            **inference,
        )
        failed = read_csv(failures)
        require_few(failed, total=len(utterances), tolerated=tolerated, model=name)
        return score([str(predictions)])


def in_both(one: pd.DataFrame, other: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Keep the utterances that two tables of scores share, in the order of the first one.

    Args:
        one: scores with the keys of utterances
        other: scores with the keys of utterances

    Returns:
        both tables, with the same utterances in the same order
    """
    rows = pd.MultiIndex.from_frame(other[KEY]).get_indexer(pd.MultiIndex.from_frame(one[KEY]))
    kept = one[rows >= 0].reset_index(drop=True)
    return kept, other.iloc[rows[rows >= 0]].reset_index(drop=True)
