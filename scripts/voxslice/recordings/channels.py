"""Recordings whose channels have one speaker each: every channel becomes a mono file."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from math import inf
from pathlib import Path
from typing import Any

import pandas as pd
import soundfile
from tqdm import tqdm

from voxslice.data.audio import NO_FILE, require_folder, stream_audio
from voxslice.data.file_names import locate
from voxslice.errors import InputError
from voxslice.files import whole
from voxslice.recordings.channel_faults import ChannelFaults

SUFFIX = ".flac"
"""Suffix of the files of channels. FLAC keeps up to 24 bits per sample."""


def separate_channels(
    recordings: pd.DataFrame,
    *,
    audio: str | Path,
    channels: Mapping[str, str],
    folder: str | Path,
    threads: int,
) -> pd.DataFrame:
    """Write each channel of recordings as a mono file at the sampling rate of the recording.

    Args:
        recordings: `file` (relative to the folder of the audio), `start` and `end` in seconds
        audio: folder of the recordings
        channels: name of each wanted channel, by its number from 0 as text
        folder: receives the files
        threads: number of recordings that are processed at the same time

    Returns:
        one row per recording and wanted channel: `file` (relative to `folder`), `start`, `end` and
        `duration` as for the recording, `recording` (its file), `channel` (its name) and `note`:
        why there is no file, or what is wrong with the channel

    Raises:
        MachineError: if the machine is at fault
    """
    files = list(recordings["file"].unique())
    separate = partial(_separate, audio=Path(audio), channels=channels, folder=Path(folder))
    with ThreadPoolExecutor(threads) as pool:
        found = pool.map(separate, files)
        notes = dict(zip(files, tqdm(found, total=len(files), unit="recording"), strict=True))
    if any(NO_FILE in row for row in notes.values()):
        require_folder(audio)
    rows: list[dict[str, Any]] = []
    for row in recordings.itertuples(index=False):
        for name, note in zip(channels.values(), notes[row.file], strict=True):
            file = channel_file(row.file, name)
            own = {"file": file, "recording": row.file, "channel": name, "note": note}
            rows.append({**row._asdict(), **own})
    return pd.DataFrame(rows).sort_values(["file", "start", "end"], ignore_index=True)


def channel_file(recording: str, channel: str) -> str:
    """Name of the file of a channel.

    Args:
        recording: file of the recording
        channel: name of the channel

    Returns:
        the name, in the same folder as the recording
    """
    return f"{recording}.{channel}{SUFFIX}"


def _separate(
    file: str, *, audio: Path, channels: Mapping[str, str], folder: Path
) -> Sequence[str]:
    """Write the channels of one recording.

    Returns:
        note on each wanted channel: why it has no file, or what is wrong with it; may be empty
    """
    numbers, faults = list(map(int, channels)), ChannelFaults()
    targets = [folder / channel_file(file, name) for name in channels.values()]
    try:
        with ExitStack() as stack:
            outputs: list[soundfile.SoundFile] = []
            for block, rate in stream_audio(locate(audio, file), 0, inf):
                if len(block) <= max(numbers):
                    raise InputError(
                        f"it has {len(block)} channel{'s' * (len(block) > 1)}, and no channel"
                        f" {max(numbers)}"
                    )
                if not outputs:
                    paths = [stack.enter_context(whole(target)) for target in targets]
                    outputs = [stack.enter_context(_writer(path, rate)) for path in paths]
                faults.see(block)
                for number, output in zip(numbers, outputs, strict=True):
                    output.write(block[number])
            if not outputs:
                raise InputError("the audio is empty")
    except InputError as error:
        return [str(error)] * len(numbers)
    return [faults.sentence(number) for number in numbers]


def _writer(path: Path, rate: int) -> soundfile.SoundFile:
    """A mono FLAC file that is open for writing."""
    return soundfile.SoundFile(path, "w", rate, channels=1, format="FLAC", subtype="PCM_24")
