"""Channels of a recording that are silent, or copies of another channel."""

import numpy as np

from voxslice.data.audio import SILENCE

SAME = 1e-4
"""Largest difference of the samples of two channels that are copies: a few steps of 16 bits."""


class ChannelFaults:
    """Faults of the channels of one recording, which is seen block by block."""

    def __init__(self) -> None:
        self._lowest = self._highest = self._apart = np.zeros(0)

    def see(self, block: np.ndarray) -> None:
        """Take the next block of the recording into account.

        Args:
            block: float32 of shape (channels, samples), not empty
        """
        lowest, highest = block.min(axis=1), block.max(axis=1)
        apart = np.array([[np.abs(one - other).max() for other in block] for one in block])
        if len(self._lowest):
            lowest, highest = np.minimum(lowest, self._lowest), np.maximum(highest, self._highest)
            apart = np.maximum(apart, self._apart)
        self._lowest, self._highest, self._apart = lowest, highest, apart

    def sentence(self, channel: int) -> str:
        """Say what is wrong with a channel.

        Args:
            channel: number of the channel from 0

        Returns:
            a clause such as `channel 1 is silent`; empty if nothing is wrong
        """
        if self.is_silent(channel):
            return f"channel {channel} is silent"
        same = [
            other
            for other in range(channel)
            if self._apart[channel, other] <= SAME and not self.is_silent(other)
        ]
        return f"channel {channel} is a copy of channel {same[0]}" if same else ""

    def is_silent(self, channel: int) -> bool:
        """Whether a channel is silent (see `voxslice.data.audio.is_silent`)."""
        return bool(self._highest[channel] - self._lowest[channel] <= 2 * SILENCE)

    def sentences(self) -> str:
        """Say what is wrong with all channels, in clauses that are separated by a comma."""
        found = [self.sentence(channel) for channel in range(len(self._lowest))]
        return ", ".join(filter(None, found)) if len(found) > 1 else ""
