"""Utterances to listen to: the most telling errors of the worst slices, as MP3 in the page."""

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile
from scipy.signal import resample_poly

from voxslice.data.file_names import locate
from voxslice.report.calibration import confidence
from voxslice.report.numbers import counted
from voxslice.report.study import Model, Study, distinct, rule_text
from voxslice.utterance_keys import KEY

PER_SLICE = 4
MAX_PROBABILITIES = 3
"""Most probabilities of a model that are shown for an utterance."""
SUGGESTIONS = 3
"""Slices of a model that are heard where none is confirmed."""
LONGEST = 20.0
"""Seconds of an utterance that are kept."""
MP3_RATES = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000}
RATE = 16000
"""Sampling rate in Hz of audio whose own rate MP3 lacks."""
PLAYER, ESCAPED = 500, 6
"""Most bytes of a player's markup, and of a letter of a file's name in it."""
BARS, HEIGHT = 100, 40
"""Of a waveform: its lines, and their greatest length."""


@dataclass(frozen=True)
class Said:
    """What a model said of an utterance.

    Args:
        position: of the model
        model: its id
        prediction: class or value
        sure: probabilities, or the size of the error
        right: whether it is right, None where that is not asked
    """

    position: int
    model: str
    prediction: str
    sure: str = ""
    right: bool | None = None


@dataclass(frozen=True)
class Clip:
    """An utterance with what is known of it.

    Args:
        number: of its place in the page
        key: file, start and end
        label: its true label
        said: of each model
        audio: an MP3 file in base64, empty where it is left out
        wave: path of its waveform, in a box of `BARS` by `HEIGHT`
        cut: whether only its beginning is kept
    """

    number: int
    key: tuple[str, float, float]
    label: str
    said: list[Said]
    audio: str = ""
    wave: str = ""
    cut: bool = False

    @property
    def file(self) -> str:
        """Name of its file."""
        return self.key[0]


@dataclass(frozen=True)
class Group:
    """Some errors of a slice.

    Args:
        position: of the model that the slice was found for
        model: its id
        rule: of the slice
        confirmed: whether a test confirms the slice
        text: how many of its errors are heard
        clips: the errors; empty where all of them stand in groups before
    """

    position: int
    model: str
    rule: str
    confirmed: bool
    text: str
    clips: list[Clip]


def choose(study: Study) -> list[Group]:
    """Choose errors of the slices, without audio, the worst slice of each model first.

    Of the confirmed slices; where there are none, of the worst suggestions. Each utterance stands
    once, in the worst of its slices.
    """
    made: list[Group] = []
    seen: dict[tuple, int] = {}
    tables = [model.scores.set_index(KEY) for model in study.models]
    for position, model, row in _slices(study):
        errors = _errors(study, model, row["slice"])
        if not len(errors):
            continue
        chosen = [key for key in errors.index[: PER_SLICE + len(seen)] if key not in seen]
        chosen = chosen[:PER_SLICE]
        if study.classification:
            text = f"{len(chosen)} of {counted(len(errors), 'wrong utterance')}"
        else:
            text = f"{len(chosen)} of {counted(len(errors), 'utterance')}, the largest errors"
        shown = []
        for key in chosen:
            seen[key] = len(seen)
            shown.append(_clip(study, tables, key, seen[key]))
        made.append(
            Group(position, model.name, rule_text(row), bool(row["confirmed"]), text, shown)
        )
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
            heard = encode(clip, audio)
            cost = len(heard.audio) + len(heard.wave) + PLAYER
            cost += ESCAPED * len(clip.file.encode())
            if not heard.audio or cost > budget:
                left_out += 1
                filled.append(clip)
                continue
            budget -= cost
            filled.append(heard)
        made.append(replace(group, clips=filled))
    return made, left_out


def _slices(study: Study) -> Iterator[tuple[int, Model, pd.Series]]:
    """The slices of all models by rank: the worst of each, then the second of each, and so on."""
    tables = [distinct(model.slices) for model in study.models]
    if any(table["confirmed"].any() for table in tables):
        tables = [table[table["confirmed"]] for table in tables]
    else:
        tables = [table.head(SUGGESTIONS) for table in tables]
    for rank in range(max((len(table) for table in tables), default=0)):
        for position, (model, table) in enumerate(zip(study.models, tables, strict=True)):
            if rank < len(table):
                yield position, model, table.iloc[rank]


def _errors(study: Study, model: Model, name: str) -> pd.DataFrame:
    """Errors of a model in a slice, the surest or largest first."""
    members = model.members[model.members["slice"] == name]
    table = members[KEY].merge(model.scores, on=KEY)
    if study.classification:
        table = table[table["loss"] > 0]
        sure = confidence(table)
        # a table of predictions may come without probabilities
        table = table.assign(sure=np.nan if sure is None else sure)
        order = "sure"
    else:
        order = "loss"
    return table.sort_values([order, *KEY], ascending=[False, True, True, True]).set_index(KEY)


def _clip(study: Study, tables: list[pd.DataFrame], key: tuple, place: int) -> Clip:
    said, label = [], ""
    for position, (model, table) in enumerate(zip(study.models, tables, strict=True)):
        if key not in table.index:
            said.append(Said(position, model.name, "not scored"))
            continue
        row = table.loc[key]
        label = true_label(study, row["label"])
        said.append(opinion(study, position, row))
    return Clip(place, key, label, said)


def true_label(study: Study, value: object) -> str:
    """A label as text, with its unit."""
    return str(value) if study.classification else f"{value:g} {study.unit}".rstrip()


def opinion(study: Study, position: int, row: pd.Series) -> Said:
    """What a model said of an utterance.

    Args:
        study: the study
        position: of the model
        row: the utterance in the model's scores

    Returns:
        the prediction, and the highest probabilities, among them that of the predicted class, or
        the size of the error
    """
    name = study.models[position].name
    if not study.classification:
        off = f"off by {study.measure.text(row['loss'])}"
        return Said(position, name, f"{row['prediction']:.1f}", off)
    chosen = str(row["prediction"])
    probabilities = {
        column.removeprefix("p_"): float(row[column])
        for column in row.index
        if column.startswith("p_") and np.isfinite(row[column])
    }
    # of equally probable classes, the chosen one stands first
    order = sorted(probabilities, key=lambda one: (-probabilities[one], one != chosen, one))
    shown = order[:MAX_PROBABILITIES]
    if chosen in order and chosen not in shown:  # a table may choose any class
        shown[-1] = chosen
    text = ", ".join(f"{one}\u00a0{100 * probabilities[one]:.0f}\u00a0%" for one in shown)
    return Said(position, name, chosen, text, row["loss"] == 0)


def encode(clip: Clip, audio: str | Path) -> Clip:
    """Read the audio of a clip; the same audio gives the same bytes.

    Args:
        clip: without audio
        audio: folder that its file is relative to

    Returns:
        the clip with audio and waveform, without them where the file cannot be read
    """
    file, start, end = clip.key
    length = min(end - start, LONGEST)
    try:
        with soundfile.SoundFile(locate(audio, file)) as opened:
            rate = opened.samplerate
            opened.seek(min(round(start * rate), opened.frames))
            read = opened.read(round(length * rate), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError:
        return clip
    samples = read.mean(axis=1)
    if rate not in MP3_RATES:
        samples, rate = resample_poly(samples, RATE, rate), RATE
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="MP3")
    text = base64.b64encode(buffer.getvalue()).decode("ascii")
    return replace(clip, audio=text, wave=waveform(samples), cut=end - start > LONGEST)


def waveform(samples: np.ndarray) -> str:
    """An SVG path of upright lines, each as long as the signal is loud there.

    Args:
        samples: shape (samples,)

    Returns:
        path data in a box of `BARS` by `HEIGHT`, scaled to the loudest place
    """
    if not len(samples):
        return ""
    edges = np.linspace(0, len(samples), BARS, endpoint=False).astype(int)
    peaks = np.maximum.reduceat(np.abs(samples), edges)
    peaks = peaks / (peaks.max() or 1.0)
    half = np.maximum(np.round(peaks * (HEIGHT / 2 - 1)), 0.5)
    middle = HEIGHT / 2
    return "".join(f"M{x}.5 {middle - size:g}V{middle + size:g}" for x, size in enumerate(half))
