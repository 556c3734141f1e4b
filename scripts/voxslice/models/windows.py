"""Windows of a fixed duration, for models that take or were trained on one.

audinterface cuts the windows. It counts in samples here: at 16 kHz, it would lose a sample of every
second duration in seconds, because it rounds durations to microseconds and then down to samples.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any, Self

import numpy as np

POOLS: dict[str, Callable[..., np.ndarray]] = {"mean": np.mean, "max": np.max, "median": np.median}
"""How the outputs of the windows of an utterance become one, by name."""
PADS = {"repeat": "wrap", "zeros": "constant"}
"""How a signal is extended to whole windows: numpy's mode of padding, by name."""


@dataclass(frozen=True)
class Windows:
    """How a signal is cut into windows, and how their outputs are pooled.

    Attributes:
        samples: Length of a window.
        hop: Samples from the start of a window to the start of the next.
        pool: Key of `POOLS`.
        pad: Key of `PADS`.
    """

    samples: int
    hop: int
    pool: str
    pad: str

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any], sampling_rate: int) -> Self:
        """Make windows of the settings in a config.

        Args:
            settings: `seconds`, `pool` and `pad`, and `hop` in seconds if it is not `seconds`.
            sampling_rate: Sampling rate of the model in Hz.

        Returns:
            The windows.
        """
        samples = round(settings["seconds"] * sampling_rate)
        hop = round(settings.get("hop", settings["seconds"]) * sampling_rate)
        return cls(max(1, samples), max(1, hop), settings["pool"], settings["pad"])

    def cut(self, signal: np.ndarray) -> np.ndarray:
        """Cut a signal into windows. The last window is filled up, so that no sample is lost.

        Args:
            signal: Shape (1, samples), with at least one sample.

        Returns:
            Shape (windows, samples of a window).
        """
        length = signal.shape[1]
        number = 1 + max(0, ceil((length - self.samples) / self.hop))
        missing = self.samples + (number - 1) * self.hop - length
        whole = np.pad(signal[0], (0, max(0, missing)), mode=PADS[self.pad])  # type: ignore[call-overload]
        import audinterface  # models without windows do not need it

        # at a rate of 1 Hz, durations in seconds are numbers of samples
        return audinterface.utils.sliding_window(whole, 1, self.samples, self.hop)[0].T

    def merge(self, values: Sequence[np.ndarray]) -> np.ndarray:
        """Pool one output of all windows.

        Args:
            values: Value of the output for each window, all of one shape.

        Returns:
            An array of this shape.
        """
        if len(values) == 1:
            return values[0]
        return POOLS[self.pool](np.stack(values), axis=0)
