"""Utterances to listen to on clean audio and in a condition that makes a model wrong."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from voxslice.comparison.compare import ALL
from voxslice.data.audio import Audio, read_audio
from voxslice.data.file_names import locate
from voxslice.errors import reason_of
from voxslice.report.clips import ESCAPED, LONGEST, PLAYER, as_mp3
from voxslice.report.conditions import largest_effects
from voxslice.report.study import Study
from voxslice.utterance_keys import KEY

MAX_PAIRS = 3
"""Largest number of utterances in the page, each before and after."""

Row = tuple[str, float, float]
"""Key of an utterance: file, start and end in seconds."""
Changes = Mapping[str, Callable[[Audio, Row], Audio]]
"""Function that changes the audio of an utterance, by the id of the condition."""


@dataclass(frozen=True)
class Pair:
    """An utterance on clean audio and in a condition.

    Args:
        key: file, start and end (seconds)
        model: id of the model
        position: position of the model in the study
        condition: id of the condition
        label: true label
        before: prediction for the clean audio
        after: prediction in the condition
        clean: MP3 file of the clean audio in base64; empty without audio
        changed: MP3 file of the audio in the condition in base64; empty without audio
    """

    key: Row
    model: str
    position: int
    condition: str
    label: str
    before: str
    after: str
    clean: str = ""
    changed: str = ""

    @property
    def file(self) -> str:
        """Name of the file."""
        return self.key[0]


def choose_pairs(study: Study) -> list[Pair]:
    """Choose utterances of the largest effects, without their audio.

    Args:
        study: results of the workflow

    Returns:
        at most three utterances: one per group that a condition hurts more than others, the largest
        effect first, then of all utterances; each utterance once
    """
    table = study.condition_broken
    places = [
        *largest_effects(study),
        *((name, ALL) for name in dict.fromkeys(table["condition"])),
    ]
    positions = {model.name: place for place, model in enumerate(study.models)}
    pairs: dict[Row, Pair] = {}
    for condition, group in places:
        rows = table[(table["condition"] == condition) & (table["group"] == group)]
        for row in rows.to_dict("records"):
            key = tuple(row[name] for name in KEY)
            if len(pairs) < MAX_PAIRS and key not in pairs:
                pairs[key] = Pair(
                    key,
                    row["model"],
                    positions[row["model"]],
                    condition,
                    *(_text(study, row[name]) for name in ("label", "before", "after")),
                )
                break
    return list(pairs.values())


def _text(study: Study, value: object) -> str:
    """Write a label or a prediction."""
    return str(value) if study.classification else f"{float(value):.1f} {study.unit}".rstrip()  # type: ignore[arg-type]


def with_sounds(
    pairs: Sequence[Pair], audio: str | Path, changes: Changes, budget: int
) -> list[Pair]:
    """Add both sounds to pairs, as long as they fit into the page.

    Args:
        pairs: pairs as `choose_pairs` returns them
        audio: folder that the files are relative to
        changes: functions that change audio, by condition
        budget: number of bytes that the players may add to the page

    Returns:
        the pairs; those that do not fit or cannot be read have no sounds

    Raises:
        MachineError: if the machine is at fault
    """
    filled = []
    for pair in pairs:
        encoded = _encode(pair, audio, changes)
        cost = len(encoded.clean) + len(encoded.changed) + 2 * PLAYER
        cost += 2 * ESCAPED * len(pair.file.encode())
        if not encoded.clean or cost > budget:
            filled.append(pair)
            continue
        budget -= cost
        filled.append(encoded)
    return filled


def _encode(pair: Pair, audio: str | Path, changes: Changes) -> Pair:
    """Read, change and encode the audio of a pair; it stays without sounds if that fails."""
    file, start, end = pair.key
    try:
        # the whole utterance is changed, as it was for the model
        recording = read_audio(locate(audio, file), start, end)
        changed = changes[pair.condition](recording, pair.key)
        return replace(pair, clean=as_mp3(_first(recording)), changed=as_mp3(_first(changed)))
    except Exception as error:  # a broken file must not stop the report
        print(f"{file} has no players: {reason_of(error, file)}")
        return pair


def _first(recording: Audio) -> Audio:
    """The part of a recording that is in the page."""
    return recording._replace(signal=recording.signal[: int(LONGEST * recording.rate)])
