"""The active speech level compared with the text of ITU-T P.56, sample by sample."""

from math import exp, inf, log10

import numpy as np
import pytest
from voxslice.conditions.speech_level import _running_maximum, active_power
from voxslice.models.speech_noise import speech_like

RATE = 2000
"""A low sampling rate in Hz, so that the loop over samples is short."""


def level_of_the_standard(signal):
    """Method B in dB: a loop over samples and thresholds, and interpolation between them."""
    thresholds = [2.0**-power for power in range(20, 0, -1)]
    decay, hangover = exp(-1 / (RATE * 0.03)), round(0.2 * RATE)
    active, waiting = [0] * len(thresholds), [hangover] * len(thresholds)
    first = second = total = 0.0
    for sample in signal.astype(float):
        total += sample**2
        first = decay * first + (1 - decay) * abs(sample)
        second = decay * second + (1 - decay) * first
        for number, threshold in enumerate(thresholds):
            if second >= threshold:
                active[number] += 1
                waiting[number] = 0
            elif waiting[number] < hangover:
                active[number] += 1
                waiting[number] += 1
    before = (inf, 0.0)
    for count, threshold in zip(active, thresholds, strict=True):
        level = 10 * log10(total / count)
        distance = level - 20 * log10(threshold)
        if distance <= 15.9:
            share = (before[0] - 15.9) / (before[0] - distance) if before[0] < inf else 1
            return before[1] + share * (level - before[1])
        before = (distance, level)
    raise AssertionError("no threshold fits")


@pytest.mark.parametrize("seed", range(4))
def test_the_level_is_that_of_the_standard(seed):
    rng = np.random.default_rng(seed)
    parts = [speech_like(0.6, RATE, seed)[0], np.zeros(1500, np.float32)]
    parts += [0.3 * speech_like(0.5, RATE, seed + 9)[0], np.zeros(900, np.float32)]
    signal = np.concatenate(parts)
    signal += 0.0003 * rng.standard_normal(len(signal)).astype(np.float32)
    level = 10 * log10(active_power(signal, RATE))
    # between two thresholds, which are 6 dB apart, the standard interpolates
    assert level == pytest.approx(level_of_the_standard(signal), abs=0.15)
    assert level > 10 * log10(np.square(signal).mean()) + 1


def test_pauses_do_not_count():
    speech = speech_like(2, 16000, 0)[0]
    longer = np.concatenate([speech, np.zeros(32000, np.float32)])
    ratio = active_power(longer, 16000) / active_power(speech, 16000)
    # of the pause, the hangover counts
    assert -0.6 < 10 * log10(ratio) <= 0
    assert active_power(10 * speech, 16000) == pytest.approx(100 * active_power(speech, 16000))


def test_a_steady_tone_has_its_mean_power():
    tone = np.sin(np.arange(16000)).astype(np.float32)
    assert active_power(tone, 16000) == pytest.approx(0.5, rel=0.03)


def test_silence_and_a_click_have_a_power():
    assert active_power(np.zeros(100, np.float32), 16000) == 0
    click = np.zeros(16000, np.float32)
    click[100] = 1
    assert 0 < active_power(click, 16000) < 0.001


@pytest.mark.parametrize(("samples", "window"), [(1, 4), (3, 4), (10, 4), (12, 4), (900, 51)])
def test_speech_is_held_for_a_window(samples, window):
    values = np.random.default_rng(samples).random(samples)
    expected = [values[max(0, end - window) : end].max() for end in range(1, samples + 1)]
    assert _running_maximum(values, window).tolist() == expected
