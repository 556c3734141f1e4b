"""The bandwidth of known sounds is right."""

import io

import audresample
import numpy as np
import pytest
import soundfile
from known_sounds import hiss, spoken
from voxslice.data.bandwidth import bandwidth, bandwidth_hz
from voxslice.data.signals import RATE
from voxslice.errors import InputError


def breathy():
    """Return a voice with the noise of a breath, which covers all frequencies."""
    return spoken() + 0.003 * hiss(2.0)


def over(signal, rate, subtype, gain=1.0):
    """Return a signal that was sent at another sampling rate in another encoding."""
    coded = io.BytesIO()
    sent = audresample.resample(gain * signal[np.newaxis], RATE, rate)[0]
    soundfile.write(coded, sent, rate, format="WAV", subtype=subtype)
    coded.seek(0)
    received, _ = soundfile.read(coded, dtype="float32")
    return audresample.resample(received[np.newaxis], rate, RATE)[0]


@pytest.mark.parametrize("subtype", ["ULAW", "ALAW", "GSM610", "PCM_16"])
@pytest.mark.parametrize("gain", [1.0, 0.1])
def test_telephone_audio_keeps_its_bandwidth_at_a_higher_rate(subtype, gain):
    received = over(breathy(), 8000, subtype, gain)
    assert bandwidth(received, RATE) == "telephone"
    assert bandwidth_hz(received, RATE) == pytest.approx(3900, abs=200)


@pytest.mark.parametrize("rate", [10000, 12000])
def test_the_limit_is_half_of_the_lowest_sampling_rate(rate):
    assert bandwidth_hz(over(breathy(), rate, "PCM_16"), RATE) == pytest.approx(rate / 2, rel=0.05)


def test_classes_follow_the_limit():
    assert bandwidth(breathy(), RATE) == "wideband"
    # samples of the same noise at another rate
    assert bandwidth(hiss(2.0), 44100) == "full"
    assert bandwidth(hiss(2.0), 8000) == "telephone"


def test_rounding_errors_are_no_bandwidth():
    quiet = over(breathy(), 8000, "ULAW", gain=0.005)
    assert bandwidth(np.round(quiet * 2**15) / 2**15, RATE) == "telephone"


def test_an_offset_changes_nothing():
    assert bandwidth_hz(breathy() + 0.3, RATE) == bandwidth_hz(breathy(), RATE)


def test_a_long_utterance_is_analysed_in_blocks(monkeypatch):
    whole = bandwidth_hz(breathy(), RATE)
    monkeypatch.setattr("voxslice.data.bandwidth.BLOCK", 5)
    assert bandwidth_hz(breathy(), RATE) == whole


def test_a_signal_without_a_frame_has_no_bandwidth():
    with pytest.raises(InputError, match="shorter than"):
        bandwidth_hz(hiss(0.02), RATE)
