"""Probability of speech and level of each frame of recordings.

They are kept, so that other lengths of segments need no second pass over the audio.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pandas as pd
from tqdm import tqdm

from voxslice.data.audio import NO_FILE, require_folder
from voxslice.data.file_names import locate
from voxslice.errors import InputError
from voxslice.recordings.channel_faults import ChannelFaults
from voxslice.recordings.frames import frame_blocks
from voxslice.recordings.silero_vad import SpeechDetector, load_silero
from voxslice.utterance_keys import KEY

FLOOR = 1e-12
"""Power that stands for digital silence (-120 dB)."""


def detect_speech(recordings: pd.DataFrame, audio: str | Path, *, threads: int) -> pd.DataFrame:
    """Compute the probability of speech and the level of each frame of recordings.

    Args:
        recordings: `file` (relative to the folder), `start` and `end` in seconds
        audio: folder of the audio
        threads: number of recordings that are processed at the same time

    Returns:
        one row per recording with its key, `probabilities` and `levels` (dB relative to full
        scale), both float32 with one number per frame of 32 ms, `reason` (why it cannot be read;
        may be empty) and `note` (channels that are silent or copies; may be empty)

    Raises:
        MachineError: if the machine is at fault
    """
    session = load_silero()
    keys = list(recordings[KEY].itertuples(index=False, name=None))
    with ThreadPoolExecutor(threads) as pool:
        found = pool.map(partial(_detect, session, audio), keys)
        rows = list(tqdm(found, total=len(keys), desc="speech", unit="recording"))
    if any(row["reason"] == NO_FILE for row in rows):
        require_folder(audio)
    return pd.concat([recordings[KEY].reset_index(drop=True), pd.DataFrame(rows)], axis=1)


def _detect(
    session: onnxruntime.InferenceSession, audio: str | Path, key: tuple[str, float, float]
) -> dict[str, Any]:
    """Probabilities and levels of the frames of one recording, or why it cannot be read."""
    file, start, end = key
    detector, faults = SpeechDetector(session), ChannelFaults()
    probabilities, levels = [np.zeros(0, np.float32)], [np.zeros(0, np.float32)]
    reason = ""
    try:
        for frames in frame_blocks(locate(audio, file), start, end, faults):
            probabilities.append(detector(frames))
            levels.append(10 * np.log10(np.mean(np.square(frames), axis=1) + FLOOR))
    except InputError as error:
        reason = str(error)
    if not reason and len(levels) == 1:
        reason = "the audio is empty"
    return {
        "probabilities": np.concatenate(probabilities),
        "levels": np.concatenate(levels),
        "reason": reason,
        "note": faults.sentences(),
    }
