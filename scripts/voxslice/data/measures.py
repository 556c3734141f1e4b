"""What an utterance sounds like, in one number each: its pitch, its level, its noise."""

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

from voxslice.data.audio import read_utterance, require_folder
from voxslice.data.file_names import locate
from voxslice.errors import InputError, reason_of
from voxslice.utterance_keys import KEY

RATE = 16000
"""Sampling rate in Hz at which all is measured."""
LOWEST, HIGHEST = 60, 600
"""Range in Hz in which a pitch is looked for: from low men to children and cries."""
PITCH_FRAME, PITCH_HOP = 1024, 160
"""Samples of a frame in which a pitch is looked for, and from one frame to the next."""
VOICED = 0.45
"""Least correlation of a voiced frame with itself one period later, as in Boersma (1993)."""
LOUD = 10 ** (-20 / 10)
"""Least power of a frame that can be voiced, as a share of that of the loudest."""
NOISE_FRAME, NOISE_HOP = 400, 160
"""Samples of a frame whose power is looked at for noise, and from one frame to the next."""
QUIET = 10
"""Percentage of the frames that are taken for pauses."""
MIN_NOISE_FRAMES = 20
"""Frames that an estimate of noise needs."""


def pitch(signal: np.ndarray) -> float:
    """Pitch of the voice: the median fundamental frequency of the voiced frames.

    Frequencies are those of YIN (de Cheveigné and Kawahara, 2002), every 10 ms. YIN finds one in
    any frame; voiced are those that are loud and repeat themselves after the period that it found
    (Boersma, 1993).

    Args:
        signal: shape (samples,), at `RATE`

    Returns:
        in Hz

    Raises:
        InputError: where no frame is voiced
    """
    if len(signal) < PITCH_FRAME:
        raise InputError(f"it is shorter than {PITCH_FRAME / RATE:g} s")
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
    """Correlation of a frame with itself a period of samples later."""
    early, late = frame[:-period], frame[period:]
    scale = np.sqrt(np.dot(early, early) * np.dot(late, late))
    return float(np.dot(early, late) / scale) if scale > 0 else 0.0


def level(signal: np.ndarray) -> float:
    """Speaking level: the integrated loudness of ITU-R BS.1770-4, in which pauses do not count.

    Args:
        signal: shape (samples,), at `RATE`

    Returns:
        in LUFS, decibels below full scale as an ear weighs them; it depends on how the recording
        was made

    Raises:
        InputError: where the audio is shorter than 0.4 s or below -70 LUFS
    """
    meter = pyloudnorm.Meter(RATE)
    if len(signal) <= meter.block_size * RATE:
        raise InputError(f"it is not longer than {meter.block_size:g} s")
    with np.errstate(divide="ignore"):
        loudness = float(meter.integrated_loudness(signal))
    if not np.isfinite(loudness):
        raise InputError("it is silent")
    return loudness


def snr(signal: np.ndarray) -> float:
    """Signal-to-noise ratio: the power of the speech over that of its pauses, an estimate.

    The tenth percentile of the power of frames of 25 ms is taken for the noise, and what the mean
    is above it for the speech. So the noise has to be steady and a tenth of the utterance pauses;
    reverberation in them counts as noise, digital silence does not count.

    Args:
        signal: shape (samples,), at `RATE`

    Returns:
        in dB

    Raises:
        InputError: where less than 0.2 s is left, or nothing stands out from the noise
    """
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
"""By name: functions of a signal."""


def measure_speech(
    utterances: pd.DataFrame,
    *,
    audio: str | Path,
    measure: str,
    threads: int,
    longest: float = inf,
) -> pd.DataFrame:
    """Measure utterances; why one of them could not be measured is printed.

    Args:
        utterances: `file`, `start`, `end` (seconds), one row an utterance
        audio: folder that the files are relative to
        measure: one of `MEASURES`
        threads: utterances that are measured at the same time; the result does not depend on it
        longest: seconds; what lasts longer is not read: the pitch of an hour would take 8 GB

    Returns:
        the keys, and a column of the measure's name: to a tenth of its unit, missing where there is
        none

    Raises:
        MachineError: where the machine is at fault, or the folder is gone or empty
    """

    def one(file: str, start: float, end: float) -> float | str:
        try:
            signal = read_utterance(locate(audio, file), start, end, RATE, longest)[0]
            return round(MEASURES[measure](signal), 1)
        except Exception as error:  # whatever one file does, the others are measured
            require_folder(audio)
            return reason_of(error, file)

    keys = utterances[KEY].reset_index(drop=True)
    rows = [keys[name] for name in KEY]
    with ThreadPoolExecutor(threads) as pool:
        results = list(tqdm(pool.map(one, *rows), desc=measure, total=len(keys), unit="utterance"))
    reasons = [result if isinstance(result, str) else None for result in results]
    for file, start, end, reason in zip(*rows, reasons, strict=True):
        if reason is not None:
            print(f"{file} from {start:g} to {end:g} s has no {measure}: {reason}", file=sys.stderr)
    values = [np.nan if isinstance(result, str) else result for result in results]
    return keys.assign(**{measure: np.array(values, dtype=float)})
