"""Rooms: impulse responses that are simulated with image sources."""

from math import ceil, exp, hypot
from typing import NamedTuple

import numpy as np
import pyroomacoustics

RATE = 48000
"""Sampling rate in Hz of simulated impulse responses."""
COUNT = 8
"""Number of rooms that are simulated for one reverberation time."""
SMALLEST, LARGEST = np.array([3.2, 2.8, 2.4]), np.array([5.0, 4.4, 3.6])
"""Range of length, width and height in m of a room with a reverberation time of `USUAL`."""
USUAL = 0.5
"""Reverberation time in s of a usual room. Others are larger or smaller by its square root."""
WALL = 0.5
"""Smallest distance in m of speaker and microphone from the walls."""
DISTANCES = (0.5, 3.0)
"""Range of the distance in m between speaker and microphone."""
SOUND_SPEED = 343.0
"""Speed of sound in m/s."""
FIT = (-5, -35)
"""Range in dB of the decay that the reverberation time is measured in (T30 of ISO 3382)."""
TOLERANCE = 0.02
"""Relative error of the reverberation time of a simulated room."""
MAX_TRIALS = 8
"""Simulations of a room until it has the wanted reverberation time."""
SIMULATED = 0.75
"""Share of the reverberation time that is simulated: until the level has fallen by 45 dB."""


class Room(NamedTuple):
    """A rectangular room with a speaker and a microphone.

    Attributes:
        size: length, width and height in m, of shape (3,)
        speaker: position in m, of shape (3,)
        microphone: position in m, of shape (3,)
    """

    size: np.ndarray
    speaker: np.ndarray
    microphone: np.ndarray

    def response(self, absorption: float, seconds: float) -> np.ndarray:
        """Simulate the impulse response with image sources, which uses no random numbers.

        Args:
            absorption: share of the energy that each wall absorbs, from 0 to 1
            seconds: time until which reflections are simulated

        Returns:
            shape (samples,), at the sampling rate `RATE`
        """
        walls = pyroomacoustics.Material(absorption)
        # an order of this number covers all reflections up to the time
        sides = zip(self.size, np.roll(self.size, 1), strict=True)
        radius = min(one * other / hypot(one, other) for one, other in sides)
        order = ceil(SOUND_SPEED * seconds / radius)
        room = pyroomacoustics.ShoeBox(self.size, fs=RATE, materials=walls, max_order=order)
        room.add_source(self.speaker)
        room.add_microphone(self.microphone)
        room.compute_rir()
        return np.asarray(room.rir[0][0])


def simulated_rooms(seconds: float, seed: int, count: int = COUNT) -> list[np.ndarray]:
    """Simulate impulse responses of rooms with a reverberation time.

    Args:
        seconds: reverberation time in s
        seed: seed of the sizes and places
        count: number of rooms

    Returns:
        one impulse response per room at the sampling rate `RATE`, each of shape (samples,) and with
        a largest absolute value of 1
    """
    # threads would add up reflections in another order, which changes the last digits
    pyroomacoustics.constants.set("num_threads", 1)
    responses = []
    for number in range(count):
        room = _drawn_room(seconds, np.random.default_rng([seed, number]))
        response = _fitted_response(room, seconds)
        responses.append(response / np.abs(response).max())
    return responses


def reverberation_time(response: np.ndarray, rate: int) -> float:
    """Measure the reverberation time of an impulse response: T30 by Schroeder's integration.

    Args:
        response: shape (samples,)
        rate: sampling rate in Hz

    Returns:
        time in s in which the level falls by 60 dB, extrapolated from -5 to -35 dB
    """
    energy = np.cumsum(np.square(response, dtype=float)[::-1])[::-1]
    with np.errstate(divide="ignore"):
        decay = 10 * np.log10(energy / energy[0])
    first, last = (int(np.argmax(decay <= level)) for level in FIT)
    slope = np.polyfit(np.arange(first, last) / rate, decay[first:last], 1)[0]
    return float(-60 / slope)


def _drawn_room(seconds: float, generator: np.random.Generator) -> Room:
    """Draw a room, which is larger for a longer reverberation time."""
    size = generator.uniform(SMALLEST, LARGEST) * np.clip(np.sqrt(seconds / USUAL), 0.7, 1.7)
    while True:
        speaker, microphone = generator.uniform(WALL, size - WALL, (2, 3))
        if DISTANCES[0] <= np.linalg.norm(speaker - microphone) <= DISTANCES[1]:
            return Room(size, speaker, microphone)


def _fitted_response(room: Room, seconds: float) -> np.ndarray:
    """Simulate a room whose walls absorb as much as its reverberation time needs.

    The formula of Eyring gives the first absorption. Its exponent is corrected by what is measured.
    """
    length, width, height = room.size
    walls = 2 * (length * width + width * height + height * length)
    exponent = 0.161 * length * width * height / (walls * seconds)
    for _ in range(MAX_TRIALS):
        response = room.response(1 - exp(-exponent), SIMULATED * seconds)
        ratio = reverberation_time(response, RATE) / seconds
        if abs(ratio - 1) <= TOLERANCE:
            break
        exponent *= ratio
    return response
