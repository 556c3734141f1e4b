"""Level, noise and clipping of known sounds are right."""

import numpy as np
import pytest
from known_sounds import hiss, spoken, times, voice
from voxslice.data.levels import clipping, level, snr
from voxslice.data.signals import RATE
from voxslice.errors import InputError


def test_level_is_that_of_the_standard():
    """ITU-R BS.1770-4: a sine of 997 Hz at full scale in one channel has -3.01 LUFS."""
    sine = np.sin(2 * np.pi * 997 * times(2))
    assert level(sine) == pytest.approx(-3.01, abs=0.1)
    assert level(0.1 * sine) == pytest.approx(-23.01, abs=0.1)


def test_pauses_do_not_lower_the_level():
    sine = 0.1 * np.sin(2 * np.pi * 997 * times(3))
    with_pause = np.concatenate([sine, np.zeros(6 * RATE), sine])
    assert level(with_pause) == pytest.approx(level(sine), abs=0.5)


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        (np.zeros(RATE), "^it is silent$"),
        (np.ones(RATE // 5), "0.4 s"),
        (0.0005 * np.sin(2 * np.pi * 20 * np.arange(RATE) / RATE), "below -70 LUFS"),
    ],
)
def test_no_level(signal, reason):
    with pytest.raises(InputError, match=reason):
        level(signal)


@pytest.mark.parametrize("ratio", [0, 5, 10, 20, 30, 40])
def test_noise_is_measured(ratio):
    speech, noise = spoken(), hiss(2.0)
    noise *= speech.std() / noise.std() * 10 ** (-ratio / 20)
    assert snr(speech + noise) == pytest.approx(ratio, abs=1)


def test_noise_is_measured_under_an_offset_and_between_digital_silence():
    speech, noise = spoken(), hiss(2.0)
    noise *= speech.std() / noise.std() * 0.1
    silence = np.zeros(3 * RATE, np.float32)
    noisy = np.concatenate([silence, speech + noise, silence])
    assert snr(noisy) == pytest.approx(20, abs=1)
    assert snr(speech + noise + 0.5) == pytest.approx(20, abs=1)


@pytest.mark.parametrize(
    ("signal", "reason"),
    [
        (np.zeros(RATE), "silent"),
        (np.full(RATE, 0.5), "silent"),
        (np.resize([0.5, -0.5], RATE), "noise"),
        (hiss(0.1), "0.2 s"),
        (hiss(0.01), "0.2 s"),
    ],
)
def test_no_ratio(signal, reason):
    with pytest.raises(InputError, match=reason):
        snr(signal)


def loud_voice(seed=0):
    """Return a voice whose peaks differ in height, as those of speech do."""
    heights = np.convolve(hiss(2.0, seed), np.hanning(801), mode="same")
    return voice(np.linspace(110, 170, 2 * RATE), 2.0) * (2 + heights / heights.std())


@pytest.mark.parametrize("gain", [1.0, 0.5, 0.1])
@pytest.mark.parametrize("quantile", [0.9, 0.99, 0.995])
def test_clipping_is_measured_also_after_another_gain(quantile, gain):
    signal = loud_voice()
    limit = np.quantile(np.abs(signal), quantile)
    clipped = np.round(gain * signal.clip(-limit, limit) * 2**15) / 2**15
    assert clipping(clipped) == pytest.approx(1 - quantile, rel=0.15)


def test_one_side_can_be_clipped():
    signal = loud_voice()
    limit = np.quantile(signal, 0.98)
    assert clipping(np.minimum(signal, limit)) == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize("gain", [1.0, 0.03])
def test_a_signal_that_is_not_clipped_has_no_clipping(gain):
    signal = np.round(gain * loud_voice() * 2**15) / 2**15
    assert clipping(signal) == 0


def test_one_flat_peak_is_not_clipping():
    slow = 0.01 * np.sin(2 * np.pi * 1 * times(1.0))
    assert clipping(np.round(slow * 2**15) / 2**15) == 0
