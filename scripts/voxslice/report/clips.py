"""The section with audio: the most confident or largest errors on the worst slices, as MP3."""

import base64
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from voxslice.data.audio import read_audio, resampled
from voxslice.data.file_names import locate
from voxslice.errors import reason_of
from voxslice.report.calibration import confidence
from voxslice.report.numbers import counted
from voxslice.report.study import Model, Study, distinct, rule_text
from voxslice.utterance_keys import KEY

PER_SLICE = 4
"""Largest number of utterances of a slice that are shown."""
MAX_PROBABILITIES = 3
"""Largest number of probabilities of a model that are shown for an utterance."""
SUGGESTIONS = 3
"""Largest number of slices of a model that are shown if no slice is confirmed."""
LONGEST = 20.0
"""Longest part of an utterance that is in the page, in seconds."""
MP3_RATES = {8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000}
"""Sampling rates in Hz that MP3 can have."""
RATE = 16000
"""Sampling rate in Hz of a clip if MP3 cannot have the rate of the file."""
PLAYER, ESCAPED = 500, 6
"""Largest size in bytes of the markup of a player, and of one byte of an escaped file name."""
BARS, HEIGHT = 100, 40
"""Number of lines of a waveform, and length of the longest line."""


@dataclass(frozen=True)
class Prediction:
    """Prediction of a model for one utterance, as text.

    Args:
        position: position of the model in the study
        model: id of the model
        prediction: class or value
        details: probabilities of the classes, or the size of the error
        correct: whether the class is correct; None for a value
    """

    position: int
    model: str
    prediction: str
    details: str = ""
    correct: bool | None = None


@dataclass(frozen=True)
class Clip:
    """An utterance with its label and its predictions.

    Args:
        number: number of the clip in the page, from 0
        key: file, start and end (seconds)
        label: true label
        predictions: one prediction per model
        audio: an MP3 file in base64; empty if the clip has no audio
        wave: SVG path of the waveform, in a box of `BARS` by `HEIGHT`
        cut: whether only the beginning of the utterance is in the page
    """

    number: int
    key: tuple[str, float, float]
    label: str
    predictions: list[Prediction]
    audio: str = ""
    wave: str = ""
    cut: bool = False

    @property
    def file(self) -> str:
        """Name of the file."""
        return self.key[0]


@dataclass(frozen=True)
class Group:
    """Some errors of a slice.

    Args:
        position: position of the model for which the slice was found
        model: id of the model
        rule: rule of the slice
        confirmed: whether a test confirms the slice
        text: how many of the errors are shown
        clips: the errors; empty if earlier groups contain all of them
    """

    position: int
    model: str
    rule: str
    confirmed: bool
    text: str
    clips: list[Clip]


def choose(study: Study) -> list[Group]:
    """Choose errors on the slices, without their audio.

    They are errors on the confirmed slices, or on the worst suggestions if no slice is confirmed.
    The worst slice of each model comes first. Each utterance is chosen once, in the worst of its
    slices.

    Args:
        study: the study

    Returns:
        one group per slice that has errors
    """
    groups: list[Group] = []
    numbers: dict[tuple, int] = {}
    tables = [model.scores.set_index(KEY) for model in study.models]
    for position, model, row in _slices(study):
        errors = _errors(study, model, row["slice"])
        if not len(errors):
            continue
        chosen = [key for key in errors.index[: PER_SLICE + len(numbers)] if key not in numbers]
        chosen = chosen[:PER_SLICE]
        if study.classification:
            text = f"{len(chosen)} of {counted(len(errors), 'error')}"
        else:
            text = f"{len(chosen)} of {counted(len(errors), 'utterance')}"
        shown = []
        for key in chosen:
            numbers[key] = len(numbers)
            shown.append(_clip(study, tables, key, numbers[key]))
        groups.append(
            Group(position, model.name, rule_text(row), bool(row["confirmed"]), text, shown)
        )
    return groups


def with_audio(groups: list[Group], audio: str | Path, budget: int) -> tuple[list[Group], int]:
    """Add audio to the clips in their order, as long as it fits into the page.

    Args:
        groups: groups as `choose` returns them
        audio: folder that the files are relative to
        budget: number of bytes that the players may add to the page

    Returns:
        the groups, and the number of clips without audio

    Raises:
        MachineError: if the machine is at fault
    """
    with_clips, left_out = [], 0
    for group in groups:
        filled = []
        for clip in group.clips:
            encoded = encode(clip, audio)
            cost = len(encoded.audio) + len(encoded.wave) + PLAYER
            cost += ESCAPED * len(clip.file.encode())
            if not encoded.audio or cost > budget:
                left_out += 1
                filled.append(clip)
                continue
            budget -= cost
            filled.append(encoded)
        with_clips.append(replace(group, clips=filled))
    return with_clips, left_out


def _slices(study: Study) -> Iterator[tuple[int, Model, pd.Series]]:
    """Yield the slices of all models: the worst of each model, then the second worst of each."""
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
    """Return the errors of a model on a slice, the largest or most confident first."""
    members = model.members[model.members["slice"] == name]
    table = members[KEY].merge(model.scores, on=KEY)
    if study.classification:
        table = table[table["loss"] > 0]
        probability = confidence(table)
        # given predictions may have no probabilities
        table = table.assign(_confidence=np.nan if probability is None else probability)
        order = "_confidence"
    else:
        order = "loss"
    return table.sort_values([order, *KEY], ascending=[False, True, True, True]).set_index(KEY)


def _clip(study: Study, tables: list[pd.DataFrame], key: tuple, number: int) -> Clip:
    """Collect the true label and the predictions for an utterance."""
    predictions, label = [], ""
    for position, (model, table) in enumerate(zip(study.models, tables, strict=True)):
        if key not in table.index:
            predictions.append(Prediction(position, model.name, "not scored"))
            continue
        row = table.loc[key]
        label = true_label(study, row["label"])
        predictions.append(prediction_text(study, position, row))
    return Clip(number, key, label, predictions)


def true_label(study: Study, value: object) -> str:
    """Return a true label as text, with its unit."""
    return str(value) if study.classification else f"{value:g} {study.unit}".rstrip()


def prediction_text(study: Study, position: int, row: pd.Series) -> Prediction:
    """Describe the prediction of a model for an utterance.

    Args:
        study: the study
        position: position of the model in the study
        row: row of the scores of the model

    Returns:
        the prediction with the highest probabilities, including that of the predicted class, or
        with the size of the error
    """
    name = study.models[position].name
    if not study.classification:
        error = f"error {study.measure.text(row['loss'])}"
        return Prediction(position, name, f"{row['prediction']:.1f}", error)
    predicted = str(row["prediction"])
    probabilities = {
        column.removeprefix("p_"): float(row[column])
        for column in row.index
        if column.startswith("p_") and np.isfinite(row[column])
    }
    # of equally probable classes, the predicted one comes first
    order = sorted(probabilities, key=lambda c: (-probabilities[c], c != predicted, c))
    shown = order[:MAX_PROBABILITIES]
    # given predictions may choose any class
    if predicted in order and predicted not in shown:
        shown[-1] = predicted
    text = ", ".join(f"{c}\u00a0{100 * probabilities[c]:.0f}\u00a0%" for c in shown)
    return Prediction(position, name, predicted, text, row["loss"] == 0)


def encode(clip: Clip, audio: str | Path) -> Clip:
    """Read and encode the audio of a clip. Equal audio becomes equal bytes.

    Args:
        clip: clip without audio
        audio: folder that its file is relative to

    Returns:
        the clip with audio and waveform, or unchanged if the audio cannot be read; the reason is
        printed

    Raises:
        MachineError: if the machine is at fault
    """
    file, start, end = clip.key
    try:
        recording = read_audio(locate(audio, file), start, min(end, start + LONGEST))
    except Exception as error:  # a broken file must not stop the report
        print(f"{file} has no player: {reason_of(error, file)}")
        return clip
    samples, rate = recording.signal, recording.rate
    if rate not in MP3_RATES:
        samples, rate = resampled(recording, RATE)[0], RATE
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="MP3")
    text = base64.b64encode(buffer.getvalue()).decode("ascii")
    return replace(clip, audio=text, wave=waveform(samples), cut=end - start > LONGEST)


def waveform(samples: np.ndarray) -> str:
    """Draw a waveform as an SVG path of vertical lines. Their length is the level of the signal.

    Args:
        samples: shape (samples,)

    Returns:
        path data in a box of `BARS` by `HEIGHT`; the loudest part has the longest line
    """
    if not len(samples):
        return ""
    edges = np.linspace(0, len(samples), BARS, endpoint=False).astype(int)
    peaks = np.maximum.reduceat(np.abs(samples), edges)
    peaks = peaks / (peaks.max() or 1.0)
    half = np.maximum(np.round(peaks * (HEIGHT / 2 - 1)), 0.5)
    middle = HEIGHT / 2
    return "".join(f"M{x}.5 {middle - size:g}V{middle + size:g}" for x, size in enumerate(half))
