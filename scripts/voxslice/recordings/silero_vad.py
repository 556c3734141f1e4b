"""Voice activity of long recordings by the sequence model of Silero VAD, without torch.

`audinterface.Segment` is not used, because it loads a whole file before it calls a function. Here
the audio arrives in blocks, and the state of the model is carried from one block to the next.
"""

from pathlib import Path

import numpy as np
import onnxruntime

from voxslice.errors import InputError
from voxslice.files import sha256

MODEL = Path(__file__).parent / "silero" / "silero_vad_16k_sequence.onnx"
"""The model, see README.md beside it."""
SHA256 = "9ccdacc4719d8aa7e45a77536bfabec45a03ba1f2fad5e241ab4060b24238a85"
"""Checksum of the model. A new model changes this module, so that jobs run again."""
RATE = 16000
"""Sampling rate in Hz of the signal that the model takes."""
FRAME = 512
"""Samples of a frame (32 ms), for which the model gives one probability."""
CONTEXT = 64
"""Samples before each frame that the model takes as well."""
STATE = (1, 1, 128)
"""Shape of both states of the model."""


def load_silero() -> onnxruntime.InferenceSession:
    """Load the model for one thread.

    Returns:
        session of onnxruntime; several threads may run it at the same time

    Raises:
        InputError: if the file is not the model that it should be
    """
    if sha256(MODEL) != SHA256:
        raise InputError(f"{MODEL.name} is damaged: install Voxslice again.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(
        str(MODEL), sess_options=options, providers=["CPUExecutionProvider"]
    )


class SpeechDetector:
    """The model while it runs through one recording.

    Args:
        session: the model, see `load_silero`
    """

    def __init__(self, session: onnxruntime.InferenceSession) -> None:
        self._session = session
        self._hidden = self._cell = np.zeros(STATE, np.float32)
        self._before = np.zeros(CONTEXT, np.float32)

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        """Compute the probability of speech of the next frames of the recording.

        Args:
            frames: signal at `RATE`, float32 of shape (frames, `FRAME`)

        Returns:
            float32 of shape (frames,)
        """
        contexts = np.vstack([self._before, frames[:-1, -CONTEXT:]])
        self._before = frames[-1, -CONTEXT:].copy()
        inputs = {"input": np.hstack([contexts, frames]), "h": self._hidden, "c": self._cell}
        values, self._hidden, self._cell = self._session.run(["speech_probs", "hn", "cn"], inputs)
        return np.asarray(values).reshape(-1)
