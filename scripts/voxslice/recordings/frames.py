"""The signal of a recording at 16 kHz, in frames that arrive block by block."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soxr

from voxslice.data.audio import stream_audio
from voxslice.recordings.channel_faults import ChannelFaults
from voxslice.recordings.silero_vad import FRAME, RATE

QUALITY = "MQ"
"""Quality of the resampling: enough for voice activity, and half the time of the best."""


def frame_blocks(
    path: str | Path, start: float, end: float, faults: ChannelFaults
) -> Iterator[np.ndarray]:
    """Read a recording as mono frames at the sampling rate of the voice activity model.

    Args:
        path: audio file, see `voxslice.data.audio.read_audio`
        start: start of the recording in seconds
        end: end of the recording in seconds
        faults: takes each block of all channels into account

    Yields:
        consecutive frames, float32 of shape (frames, `FRAME`); the last one is filled with zeros

    Raises:
        InputError: with the reason why there is no such audio
    """
    rest = np.zeros(0, np.float32)
    for signal in _resampled(path, start, end, faults):
        rest = np.concatenate([rest, signal])
        whole = len(rest) // FRAME * FRAME
        if whole:
            yield rest[:whole].reshape(-1, FRAME)
            rest = rest[whole:]
    if len(rest):
        yield np.pad(rest, (0, FRAME - len(rest))).reshape(1, FRAME)


def _resampled(
    path: str | Path, start: float, end: float, faults: ChannelFaults
) -> Iterator[np.ndarray]:
    """The mean of the channels at `RATE`, float32 of shape (samples,) per block."""
    stream = None
    for block, rate in stream_audio(path, start, end):
        faults.see(block)
        mono = np.nan_to_num(block.mean(axis=0, dtype=np.float32))
        if rate == RATE:
            yield mono
            continue
        stream = stream or soxr.ResampleStream(rate, RATE, 1, dtype="float32", quality=QUALITY)
        yield stream.resample_chunk(np.ascontiguousarray(mono))
    if stream is not None:
        yield stream.resample_chunk(np.zeros(0, np.float32), last=True)
