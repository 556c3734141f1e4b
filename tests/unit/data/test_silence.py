"""Silent utterances are counted and named."""

import pandas as pd
import pytest
from voxslice.data.silence import silence_remarks


@pytest.mark.parametrize(
    ("files", "remark"),
    [
        (
            ["a.wav"],
            "1 of the 2,000 utterances is silent, but models score it anyway (a.wav).",
        ),
        (
            ["a.wav", "b.wav", "b.wav", "c.wav", "d.wav", "e.wav"],
            "6 of the 2,000 utterances are silent, but models score them anyway"
            " (a.wav, b.wav, c.wav and 2 more).",
        ),
    ],
)
def test_silence_is_counted(files, remark):
    silence = pd.DataFrame({"file": files, "reason": "no signal"})
    assert silence_remarks(silence, 2000) == [remark]
    swapped = silence.assign(reason="channels out of phase").tail(1)
    remarks = silence_remarks(pd.concat([silence, swapped]), 2000)
    assert remarks == [
        "The channels of 1 of the 2,000 utterances cancel each other, so that models score silence"
        f" ({files[-1]}): convert these files to one of their channels.",
        *silence_remarks(silence, 2000),
    ]


def test_without_silence_nothing_is_reported():
    assert silence_remarks(pd.DataFrame(columns=["file", "reason"]), 5) == []
