"""Speakers of utterances, and one convention for unknown speakers.

An unknown speaker is the empty text. The number of unknown speakers is not known, so they are not
counted. When speakers are resampled, all unknown speakers together are treated as one speaker:
treated as many independent speakers, they would make intervals too narrow. Tests within speakers
ignore them, because utterances of different speakers are not exchangeable.
"""

import numpy as np
import pandas as pd

from voxslice.utterance_keys import KEY

UNKNOWN_SPEAKER = ""
"""The speaker of an utterance without a speaker in its metadata."""


def as_speakers(column: pd.Series) -> np.ndarray:
    """Turn a column into speakers.

    Args:
        column: one value per utterance, missing where the speaker is not known

    Returns:
        text of shape (utterances,), `UNKNOWN_SPEAKER` where the value is missing
    """
    return column.astype("string").fillna(UNKNOWN_SPEAKER).to_numpy(dtype=str)


def speakers_of(keys: pd.DataFrame, metadata: pd.DataFrame) -> np.ndarray | None:
    """Speaker of each utterance.

    Args:
        keys: table with the keys of the utterances
        metadata: the metadata of all utterances

    Returns:
        text of shape (utterances,), `UNKNOWN_SPEAKER` where a speaker is not known; None where the
        metadata have no column `speaker`
    """
    if "speaker" not in metadata:
        return None
    return as_speakers(keys[KEY].merge(metadata[[*KEY, "speaker"]], on=KEY, how="left")["speaker"])


def count_speakers(speakers: np.ndarray | None) -> int | None:
    """Number of different known speakers.

    Args:
        speakers: speaker of each utterance, or None

    Returns:
        the number, or None where `speakers` is None
    """
    return None if speakers is None else len(known_speakers(speakers))


def known_speakers(speakers: np.ndarray) -> np.ndarray:
    """The known speakers, each once.

    Args:
        speakers: speaker of each utterance

    Returns:
        their names in ascending order
    """
    return np.unique(speakers[speakers != UNKNOWN_SPEAKER])


def number_speakers(speakers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Number the speakers in the order of their names.

    Args:
        speakers: speaker of each utterance

    Returns:
        the number of each utterance's speaker, from 0, where the unknown ones share the last
        number; and whether the speaker of each utterance is known
    """
    known = speakers != UNKNOWN_SPEAKER
    names, numbers = np.unique(speakers[known], return_inverse=True)
    every = np.full(len(speakers), len(names), dtype=np.int64)
    every[known] = numbers
    return every, known
