"""Audio files: their duration, and an utterance from one of them or the reason why not."""

import os
import stat
from math import inf
from pathlib import Path

import audiofile
import audresample
import numpy as np
import soundfile

from voxslice.errors import InputError, MachineError, of_the_machine, reason_of

SLACK = 0.1
"""Seconds by which an utterance may end after its file: annotations are rounded."""
LEAD = 1.0
"""Seconds of MP3 to decode before a segment: a frame may lean on data of the frames before it."""
LOWEST_RATE = 1000
"""A file that claims a smaller sampling rate (Hz) is broken, and resampling would inflate it."""
SYSTEM_ERROR = 2
"""The code with which libsndfile passes on that the operating system failed."""


def read_utterance(
    path: str | Path, start: float, end: float, sampling_rate: int, longest: float = inf
) -> np.ndarray:
    """Read an utterance, and nothing else of its file, as mono at a sampling rate.

    Args:
        path: audio file of any rate and number of channels, in a format that libsndfile reads, or
            that audiofile reads with ffmpeg or sox where one of them is installed
        start: in seconds
        end: in seconds
        sampling_rate: of the result, in Hz
        longest: seconds; nothing is read of an utterance that lasts longer

    Returns:
        float32, shape (1, samples): the mean of the channels

    Raises:
        InputError: with the reason why there is no such audio, without the place of the file
        OSError, MemoryError: where the machine is at fault (see `of_the_machine`)
    """
    seconds = round(end - start, 6)  # 0.3 - 0.2 is more than 0.1
    if seconds > longest:
        raise InputError(
            f"it lasts {seconds:g} s, more than longest_seconds ({longest:g} s): give the start and"
            " end of its utterances"
        )
    path = Path(path)
    _require_file(path)
    try:
        signal, rate = _read(path, start, end)
    except soundfile.LibsndfileError as error:
        raise InputError(f"the audio cannot be read ({error.error_string.rstrip('.')})") from error
    except Exception as error:  # each format fails in its own way
        if of_the_machine(error):
            raise
        reason = " ".join(str(error).replace(str(path), path.name).split()) or type(error).__name__
        raise InputError(f"the audio cannot be read ({reason.rstrip('.')})") from error
    if rate < LOWEST_RATE:
        raise InputError(f"the audio has a sampling rate of {rate} Hz")
    lacking = end - start - signal.shape[1] / rate
    if lacking > SLACK:
        raise InputError(f"the file ends {lacking:.2f} s before the utterance does")
    if signal.size == 0:
        raise InputError("the audio is empty")
    signal = audresample.remix(signal, mixdown=True)
    if not np.isfinite(signal).all():
        raise InputError("the audio has samples that are not finite")
    return audresample.resample(signal, rate, sampling_rate)


def _require_file(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        if of_the_machine(error):
            raise
        if isinstance(error, ValueError | FileNotFoundError | NotADirectoryError):
            raise InputError("the file does not exist") from error
        raise InputError(f"the file cannot be reached ({error.strerror})") from error
    if not stat.S_ISREG(mode):  # reading a pipe would wait for ever
        raise InputError("it is not a file")


def require_folder(folder: str | Path) -> None:
    """Refuse to take files for missing where all of them are, as where a disk is not mounted.

    Args:
        folder: of audio

    Raises:
        MachineError: where it is gone or empty
    """
    try:
        with os.scandir(folder) as entries:
            there = any(True for _ in entries)
    except PermissionError:
        there = True  # its files may be read all the same
    except OSError:
        there = False
    if not there:
        raise MachineError(
            f"The folder of audio {folder} is gone or empty: bring it back, as by mounting it, and"
            " run again."
        )


def _read(path: Path, start: float, end: float) -> tuple[np.ndarray, int]:
    """The samples of a part of a file, shape (channels, samples), and their rate in Hz."""
    try:
        return _read_native(path, start, end)
    except soundfile.LibsndfileError as error:
        if error.code == SYSTEM_ERROR:
            _read_bytes(path)
        if path.suffix.lstrip(".").upper() in soundfile.available_formats():
            raise
        return audiofile.read(str(path), offset=start, duration=end - start, always_2d=True)


def _read_bytes(path: Path) -> None:
    """Fail as the operating system does, of which libsndfile tells no more than that it failed."""
    with path.open("rb") as file:
        while file.read(1 << 20):
            pass


def _read_native(path: Path, start: float, end: float) -> tuple[np.ndarray, int]:
    with soundfile.SoundFile(path) as file:
        rate = file.samplerate
        first = min(round(start * rate), file.frames)
        lead = min(first, round(LEAD * rate)) if file.format == "MP3" else 0
        file.seek(first - lead)
        samples = file.read(lead + round((end - start) * rate), dtype="float32", always_2d=True)
    return samples[lead:].T, rate


def seconds(path: str | Path) -> float:
    """Duration of an audio file, 0 where it cannot be read: reading it then gives the reason.

    Raises:
        MachineError: where the machine is at fault
    """
    try:
        return _seconds(Path(path))
    except Exception as error:  # a broken file must not take the others with it
        reason_of(error, str(path))
        return 0.0


def _seconds(path: Path) -> float:
    _require_file(path)
    try:
        return float(soundfile.info(str(path)).duration)
    except soundfile.LibsndfileError as error:
        if error.code == SYSTEM_ERROR:
            _read_bytes(path)
        return audiofile.duration(str(path))
