"""Utterances to collect: how good each list is, and the first utterances to listen to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from voxslice.decisions.collect import FIRST
from voxslice.report.clips import Clip, Group, with_audio
from voxslice.report.numbers import counted, share

LISTENED = 5
"""Number of utterances of a list that have a player."""


@dataclass(frozen=True)
class Collected:
    """The list of one failure mode.

    Args:
        mode: id of the mode
        name: the mode in words
        test: how good the classifier was on speakers that it had not seen
        listed: how many utterances the list has
        clips: the first utterances of the list
    """

    mode: str
    name: str
    test: str
    listed: str
    clips: list[Clip]


def listen(
    summary: pd.DataFrame,
    lists: Mapping[str, pd.DataFrame],
    audio: Mapping[str, str],
    budget: int,
) -> list[Collected]:
    """Collect the first utterances of each list, with their audio.

    Args:
        summary: table of the lists, one row per failure mode
        lists: list of each failure mode, the most likely utterances first
        audio: folder of the audio of each dataset without labels
        budget: largest number of bytes that the players may have

    Returns:
        one entry per failure mode, in the order of the summary. Clips that exceed the budget or
        cannot be read have no audio

    Raises:
        MachineError: if the machine is at fault
    """
    found, left = [], budget
    for row in summary.to_dict("records"):
        mode = str(row["mode"])
        clips = []
        for place, one in enumerate(lists[mode].head(LISTENED).to_dict("records")):
            probability = f"probability {share(one['probability'])}"
            key = (one["file"], one["start"], one["end"])
            clip = Clip(place, key, "", f"{one['rank']}. {one['dataset']}, {probability}", [])
            [group], _ = with_audio([Group(mode, "", [clip])], audio[one["dataset"]], left)
            left -= len(group.clips[0].audio)
            clips += group.clips
        listed = f"{counted(len(lists[mode]), 'utterance')} in the list."
        found.append(Collected(mode, str(row["name"]), _test(row), listed, clips))
    return found


def _test(row: Mapping[str, Any]) -> str:
    """Tell how good the classifier of a mode was on speakers that it had not seen."""
    chance = f"a random choice finds {share(row['share'])}"
    if pd.isna(row["precision"]):
        return f"The classifier could not be tested on other speakers ({chance})."
    return (
        f"On speakers that the classifier had not seen, {share(row['precision'])} of the first"
        f" {FIRST} utterances belong to this mode; {chance}."
    )
