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
ENOUGH = 0.5
"""Expected share of members below which a list has a warning."""


@dataclass(frozen=True)
class Collected:
    """The list of one failure mode.

    Args:
        mode: id of the mode
        name: the mode in words
        test: the share of members that is expected among the first utterances
        warning: why the list should not be used without listening; empty if there is no reason
        listed: how many utterances the list has
        clips: the first utterances of the list
    """

    mode: str
    name: str
    test: str
    warning: str
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
        found.append(Collected(mode, str(row["name"]), _test(row), _warning(row), listed, clips))
    return found


def _test(row: Mapping[str, Any]) -> str:
    """Tell which share of members is expected among the first utterances."""
    chance = f"a random choice finds {share(row['share'])}"
    if pd.isna(row["precision"]):
        return f"The classifier could not be tested on other speakers ({chance})."
    possible = row["best_possible"]
    few = share(possible) != share(1)
    limit = f"; at most {share(possible)} were possible, because they have few members" * few
    return (
        f"Expected: {share(row['precision'])} of the first {FIRST} utterances belong to this mode"
        f" ({chance}). This was measured on speakers that the classifier had not seen{limit}."
    )


def _warning(row: Mapping[str, Any]) -> str:
    """Warn of a list that has few members, and tell which condition is hard to find."""
    if pd.isna(row["precision"]):
        return "It is not known how many of these utterances belong to this mode."
    if row["precision"] >= ENOUGH:
        return ""
    expected = "Most of these utterances are expected not to belong to this mode."
    if row["hardest"] == row["name"]:
        return expected
    return (
        f"{expected} The condition “{row['hardest']}” is the hardest one to find. If it was known,"
        f" {share(row['hardest_known'])} would belong to this mode."
    )
