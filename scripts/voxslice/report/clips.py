"""Utterances to listen to: the most confident or largest errors of each failure mode, as MP3."""

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import soundfile

from voxslice.data.audio import Audio, read_audio, resampled
from voxslice.data.file_names import locate
from voxslice.decisions.confidence import confidence
from voxslice.errors import reason_of
from voxslice.report.modes import Mode, decisive, keys_of
from voxslice.report.numbers import counted
from voxslice.report.study import Model, Study
from voxslice.utterance_keys import KEY

PER_MODE = 3
"""Largest number of utterances of a mode that are shown."""
MAX_PROBABILITIES = 3
"""Largest number of probabilities of a model that are shown for an utterance."""
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
        certainty: probability of the predicted class, or the size of the error
        correct: whether the class is correct; None for a value
    """

    position: int
    model: str
    prediction: str
    details: str = ""
    certainty: str = ""
    correct: bool | None = None


@dataclass(frozen=True)
class Clip:
    """An utterance with its label and its predictions.

    Args:
        number: number of the clip in the page, from 0
        key: file, start and end (seconds)
        label: true label
        metadata: metadata of the utterance, such as `male, anger, speaker 03`
        predictions: one prediction per model
        audio: an MP3 file in base64; empty if the clip has no audio
        wave: SVG path of the waveform, in a box of `BARS` by `HEIGHT`
        cut: whether only the beginning of the utterance is in the page
    """

    number: int
    key: tuple[str, float, float]
    label: str
    metadata: str
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
    """Some errors of a failure mode.

    Args:
        mode: id of the mode
        text: how many of the errors are shown, and of which model
        clips: the errors; empty if earlier groups contain all of them
    """

    mode: str
    text: str
    clips: list[Clip]


def choose(study: Study, modes: Sequence[Mode]) -> list[Group]:
    """Choose errors of failure modes, without their audio.

    They are errors of the model for which the mode is confirmed; if there are several such models,
    of the one with the largest share of its errors in the mode. Each utterance is chosen once, for
    the first of its modes.

    Args:
        study: the study
        modes: modes to listen to, the worst first

    Returns:
        one group per mode that has errors
    """
    groups: list[Group] = []
    numbers: dict[tuple, int] = {}
    tables = [model.scores.set_index(KEY) for model in study.models]
    for mode in modes:
        model = study.models[int(decisive(mode.rows).iloc[0]["position"])]
        errors = _errors(study, model, keys_of(study, mode))
        if not len(errors):
            continue
        chosen = [key for key in errors.index[: PER_MODE + len(numbers)] if key not in numbers]
        chosen = chosen[:PER_MODE]
        noun = "error" if study.classification else "utterance"
        text = f"{len(chosen)} of {counted(len(errors), noun)} of {model.name}"
        shown = []
        for key in chosen:
            numbers[key] = len(numbers)
            shown.append(_clip(study, tables, key, numbers[key]))
        groups.append(Group(mode.name, text, shown))
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


def _errors(study: Study, model: Model, keys: pd.DataFrame) -> pd.DataFrame:
    """Return the errors of a model on some utterances, the largest or most confident first."""
    table = keys.merge(model.scores, on=KEY)
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
    """Collect the true label, the metadata and the predictions of an utterance."""
    predictions, label = [], ""
    for position, (model, table) in enumerate(zip(study.models, tables, strict=True)):
        if key not in table.index:
            predictions.append(Prediction(position, model.name, "not scored"))
            continue
        row = table.loc[key]
        label = true_label(study, row["label"])
        predictions.append(prediction_text(study, position, row))
    return Clip(number, key, label, metadata_text(study, study.described.loc[key]), predictions)


def metadata_text(study: Study, row: Mapping[str, object]) -> str:
    """Write the metadata of an utterance, without its true label.

    Args:
        study: the study
        row: metadata of the utterance

    Returns:
        names and values of the columns that have a value, such as `gender male, age 42`
    """
    parts = []
    for name in study.dataset_settings["columns"]:
        if name == study.target or name not in row or pd.isna(row[name]):
            continue
        value = row[name]
        text = f"{value:.4g}" if isinstance(value, float | np.floating) else str(value)
        parts.append(f"{name} {text}")
    return ", ".join(parts)


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
        return Prediction(position, name, f"{row['prediction']:.1f}", error, error)
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
    certainty = f"{100 * probabilities[predicted]:.0f}\u00a0%" if predicted in probabilities else ""
    return Prediction(position, name, predicted, text, certainty, row["loss"] == 0)


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
    cut = end - start > LONGEST
    return replace(clip, audio=as_mp3(recording), wave=waveform(recording.signal), cut=cut)


def as_mp3(recording: Audio) -> str:
    """Encode audio as an MP3 file in base64.

    Args:
        recording: the audio

    Returns:
        the file in base64, the same for the same audio
    """
    samples, rate = recording.signal, recording.rate
    if rate not in MP3_RATES:
        samples, rate = resampled(recording, RATE)[0], RATE
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="MP3")
    return base64.b64encode(buffer.getvalue()).decode("ascii")


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
