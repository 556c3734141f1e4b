"""Read utterances from audio files, or find out why that is not possible."""

import io
import os
import shutil
import stat
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from math import inf
from pathlib import Path
from typing import IO, NamedTuple, cast

import audresample
import numpy as np
import soundfile

from voxslice.data.headers import UNKNOWN, ChainedStreamsError, corrected
from voxslice.errors import InputError, MachineError, of_the_machine, reason_of

SLACK = 0.1
"""Seconds by which an utterance may end after its file, since annotations are rounded."""
LEAD = 1.0
"""Seconds of MP3 that are decoded before an utterance: a frame may use data of earlier frames."""
LOWEST_RATE = 1000
"""A file that states a lower sampling rate (Hz) is broken, and resampling it would take forever."""
SYSTEM_ERROR = 2
"""Error code of libsndfile if the operating system failed."""
BLOCK = 2**16
"""Samples that are decoded at a time where they are only counted or skipped."""
SILENCE = 10 ** (-70 / 20)
"""Largest deviation from the middle of a silent signal: the level below which ITU-R BS.1770 counts
nothing as sound. The rounding errors of 16 bits are 20 dB below it."""
STREAMED = 30.0
"""Seconds of audio that are read at a time from a long recording."""
AU_HEADER = struct.Struct(">4s5I")
"""Header of AU, a format that can be written to a pipe: magic, offset of the samples, their size,
encoding, sampling rate and number of channels."""
FFMPEG_RATE = 16000
"""Sampling rate in Hz at which ffmpeg decodes a file whose duration is measured."""
ALIASES = {"AIF", "AIFC", "MP2", "OGA", "OPUS", "SND", "WAVE"}
"""Suffixes of formats that libsndfile reads, besides the names that it gives to formats."""


NO_FILE = "the file does not exist"
"""Reason why a file that does not exist cannot be read."""
NO_SIGNAL = "no signal"
OUT_OF_PHASE = "channels out of phase"


class Audio(NamedTuple):
    """Audio of one utterance.

    Attributes:
        signal: float32 of shape (samples,), the mean of the channels
        rate: sampling rate in Hz
        silence: why the signal is silent: `NO_SIGNAL`, or `OUT_OF_PHASE` if a channel is not silent
            and the channels cancel each other; empty if the signal is not silent
    """

    signal: np.ndarray
    rate: int
    silence: str = ""


class _File(soundfile.SoundFile):
    """An audio file in which `soundfile` does not seek by itself.

    `soundfile` seeks before and after it reads, which fails if the length is unknown.
    """

    def seekable(self) -> bool:
        """Return False, so that `soundfile` does not seek. See `can_seek` and `go_to`."""
        return False

    @property
    def can_seek(self) -> bool:
        """Whether the format allows seeking."""
        return bool(super().seekable())

    def go_to(self, sample: int) -> bool:
        """Go to a sample.

        Args:
            sample: number of the sample from the beginning of the file

        Returns:
            True; False if the length is unknown and the file ends before the sample

        Raises:
            soundfile.LibsndfileError: if the length is known and the file is broken
        """
        try:
            self.seek(sample)
        except soundfile.LibsndfileError:
            if self.frames < UNKNOWN:
                raise
            return False
        return True

    def skip(self, samples: int) -> int:
        """Decode samples without keeping them.

        Args:
            samples: number of samples to skip

        Returns:
            number of samples that were skipped; fewer at the end of the file
        """
        skipped = 0
        while skipped < samples:
            count = len(self.read(min(samples - skipped, BLOCK), dtype="float32"))
            if not count:
                break
            skipped += count
        return skipped


def read_audio(path: str | Path, start: float, end: float, longest: float = inf) -> Audio:
    """Read one utterance from a file as mono, without reading more of the file than needed.

    Args:
        path: audio file in a format that libsndfile reads, or that ffmpeg reads if it is installed
        start: start of the utterance in seconds
        end: end of the utterance in seconds
        longest: longest duration in seconds; a longer utterance is not read

    Returns:
        the audio at the sampling rate of the file

    Raises:
        InputError: with the reason why there is no such audio, without the folder of the file
        OSError, MemoryError, MachineError: if the machine is at fault (see `of_the_machine`)
    """
    seconds = round(end - start, 6)  # 0.3 - 0.2 is more than 0.1
    if seconds > longest:
        raise InputError(
            f"it lasts {seconds:g} s, more than longest_seconds ({longest:g} s): give the start and"
            " end of its utterances"
        )
    path = Path(path)
    with _explained(path):
        signal, rate = _read(path, start, end)
    _require_rate(rate)
    missing = end - start - signal.shape[1] / rate
    if missing > SLACK:
        raise InputError(f"the file ends {missing:.2f} s before the utterance does")
    if signal.size == 0:
        raise InputError("the audio is empty")
    mixed = audresample.remix(signal, mixdown=True)[0]
    if not np.isfinite(mixed).all():
        raise InputError("the audio has samples that are not finite")
    silence = ""
    if is_silent(mixed):
        silence = NO_SIGNAL if all(map(is_silent, signal)) else OUT_OF_PHASE
    return Audio(mixed, rate, silence)


def stream_audio(
    path: str | Path, start: float, end: float, *, seconds: float = STREAMED
) -> Iterator[tuple[np.ndarray, int]]:
    """Read a part of a file in blocks, so that a recording of hours needs little memory.

    Args:
        path: audio file, see `read_audio`
        start: start of the part in seconds
        end: end of the part in seconds, infinity for the end of the file
        seconds: duration of a block

    Yields:
        float32 of shape (channels, samples), all channels of the file, and the sampling rate in Hz.
        There are fewer samples than expected if the file ends early

    Raises:
        InputError, OSError, MemoryError, MachineError: see `read_audio`
    """
    path = Path(path)
    with _explained(path):
        yield from _stream(path, start, end, seconds)


def read_utterance(
    path: str | Path, start: float, end: float, sampling_rate: int, longest: float = inf
) -> np.ndarray:
    """Read one utterance from a file as mono at a sampling rate.

    Args:
        path: audio file, see `read_audio`
        start: start of the utterance in seconds
        end: end of the utterance in seconds
        sampling_rate: sampling rate of the result in Hz
        longest: longest duration in seconds; a longer utterance is not read

    Returns:
        float32 of shape (1, samples), the mean of the channels

    Raises:
        InputError, OSError, MemoryError, MachineError: see `read_audio`
    """
    return resampled(read_audio(path, start, end, longest), sampling_rate)


def resampled(audio: Audio, sampling_rate: int) -> np.ndarray:
    """Resample the audio of an utterance.

    Args:
        audio: audio of the utterance, as `read_audio` returns it
        sampling_rate: sampling rate of the result in Hz

    Returns:
        float32 of shape (1, samples)
    """
    return audresample.resample(audio.signal[np.newaxis], audio.rate, sampling_rate)


def is_silent(signal: np.ndarray) -> bool:
    """Whether a signal is silence: at most rounding errors, or the noise of a muted recorder.

    Args:
        signal: shape (samples,) or (1, samples), not empty

    Returns:
        True if the signal is silent; a constant offset is ignored
    """
    return bool(np.ptp(signal) <= 2 * SILENCE)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Check that a path is a file, and turn errors of decoders into reasons without its folder."""
    _require_file(path)
    try:
        yield
    except soundfile.LibsndfileError as error:
        raise InputError(f"the audio cannot be read ({error.error_string.rstrip('.')})") from error
    except Exception as error:  # each format fails in its own way
        if of_the_machine(error):
            raise
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        reason = " ".join(reason.replace(str(path), path.name).split()) or type(error).__name__
        raise InputError(f"the audio cannot be read ({reason.rstrip('.')})") from error


def _require_rate(rate: int) -> None:
    """Refuse a sampling rate that only a broken file states."""
    if rate < LOWEST_RATE:
        raise InputError(f"the audio has a sampling rate of {rate} Hz")


def _require_file(path: Path) -> None:
    """Check that a path is a file, and explain if it is not."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        if of_the_machine(error):
            raise
        if isinstance(error, ValueError | FileNotFoundError | NotADirectoryError):
            raise InputError(NO_FILE) from error
        raise InputError(f"the file cannot be reached ({error.strerror})") from error
    if not stat.S_ISREG(mode):  # reading a pipe would never end
        raise InputError("it is not a file")


def require_folder(folder: str | Path) -> None:
    """Check that the folder of the audio exists. It may be missing if a disk is not mounted.

    Without this check, all audio files would count as missing.

    Args:
        folder: folder of the audio

    Raises:
        MachineError: if the folder is missing or empty
    """
    try:
        with os.scandir(folder) as entries:
            there = any(True for _ in entries)
    except PermissionError:
        there = True  # files in a folder that cannot be listed may still be readable
    except OSError:
        there = False
    if not there:
        raise MachineError(
            f"The folder of audio {folder} is gone or empty: bring it back, for example by mounting"
            " it, and run again."
        )


def _read(path: Path, start: float, end: float) -> tuple[np.ndarray, int]:
    """Read a part of a file.

    Returns:
        float32 of shape (channels, samples), and the sampling rate in Hz
    """
    try:
        with _opened(path) as file:
            rate = file.samplerate
            first = min(round(start * rate), file.frames)
            lead = min(first, round(LEAD * rate)) if file.format == "MP3" else 0
            if not file.can_seek:
                file.skip(first)
            elif first > lead and not file.go_to(first - lead):
                return np.zeros((file.channels, 0), np.float32), rate
            count = min(lead + round((end - start) * rate), file.frames - first + lead)
            samples = file.read(count, dtype="float32", always_2d=True)
        return samples[lead:].T, rate
    except (soundfile.LibsndfileError, ChainedStreamsError) as error:
        _require_other_format(path, error)
    _require_ffmpeg(path)
    # as options of the output: ffmpeg then decodes from the beginning, so the times are exact
    span = ["-ss", f"{start:.6f}", "-t", f"{end - start:.6f}"]
    with _ffmpeg(path, [*span, "-c:a", "pcm_f32le", "-f", "wav"]) as output:
        content = output.read()
    with _File(io.BytesIO(content)) as file:
        count = min(round((end - start) * file.samplerate), file.frames)
        return file.read(count, dtype="float32", always_2d=True).T, file.samplerate


def _stream(
    path: Path, start: float, end: float, seconds: float
) -> Iterator[tuple[np.ndarray, int]]:
    """Read a part of a file in blocks of float32 of shape (channels, samples), with the rate."""
    try:
        with _opened(path) as file:
            rate = file.samplerate
            _require_rate(rate)
            first = min(round(start * rate), file.frames)
            if not file.can_seek:
                file.skip(first)
            elif first and not file.go_to(first):
                return
            left = round(min((end - start) * rate, file.frames - first))
            while left > 0:
                block = file.read(min(left, round(seconds * rate)), dtype="float32", always_2d=True)
                if not len(block):
                    return
                left -= len(block)
                yield block.T, rate
            return
    except (soundfile.LibsndfileError, ChainedStreamsError) as error:
        _require_other_format(path, error)
    _require_ffmpeg(path)
    span = ["-ss", f"{start:.6f}", *([] if end == inf else ["-t", f"{end - start:.6f}"])]
    with _ffmpeg(path, [*span, "-c:a", "pcm_f32be", "-f", "au"]) as stream:
        head = stream.read(AU_HEADER.size)
        if len(head) < AU_HEADER.size:  # ffmpeg failed, which is reported at the end of the block
            return
        _, offset, _, _, rate, channels = AU_HEADER.unpack(head)
        stream.read(offset - AU_HEADER.size)
        while content := stream.read(4 * channels * round(seconds * rate)):
            whole = len(content) // (4 * channels) * channels
            samples = np.frombuffer(content, ">f4", whole).astype(np.float32)
            yield samples.reshape(-1, channels).T, rate


def _require_ffmpeg(path: Path) -> None:
    """Refuse a file in a format that only ffmpeg reads if ffmpeg is not installed."""
    if shutil.which("ffmpeg") is None:
        raise InputError(
            f"{_format_name(path)} is not read here: convert it to WAV or FLAC, or install ffmpeg"
        )


@contextmanager
def _opened(path: Path) -> Iterator[_File]:
    """Open an audio file with libsndfile, with a corrected header if its own one is wrong."""
    with ExitStack() as stack:
        source = corrected(path)
        if source is not None:
            stack.enter_context(source)
        yield stack.enter_context(_File(source if source is not None else path))


def _require_other_format(
    path: Path, error: soundfile.LibsndfileError | ChainedStreamsError
) -> None:
    """Raise the error of libsndfile, unless the format is one that only ffmpeg may read."""
    if isinstance(error, ChainedStreamsError):
        return
    if error.code == SYSTEM_ERROR:
        _read_bytes(path)
    suffix = path.suffix.lstrip(".").upper()
    if not _is_mp4(path) and suffix in ALIASES | {"", *soundfile.available_formats()}:
        raise error


def _read_bytes(path: Path) -> None:
    """Read a file to raise the error of the operating system, which libsndfile does not report."""
    with path.open("rb") as file:
        while file.read(1 << 20):
            pass


def _is_mp4(path: Path) -> bool:
    """Whether a file is MP4 or M4A by its content, whatever its name is."""
    with path.open("rb") as file:
        return file.read(8)[4:] == b"ftyp"


def _format_name(path: Path) -> str:
    """Name of the format of a file that libsndfile cannot read, for messages."""
    suffix = path.suffix.lstrip(".").upper()
    if suffix in ALIASES | {"", *soundfile.available_formats()}:
        return "M4A" if _is_mp4(path) else "Ogg with several streams in succession"
    return suffix


@contextmanager
def _ffmpeg(path: Path, output: list[str]) -> Iterator[IO[bytes]]:
    """Decode a file with ffmpeg.

    Args:
        path: audio file
        output: options of ffmpeg for the output

    Yields:
        stream of the output of ffmpeg

    Raises:
        InputError: if ffmpeg cannot decode the file
        MachineError: if ffmpeg was killed
    """
    options = ["-nostdin", "-v", "error", "-protocol_whitelist", "file"]
    command = ["ffmpeg", *options, "-i", f"file:{path}", "-map", "0:a:0", *output, "-"]
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(  # noqa: S603
            command, stdout=subprocess.PIPE, stderr=errors
        ) as process:
            yield cast(IO[bytes], process.stdout)
        errors.seek(0)
        messages = errors.read().decode("utf-8", "replace").strip().splitlines()
    if process.returncode < 0:
        raise MachineError(f"ffmpeg was killed while it decoded {path.name}: run again.")
    if process.returncode:
        raise InputError(f"ffmpeg: {messages[-1] if messages else 'it failed'}")


def seconds(path: str | Path) -> float:
    """Return the duration of an audio file in seconds.

    Args:
        path: audio file

    Returns:
        the duration; 0 if the file cannot be read; `read_audio` then gives the reason

    Raises:
        MachineError: if the machine is at fault
    """
    try:
        return _seconds(Path(path))
    except Exception as error:  # a broken file must not stop the others
        reason_of(error, str(path))
        return 0.0


def _seconds(path: Path) -> float:
    _require_file(path)
    try:
        with _opened(path) as file:
            frames = file.frames if file.frames < UNKNOWN else file.skip(UNKNOWN)
            return float(frames / file.samplerate)
    except (soundfile.LibsndfileError, ChainedStreamsError) as error:
        _require_other_format(path, error)
    output = ["-ac", "1", "-ar", str(FFMPEG_RATE), "-f", "s16le"]
    count = 0
    with _ffmpeg(path, output) as stream:
        while block := stream.read(BLOCK):
            count += len(block)
    return count / 2 / FFMPEG_RATE
