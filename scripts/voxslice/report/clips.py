"""Utterances to listen to: the most telling errors of the worst slices, as MP3 in the page."""

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd
import soundfile

from voxslice.files import KEY
from voxslice.report.answer import rule_text
from voxslice.report.numbers import counted
from voxslice.report.study import Model, Study, by_severity

PER_SLICE = 4
LONGEST = 20.0
"""Seconds of an utterance that are kept."""
PLAYER, ESCAPED = 200, 6
"""Most bytes of a player's markup, and of a letter of a file's name in it."""


@dataclass(frozen=True)
class Clip:
    """An utterance with what is known of it.

    Args:
        key: file, start and end
        label: its true label
        said: of each model: position, name, prediction, what it is sure of, whether it is right
        audio: an MP3 file in base64, empty where it is left out
        cut: whether only its beginning is kept
    """

    key: tuple[str, float, float]
    label: str
    said: list[tuple[int, str, str, str, bool | None]]
    audio: str = ""
    cut: bool = False

    @property
    def file(self) -> str:
        """Name of its file."""
        return self.key[0]


@dataclass(frozen=True)
class Group:
    """Some errors of a slice."""

    model: str
    rule: str
    text: str
    clips: list[Clip]


def choose(study: Study) -> list[Group]:
    """Choose errors of the slices, without audio, the worst slice of each model first.

    Each utterance stands once, in the worst of its slices.
    """
    made, seen = [], set()
    tables = [model.scores.set_index(KEY) for model in study.models]
    for model, row in _slices(study):
        errors = _errors(study, model, row["slice"])
        chosen = [key for key in errors.index if key not in seen][:PER_SLICE]
        seen.update(chosen)
        if not chosen:
            continue
        if study.classification:
            text = f"{len(chosen)} of {counted(len(errors), 'wrong utterance')}"
        else:
            text = f"{len(chosen)} of {counted(len(errors), 'utterance')}, the largest errors"
        shown = [_clip(study, tables, key) for key in chosen]
        made.append(Group(model.name, rule_text(row), text, shown))
    return made


def with_audio(groups: list[Group], audio: str | Path, budget: int) -> tuple[list[Group], int]:
    """Put audio into the clips, in order, as long as it fits.

    Args:
        groups: as `choose` gives them
        audio: folder that the files are relative to
        budget: bytes that the players may add to the page

    Returns:
        the groups, and how many clips are left without audio
    """
    made, left_out = [], 0
    for group in groups:
        filled = []
        for clip in group.clips:
            text, cut = encode(Path(audio) / clip.file, *clip.key[1:])
            cost = len(text) + PLAYER + ESCAPED * len(clip.file.encode())
            if cost > budget:
                left_out += 1
                filled.append(clip)
                continue
            budget -= cost
            filled.append(replace(clip, audio=text, cut=cut))
        made.append(replace(group, clips=filled))
    return made, left_out


def _slices(study: Study) -> Iterator[tuple[Model, pd.Series]]:
    """The slices of all models by rank: the worst of each, then the second of each, and so on."""
    tables = [by_severity(model.slices) for model in study.models]
    for rank in range(max((len(table) for table in tables), default=0)):
        for model, table in zip(study.models, tables, strict=True):
            if rank < len(table):
                yield model, table.iloc[rank]


def _errors(study: Study, model: Model, name: str) -> pd.DataFrame:
    """Errors of a model in a slice, the surest or largest first."""
    members = model.members[model.members["slice"] == name]
    table = members[KEY].merge(model.scores, on=KEY)
    if study.classification:
        table = table[table["loss"] > 0]
        # a table of predictions may come without probabilities
        sure = [row.get(f"p_{row['prediction']}") for _, row in table.iterrows()]
        table = table.assign(sure=sure)
        order = "sure"
    else:
        order = "loss"
    return table.sort_values([order, *KEY], ascending=[False, True, True, True]).set_index(KEY)


def _clip(study: Study, tables: list[pd.DataFrame], key: tuple) -> Clip:
    said: list[tuple[int, str, str, str, bool | None]] = []
    label = ""
    for position, (model, table) in enumerate(zip(study.models, tables, strict=True)):
        if key not in table.index:
            said.append((position, model.name, "not scored", "", None))
            continue
        row = table.loc[key]
        if study.classification:
            label = str(row["label"])
            sure = sorted(
                ((row[name], name.removeprefix("p_")) for name in table if name.startswith("p_")),
                reverse=True,
            )
            text = ", ".join(f"{name}\u00a0{100 * value:.0f}\u00a0%" for value, name in sure[:3])
            said.append((position, model.name, str(row["prediction"]), text, row["loss"] == 0))
        else:
            measure = study.measure
            label = f"{row['label']:g} {measure.unit}".rstrip()
            off = f"off by {measure.text(row['loss'])}"
            said.append((position, model.name, f"{row['prediction']:.1f}", off, None))
    return Clip(key, label, said)


def encode(path: Path, start: float, end: float) -> tuple[str, bool]:
    """Encode an utterance as MP3 in base64; the same audio gives the same bytes.

    Args:
        path: audio file
        start: of the utterance in seconds
        end: of the utterance in seconds

    Returns:
        the text, and whether the utterance was cut to `LONGEST`
    """
    with soundfile.SoundFile(path) as file:
        rate = file.samplerate
        file.seek(min(round(start * rate), file.frames))
        length = min(end - start, LONGEST)
        samples = file.read(round(length * rate), dtype="float32", always_2d=True).mean(axis=1)
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="MP3")
    return base64.b64encode(buffer.getvalue()).decode("ascii"), end - start > LONGEST
