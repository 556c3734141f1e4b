"""Level, clipping, band, room and duration of a signal."""

import numpy as np
import pytest
from voxslice.conditions.effects import (
    amplified,
    band_limited,
    clipped,
    cropped,
    fitted,
    in_room,
)
from voxslice.models.speech_noise import speech_like

RATE = 16000


@pytest.fixture(scope="module")
def signal():
    return speech_like(1.5, RATE, 1)[0]


def tone(hertz, seconds=1.0):
    return np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE).astype(np.float32)


def test_a_gain_of_0_changes_nothing_and_others_change_the_level(signal):
    assert amplified(signal, 0).tobytes() == signal.tobytes()
    assert np.allclose(amplified(signal, -20), signal / 10, rtol=1e-6)
    assert amplified(signal, 30).dtype == np.float32


@pytest.mark.parametrize("share", [0.01, 0.2, 0.6])
def test_the_share_of_clipped_samples(signal, share):
    changed = clipped(signal, share)
    assert (np.abs(changed) < np.abs(signal)).mean() == pytest.approx(share, abs=1e-3)
    assert changed.dtype == np.float32
    inside = np.abs(signal) < np.abs(changed).max()
    assert np.array_equal(changed[inside], signal[inside])
    assert np.array_equal(clipped(signal, 0), signal)


@pytest.mark.parametrize(("hertz", "kept"), [(100, 0), (1000, 1), (6000, 0)])
def test_a_band_keeps_what_is_inside_without_delay(hertz, kept):
    sound = tone(hertz)
    middle = slice(RATE // 4, -RATE // 4)
    changed = band_limited(sound, RATE, [300, 3400])
    assert changed.dtype == np.float32
    assert np.abs(changed[middle] - kept * sound[middle]).max() < 0.005


def test_limits_that_limit_nothing(signal):
    assert np.allclose(band_limited(signal, RATE, [0, 8000]), signal, atol=1e-6)
    assert np.abs(band_limited(tone(3000), RATE, [0, 1000])[4000:-4000]).max() < 0.001
    assert np.abs(band_limited(tone(3000), RATE, [9000, 20000])).max() < 0.01


def test_the_middle_is_kept(signal):
    changed = cropped(signal, RATE, 0.5)
    assert len(changed) == RATE // 2
    assert np.array_equal(changed, signal[RATE // 2 : RATE])
    assert np.array_equal(cropped(signal, RATE, 2), signal)


def test_a_room_neither_delays_nor_amplifies(signal):
    response = np.zeros(4000, np.float32)
    response[500] = 0.8
    assert np.allclose(in_room(signal, response), signal, atol=1e-5)
    response[900:] = 0.01 * np.random.default_rng(0).standard_normal(3100)
    changed = in_room(signal, response)
    assert changed.dtype == np.float32
    assert len(changed) == len(signal)
    assert np.square(changed).sum() == pytest.approx(np.square(signal).sum(), rel=1e-4)
    assert not np.allclose(changed, signal, atol=0.01)


def test_a_signal_is_cut_or_extended_at_its_end():
    assert fitted(np.ones(3, np.float32), 2).tolist() == [1, 1]
    assert fitted(np.ones(1, np.float32), 3).tolist() == [1, 0, 0]
