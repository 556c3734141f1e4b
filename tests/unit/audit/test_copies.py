"""Copies of a recording are found, whatever was done to them, and nothing else."""

import io
import tracemalloc

import audresample
import numpy as np
import pytest
import soundfile
from voxslice.audit.copies import MAX_ERRORS, Copy, near_copies
from voxslice.audit.fingerprints import fingerprint
from voxslice.data.signals import RATE


def speech(seed, seconds=2.0):
    """Return a sound with formants and pitch that change at random, as those of speech do."""
    rng = np.random.default_rng(seed)
    count = round(seconds * RATE)

    def curve(low, high, points=12):
        values = rng.uniform(low, high, points)
        return np.interp(np.linspace(0, points - 1, count), np.arange(points), values)

    phase = 2 * np.pi * np.cumsum(curve(100, 220)) / RATE
    signal = np.zeros(count)
    first, second = curve(300, 900), curve(900, 2400)
    for harmonic in range(1, 30):
        frequency = harmonic * np.gradient(phase) * RATE / (2 * np.pi)
        level = np.exp(-(((frequency - first) / 200) ** 2))
        level += 0.5 * np.exp(-(((frequency - second) / 250) ** 2))
        signal += level * np.sin(harmonic * phase)
    return (0.1 * signal * curve(0.2, 1.0)).astype(np.float32)


def compressed(signal, *, container="MP3", subtype="MPEG_LAYER_III", rate=RATE):
    coded = io.BytesIO()
    sent = audresample.resample(signal[np.newaxis], RATE, rate)[0].clip(-1, 1)
    soundfile.write(coded, sent, rate, format=container, subtype=subtype)
    coded.seek(0)
    received, rate = soundfile.read(coded, dtype="float32")
    return audresample.resample(received[np.newaxis], rate, RATE)[0]


def noisy(signal):
    noise = np.random.default_rng(1).normal(size=len(signal)).astype(np.float32)
    return signal + noise * signal.std() * 10 ** (-30 / 20)


CHANGES = {
    "gain": lambda signal: 0.3 * signal,
    "MP3": compressed,
    "telephone": lambda signal: compressed(signal, container="WAV", subtype="ULAW", rate=8000),
    "noise": noisy,
    "cut": lambda signal: signal[4801:-3200],
    "silence before": lambda signal: np.concatenate([np.zeros(3333, np.float32), signal]),
}


def fingerprints(signals):
    words, loud = zip(*(fingerprint(signal, RATE) for signal in signals), strict=True)
    return list(words), list(loud)


@pytest.fixture(scope="module")
def originals():
    return [speech(seed) for seed in range(12)]


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found(originals, change):
    copies = list(near_copies(*fingerprints([*originals, CHANGES[change](originals[5])])))
    assert [(copy.first, copy.second) for copy in copies] == [(5, 12)]
    assert copies[0].errors < MAX_ERRORS / 2


def test_other_recordings_are_no_copies(originals):
    assert list(near_copies(*fingerprints(originals))) == []


def test_fingerprints_do_not_depend_on_level_or_block(originals, monkeypatch):
    signal = np.concatenate([0.01 * originals[1], originals[0]])
    words, loud = fingerprint(signal, RATE)
    monkeypatch.setattr("voxslice.audit.fingerprints.BLOCK", 5)
    quiet = fingerprint(signal / 4, RATE)
    assert (quiet[0] == words).all() and (quiet[1] == loud).all()
    assert words.dtype == np.uint32 and loud.any() and not loud.all()


def test_short_utterances_have_no_fingerprint(originals):
    words, loud = fingerprint(originals[0][: RATE // 3], RATE)
    assert len(words) == len(loud) == 0
    assert list(near_copies(*fingerprints([originals[0][:100]] * 2))) == []
    assert list(near_copies([], [])) == []


def test_three_copies_are_three_pairs(originals):
    copies = near_copies(*fingerprints([originals[0], originals[1], *originals[:1] * 2]))
    assert list(copies) == [Copy(0, 2, 0.0), Copy(0, 3, 0.0), Copy(2, 3, 0.0)]


@pytest.mark.slow
def test_blocks_find_the_same_copies_and_bound_the_memory(monkeypatch):
    rng = np.random.default_rng(0)
    takes = rng.integers(0, 2**32, (20, 120), dtype=np.uint32)
    words = [
        takes[number % 20] ^ (rng.random(120) < 0.1).astype(np.uint32) for number in range(400)
    ]
    loud = [rng.random(120) < 0.8 for _ in words]
    peaks = {}
    for block in (10**9, 500):
        monkeypatch.setattr("voxslice.audit.copies.BLOCK", block)
        tracemalloc.start()
        peaks[block] = list(near_copies(words, loud)), tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    (whole, memory_of_whole), (blocks, memory_of_blocks) = peaks.values()
    assert whole == blocks and len(whole) > 2000
    assert memory_of_blocks < memory_of_whole / 3
