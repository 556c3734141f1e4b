"""One finding of an audit."""

from typing import Any, NamedTuple, Self

ISSUES = {
    "unreadable": "The audio cannot be read.",
    "silent": "The audio is silent.",
    "too short": "The utterance is far too short.",
    "clipped": "The audio is clipped.",
    "cut off": "The audio begins or ends within speech.",
    "exact copy": "Two utterances have the same samples.",
    "near copy": "Two utterances are the same recording with other levels, encodings or ends.",
    "listed twice": "Two utterances share a part of their file.",
    "speaker": "A value contradicts the other utterances of the speaker.",
    "splits": "A speaker is in more than one split.",
}
"""Kinds of findings and what they mean, in the order in which they are shown."""


class Finding(NamedTuple):
    """One finding of an audit.

    Attributes:
        issue: one of `ISSUES`
        file: audio file of the utterance, relative to the folder of the audio
        start: start of the utterance in seconds
        end: end of the utterance in seconds
        detail: what was found
        other_file: file of the other utterance, if two utterances are compared
        other_start: its start in seconds
        other_end: its end in seconds
    """

    issue: str
    file: str
    start: float
    end: float
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
