"""Measures of the speech in an utterance: pitch, level and signal-to-noise ratio."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import inf
from pathlib import Path

import librosa
import numpy as np
import pandas as pd
import pyloudnorm
from numpy.lib.stride_tricks import sliding_window_view
from tqdm import tqdm

from voxslice.data.audio import is_silent, read_audio, require_folder, resampled
from voxslice.data.file_names import locate
from voxslice.errors import InputError, reason_of
from voxslice.utterance_keys import KEY

RATE = 16000
"""Sampling rate in Hz of the audio that is measured."""
LOWEST, HIGHEST = 60, 600
"""Range in Hz in which the pitch is searched: from low voices of men to cries of children."""
PITCH_FRAME, PITCH_HOP = 1024, 160
"""Length in samples of a frame in which the pitch is searched, and distance of the frames."""
VOICED = 0.45
"""Least correlation of a voiced frame with itself one period later, as in Boersma (1993)."""
LOUD = 10 ** (-20 / 10)
"""Least power of a frame that can be voiced, relative to the loudest frame."""
OFFSET = 0.3
"""Constant offset of a signal, relative to its standard deviation, from which on the offset is
removed before the pitch is measured. A smaller one hardly raises the correlation of a frame."""
NOISE_FRAME, NOISE_HOP = 400, 160
"""Length in samples of a frame in which the noise is measured, and distance of the frames."""
QUIET = 10
"""Percentage of the frames that are assumed to be pauses."""
MIN_NOISE_FRAMES = 20
"""Least number of frames for an estimate of the noise."""
SILENT = "it is silent"
"""Reason why silence has no measure."""


def pitch(signal: np.ndarray) -> float:
    """Measure the pitch of the voice: the median fundamental frequency of the voiced frames.

    YIN (de Cheveigné and Kawahara, 2002) finds a frequency in every frame, one frame per 10 ms. A
    frame is voiced if it is loud and repeats itself after the period that YIN found (Boersma,
    1993).

    Args:
        signal: shape (samples,), at the sampling rate `RATE`

    Returns:
        the pitch in Hz

    Raises:
        InputError: if the signal is silent or too short, or if no frame is voiced
    """
    if len(signal) < PITCH_FRAME:
        raise InputError(f"it is shorter than {PITCH_FRAME / RATE:g} s")
    if is_silent(signal):
        raise InputError(SILENT)
    if abs(signal.mean()) > OFFSET * signal.std():  # an offset repeats itself after any period
        signal = signal - signal.mean()
    frequencies = librosa.yin(
        signal,
        fmin=LOWEST,
        fmax=HIGHEST,
        sr=RATE,
        frame_length=PITCH_FRAME,
        hop_length=PITCH_HOP,
        center=False,
    )
    frames = sliding_window_view(signal, PITCH_FRAME)[::PITCH_HOP][: len(frequencies)]
    power = np.einsum("ij,ij->i", frames, frames)
    voiced = [
        frequency
        for frame, frequency, loud in zip(
            frames, frequencies, power >= LOUD * power.max(), strict=True
        )
        if loud and _repetition(frame, round(RATE / frequency)) >= VOICED
    ]
    if not voiced:
        raise InputError("no part of it is voiced")
    return float(np.median(voiced))


def _repetition(frame: np.ndarray, period: int) -> float:
    """Correlation of a frame with itself one period later; the period is in samples."""
    early, late = frame[:-period], frame[period:]
    scale = np.sqrt(np.dot(early, early) * np.dot(late, late))
    return float(np.dot(early, late) / scale) if scale > 0 else 0.0


def level(signal: np.ndarray) -> float:
    """Measure the speaking level: the integrated loudness of ITU-R BS.1770-4.

    Pauses do not count. The level depends on how the recording was made.

    Args:
        signal: shape (samples,), at the sampling rate `RATE`

    Returns:
        the level in LUFS: decibels relative to full scale, weighted by frequency as the ear does

    Raises:
        InputError: if the signal is silent, not longer than 0.4 s, or below -70 LUFS
    """
    meter = pyloudnorm.Meter(RATE)
    if len(signal) <= meter.block_size * RATE:
        raise InputError(f"it is not longer than {meter.block_size:g} s")
    if is_silent(signal):
        raise InputError(SILENT)
    with np.errstate(divide="ignore"):
        loudness = float(meter.integrated_loudness(signal))
    if not np.isfinite(loudness):
        raise InputError("its level is below -70 LUFS")
    return loudness


def snr(signal: np.ndarray) -> float:
    """Estimate the signal-to-noise ratio: the power of the speech relative to that of its pauses.

    The power of the noise is the tenth percentile of the power of frames of 25 ms. The power of the
    speech is the mean power minus that of the noise. The estimate assumes that the noise is steady
    and that a tenth of the utterance are pauses. Reverberation in pauses counts as noise. Frames of
    digital silence do not count.

    Args:
        signal: shape (samples,), at the sampling rate `RATE`

    Returns:
        the ratio in dB

    Raises:
        InputError: if the signal is silent, if less than 0.2 s of it is not digital silence, or if
            nothing in it is louder than the noise
    """
    if is_silent(signal):
        raise InputError(SILENT)
    power = np.zeros(0)
    if len(signal) >= NOISE_FRAME:
        frames = sliding_window_view(signal, NOISE_FRAME)[::NOISE_HOP]
        # the variance, so that an offset of the recording is no noise
        power = frames[frames.any(axis=1)].var(axis=1, dtype=float)
    if len(power) < MIN_NOISE_FRAMES:
        raise InputError(f"less than {MIN_NOISE_FRAMES * NOISE_HOP / RATE:g} s of it is not silent")
    noise = np.percentile(power, QUIET)
    speech = power.mean() - noise
    if noise <= 0 or speech <= 0:
        raise InputError("nothing in it stands out from the noise")
    return float(10 * np.log10(speech / noise))


MEASURES: dict[str, Callable[[np.ndarray], float]] = {"pitch": pitch, "level": level, "snr": snr}
"""Functions that measure a signal, by the name of the measure."""


def measure_speech(
    utterances: pd.DataFrame,
    *,
    audio: str | Path,
    measure: str,
    threads: int,
    longest: float = inf,
) -> pd.DataFrame:
    """Measure utterances, and print why an utterance could not be measured.

    Args:
        utterances: table with one row per utterance: `file`, `start` and `end` (seconds)
        audio: folder that the files are relative to
        measure: one of `MEASURES`
        threads: number of utterances that are measured at the same time. The result does not depend
            on it.
        longest: in seconds; a longer utterance is not measured, since the pitch of an hour would
            need 8 GB of memory

    Returns:
        table with one row per utterance: the key, the measure rounded to 0.1 in a column of its
        name, and `reason`, why there is no measure. One of the two is missing.

    Raises:
        MachineError: if the machine is at fault, or if the folder is gone or empty
    """

    def measured(file: str, start: float, end: float) -> float | str:
        try:
            recording = read_audio(locate(audio, file), start, end, longest)
            if recording.silence:
                return f"{SILENT} ({recording.silence})"
            return round(MEASURES[measure](resampled(recording, RATE)[0]), 1)
        except Exception as error:  # a broken file must not stop the others
            require_folder(audio)
            return reason_of(error, file)

    keys = utterances[KEY].reset_index(drop=True)
    rows = [keys[name] for name in KEY]
    with ThreadPoolExecutor(threads) as pool:
        results = list(
            tqdm(pool.map(measured, *rows), desc=measure, total=len(keys), unit="utterance")
        )
    reasons = [result if isinstance(result, str) else None for result in results]
    for file, start, end, reason in zip(*rows, reasons, strict=True):
        if reason is not None:
            print(f"{file} from {start:g} to {end:g} s has no {measure}: {reason}", file=sys.stderr)
    values = [np.nan if isinstance(result, str) else result for result in results]
    return keys.assign(
        **{measure: np.array(values, dtype=float)}, reason=pd.array(reasons, dtype="string")
    )
