"""Impulse responses of rooms by the image source method (Allen and Berkley 1979)."""

import numpy as np
import scipy.signal

SPEED = 343.0
"""Speed of sound in m/s."""
HIGH_PASS = 50
"""Frequency in Hz below which a response is removed: image sources add up to an offset."""


def response(
    room: np.ndarray, source: np.ndarray, microphone: np.ndarray, seconds: float, rate: int
) -> np.ndarray:
    """Compute the impulse response of a rectangular room whose walls reflect equally.

    Args:
        room: lengths of the edges in m, shape (3,)
        source: place of the source in m, shape (3,)
        microphone: place of the microphone in m, shape (3,)
        seconds: reverberation time, from which the absorption follows (Eyring 1930)
        rate: sampling rate in Hz

    Returns:
        shape (samples,), 1.2 times as long as the reverberation time
    """
    surface = 2 * (room[0] * room[1] + room[0] * room[2] + room[1] * room[2])
    reflected = np.exp(-12 * np.log(10) * room.prod() / (SPEED * surface * seconds))
    samples = int(1.2 * seconds * rate)
    received = np.zeros(samples)
    orders = [np.arange(-n, n + 1) for n in (samples / rate * SPEED / (2 * room)).astype(int) + 1]
    for mirrored in np.ndindex(2, 2, 2):
        squares, bounces = 0.0, 0
        for axis, side in enumerate(mirrored):
            order = orders[axis]
            place = (1 - 2 * side) * source[axis] + 2 * order * room[axis] - microphone[axis]
            shape = [-1 if axis == one else 1 for one in range(3)]
            squares = squares + (place**2).reshape(shape)
            bounces = bounces + (np.abs(order - side) + np.abs(order)).reshape(shape)
        distance = np.sqrt(squares)
        delay = np.round(distance / SPEED * rate).astype(int)
        near = delay < samples
        np.add.at(received, delay[near], reflected ** bounces[near] / (4 * np.pi * distance[near]))
    filtered = scipy.signal.butter(2, HIGH_PASS, "high", fs=rate, output="sos")
    return scipy.signal.sosfilt(filtered, received)


def draw_responses(seconds: float, count: int, rate: int, seed: int) -> list[np.ndarray]:
    """Draw rooms of 35 to 150 cubic metres, with the source 1 to 3 m from the microphone.

    Args:
        seconds: reverberation time
        count: number of rooms
        rate: sampling rate in Hz
        seed: seed of the draw

    Returns:
        one response per room
    """
    rng = np.random.default_rng(seed)
    responses = []
    while len(responses) < count:
        room = rng.uniform([4, 3.5, 2.5], [8, 6, 3.2])
        source, microphone = rng.uniform(0.5, room - 0.5), rng.uniform(0.5, room - 0.5)
        if 1 < np.linalg.norm(source - microphone) < 3:
            responses.append(response(room, source, microphone, seconds, rate))
    return responses


def reverberation_time(received: np.ndarray, rate: int) -> float:
    """Measure the reverberation time of a response in seconds, from its decay by 5 to 25 dB."""
    energy = np.cumsum(received[::-1] ** 2)[::-1]
    decay = 10 * np.log10(np.maximum(energy / energy[0], 1e-12))
    start, stop = (np.flatnonzero(decay <= level)[0] for level in (-5, -25))
    return 3 * (stop - start) / rate
