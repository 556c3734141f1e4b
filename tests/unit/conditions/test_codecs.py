"""Codecs delay nothing, keep the number of samples, and have the bit rate that is asked for."""

import io

import numpy as np
import pytest
import soundfile
from voxslice.conditions.codecs import _encoding, through_codec
from voxslice.models.speech_noise import speech_like

CODECS = [
    ("g711", None), ("gsm", None), ("opus", 8), ("opus", 9), ("opus", 64), ("mp3", 8), ("mp3", 16),
    ("mp3", 128), ("vorbis", 24), ("vorbis", 64),
]  # fmt: skip


def band(signal, rate):
    """A signal from 200 to 3,000 Hz, which all codecs keep."""
    spectrum = np.fft.rfft(signal)
    hertz = np.fft.rfftfreq(len(signal), 1 / rate)
    spectrum[(hertz < 200) | (hertz > 3000)] = 0
    return np.fft.irfft(spectrum, len(signal))


def shift(one, other):
    """Samples by which the other signal is later."""
    size = 2 * len(one)
    match = np.fft.irfft(np.conj(np.fft.rfft(one, size)) * np.fft.rfft(other, size), size)
    return int((match.argmax() + len(one)) % size - len(one))


@pytest.mark.parametrize(("codec", "kbps"), CODECS)
@pytest.mark.parametrize("rate", [16000, 44100])
def test_nothing_is_delayed(codec, kbps, rate):
    signal = speech_like(1.01, rate, 3)[0]
    changed = through_codec(signal, rate, codec, kbps)
    assert changed.dtype == np.float32
    assert changed.shape == signal.shape
    assert abs(shift(band(signal, rate), band(changed, rate))) <= rate / 8000
    likeness = np.corrcoef(band(signal, rate), band(changed, rate))[0, 1]
    assert 0.8 < likeness < 1
    assert changed.tobytes() == through_codec(signal, rate, codec, kbps).tobytes()


@pytest.mark.parametrize(("codec", "kbps"), CODECS)
def test_short_and_silent_signals(codec, kbps):
    for signal in (np.full(1, 0.1, np.float32), np.zeros(1600, np.float32)):
        changed = through_codec(signal, 16000, codec, kbps)
        assert changed.shape == signal.shape
        assert np.isfinite(changed).all()


@pytest.mark.slow
@pytest.mark.parametrize(("codec", "kbps"), [("opus", 12), ("opus", 64), ("mp3", 16), ("mp3", 64)])
def test_bit_rates(codec, kbps):
    encoding = _encoding(codec, kbps, 16000)
    signal = speech_like(12, encoding.rate, 0)[0]
    size = len(encoding.encoded(signal)) - len(encoding.encoded(signal[: 2 * encoding.rate]))
    assert size * 8 / 1000 / 10 == pytest.approx(kbps, rel=0.35)


def test_vorbis_has_the_nominal_bit_rate_that_is_nearest():
    signal = speech_like(1, 16000, 0)[0]
    encoded = [_encoding("vorbis", kbps, 16000).encoded(signal) for kbps in (32, 48, 80)]
    nominal = [int.from_bytes(file[48:52], "little") for file in encoded]
    assert nominal == pytest.approx([32000, 48000, 80000], rel=0.01)
    assert len(encoded[0]) < len(encoded[1]) < len(encoded[2])


def test_loud_signals_are_clipped_and_not_wrapped():
    signal = np.full(1600, 3.0, np.float32)
    assert through_codec(signal, 8000, "g711")[800] == pytest.approx(1, abs=0.03)


def share_above_4_khz(signal, rate):
    power = np.abs(np.fft.rfft(signal)) ** 2
    return power[np.fft.rfftfreq(len(signal), 1 / rate) > 4200].sum() / power.sum()


def opus_at_16_khz(signal, kbps):
    """Opus at the sampling rate of the signal, without the code of the workflow."""
    file = io.BytesIO()
    level = (256 - kbps) / 250
    soundfile.write(file, signal, 16000, "OPUS", format="OGG", compression_level=level)
    file.seek(0)
    return soundfile.read(file, dtype="float32")[0]


@pytest.mark.parametrize(("kbps", "narrow"), [(6, True), (8, True), (9, False), (16, False)])
def test_opus_cuts_high_frequencies_at_its_low_bit_rates_only(kbps, narrow):
    noise = np.random.default_rng(0).normal(0, 0.1, 32000).astype(np.float32)
    signal = noise + speech_like(2, 16000, 0)[0]
    for coded in (through_codec(signal, 16000, "opus", kbps), opus_at_16_khz(signal, kbps)):
        assert (share_above_4_khz(coded, 16000) < 1e-3) == narrow
