"""Unknown speakers have one form."""

import numpy as np
import pandas as pd
import pytest
from voxslice.speakers import (
    UNKNOWN_SPEAKER,
    as_speakers,
    count_speakers,
    known_speakers,
    number_speakers,
    speakers_of,
)
from voxslice.utterance_keys import KEY


def test_speakers():
    files = pd.DataFrame(
        {
            "file": ["a", "b", "c"],
            "start": 0.0,
            "end": [1.0, 2.0, 3.0],
            "speaker": pd.Categorical(["s2", None, "unknown"]),
        }
    )
    keys = files.loc[[2, 1, 0], KEY]
    assert speakers_of(keys, files).tolist() == ["unknown", UNKNOWN_SPEAKER, "s2"]
    assert speakers_of(keys, files.drop(columns="speaker")) is None
    other = keys.assign(end=9.0)
    assert speakers_of(other, files).tolist() == [UNKNOWN_SPEAKER] * 3
    assert speakers_of(keys, files.assign(speaker=[1, 2, 3])).tolist() == ["3", "2", "1"]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series(["b", None, "a", "b"]),
        pd.Series(["b", np.nan, "a", "b"], dtype=object),
        pd.Series(["b", pd.NA, "a", "b"], dtype="string"),
        pd.Series(pd.Categorical(["b", None, "a", "b"])),
        pd.Series(["b", UNKNOWN_SPEAKER, "a", "b"]),
    ],
)
def test_all_forms_of_unknown_speakers_become_one_value(column):
    speakers = as_speakers(column)
    assert speakers.tolist() == ["b", UNKNOWN_SPEAKER, "a", "b"]
    assert known_speakers(speakers).tolist() == ["a", "b"]
    assert count_speakers(speakers) == 2
    numbers, known = number_speakers(speakers)
    assert numbers.tolist() == [1, 2, 0, 1]
    assert known.tolist() == [True, False, True, True]


def test_speakers_may_all_be_unknown_or_have_no_column():
    unknown = as_speakers(pd.Series([None, None]))
    assert count_speakers(unknown) == 0
    numbers, known = number_speakers(unknown)
    assert numbers.tolist() == [0, 0] and not known.any()
    assert count_speakers(None) is None
