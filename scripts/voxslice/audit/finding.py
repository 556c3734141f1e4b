"""One finding of an audit."""

from typing import Any, NamedTuple, Self

import pandas as pd

from voxslice.utterance_keys import KEY

ISSUES = {
    "unreadable": "The audio cannot be read.",
    "silent": "The audio is silent.",
    "too short": "The utterance is far too short.",
    "clipped": "The audio is clipped.",
    "cut off": "The audio begins or ends within speech.",
    "same length": "Many utterances end within speech at the same length.",
    "exact copy": "Two utterances have the same samples.",
    "near copy": "Two utterances are the same recording with other levels, encodings or ends.",
    "listed twice": "Two utterances share a part of their file.",
    "speaker": "A value contradicts the other utterances of the speaker.",
    "file name": "A value contradicts the name of the file.",
    "splits": "A speaker is in more than one split.",
}
"""Kinds of findings and what they mean, in the order in which they are shown."""
OF_NO_UTTERANCE = ("same length", "splits")
"""Kinds of findings about the dataset or a speaker. They do not blame one utterance."""


class Finding(NamedTuple):
    """One finding of an audit.

    Attributes:
        issue: one of `ISSUES`
        file: audio file of the utterance, relative to the folder of the audio; None if the finding
            is about the whole dataset
        start: start of the utterance in seconds
        end: end of the utterance in seconds
        detail: what was found
        other_file: file of the other utterance, if two utterances are compared
        other_start: its start in seconds
        other_end: its end in seconds
    """

    issue: str
    file: str | None
    start: float | None
    end: float | None
    detail: str
    other_file: str | None = None
    other_start: float | None = None
    other_end: float | None = None

    @classmethod
    def of(cls, issue: str, row: Any, other: Any = None, *, detail: str) -> Self:
        """Make a finding from rows of a table.

        Args:
            issue: one of `ISSUES`
            row: row of the utterance, with the attributes `file`, `start` and `end`
            other: row of the other utterance, None if there is no other one
            detail: what was found

        Returns:
            the finding
        """
        pair = (None, None, None) if other is None else (other.file, other.start, other.end)
        return cls(issue, row.file, row.start, row.end, detail, *pair)


def flagged(findings: pd.DataFrame) -> pd.DataFrame:
    """List the utterances with which something is wrong, according to an audit.

    Of two copies, the second one is listed. Findings about the dataset or a speaker list none.

    Args:
        findings: table `results/audit/{dataset}.csv`

    Returns:
        the keys of the utterances, each once
    """
    of_utterances = findings[~findings["issue"].isin(OF_NO_UTTERANCE)]
    keys = of_utterances[KEY].drop_duplicates(ignore_index=True)
    return keys.astype({"start": float, "end": float})  # a CSV table may hold whole numbers
