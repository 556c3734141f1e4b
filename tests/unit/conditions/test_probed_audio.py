"""Probes of real audio expose models that decide by one property of it, and by no other."""

import numpy as np
import pandas as pd
import pytest
from voxslice.conditions.perturbations import Perturbation
from voxslice.conditions.probe_scores import processing_alone
from voxslice.conditions.probes import NO_EFFECT, REASON, judge_probes
from voxslice.config.condition_checks import STANDARD_PROBES
from voxslice.data.audio import Audio
from voxslice.data.pitch import pitch
from voxslice.errors import InputError
from voxslice.task import Task

RATE = 16000
SPEAKERS, UTTERANCES = 12, 8
PROBES = {name: STANDARD_PROBES[name] for name in ("lower", "louder", "narrow", "faster", "noisy")}


def voice(hertz, highest, rng):
    """Half a second of harmonics up to a frequency, with a little noise."""
    times = np.arange(RATE // 2) / RATE
    numbers = np.arange(1, int(highest / hertz))[:, np.newaxis]
    sound = (np.sin(2 * np.pi * hertz * numbers * times) / np.sqrt(numbers)).sum(axis=0)
    return (0.05 * sound + 1e-4 * rng.standard_normal(len(times))).astype(np.float32)


@pytest.fixture(scope="module")
def corpus():
    """Angry speech has a high pitch, calm speech a wide band: signals, anger and speakers."""
    rng = np.random.default_rng(0)
    speakers = np.repeat(np.arange(SPEAKERS), UTTERANCES).astype(str)
    anger = np.tile(np.arange(UTTERANCES) % 2 == 0, SPEAKERS)
    signals = [
        voice(rng.normal(190 if angry else 120, 5), 3000 if angry else 7000, rng) for angry in anger
    ]
    return signals, anger, speakers


def changed(signals, settings, name):
    if settings is None:
        return signals
    change = Perturbation(settings, condition=name, seed=0, audio=".")
    rows = [(f"{number}.wav", 0.0, 0.5) for number in range(len(signals))]
    return [
        change(Audio(signal, RATE), row).signal for signal, row in zip(signals, rows, strict=True)
    ]


def verdicts(corpus, is_wrong, mode):
    """Verdict on each probe of a model, given a function from a signal to whether it is wrong."""
    signals, _, speakers = corpus

    def scores(audio):
        return pd.DataFrame({"loss": [float(is_wrong(signal)) for signal in audio], "label": "a"})

    clean = scores(signals)
    table = judge_probes(
        "model",
        clean,
        {name: scores(changed(signals, probe, name)) for name, probe in PROBES.items()},
        {
            name: scores(changed(signals, processing_alone(probe), name))
            for name, probe in PROBES.items()
        },
        {"1": ("mode", mode)},
        speakers,
        PROBES,
        task=Task("classification"),
        seed=0,
    )
    return dict(zip(table["probe"], table["verdict"], strict=True))


def sounds_high(signal):
    try:
        return pitch(signal) > 165
    except InputError:
        return False


def sounds_wide(signal):
    power = np.square(np.abs(np.fft.rfft(signal * np.hanning(len(signal)))))
    edge = round(4500 * len(signal) / RATE)
    return power[edge:].sum() > 0.02 * power.sum()


@pytest.mark.slow
def test_a_model_that_decides_by_pitch_is_exposed_by_the_pitch_probe_alone(corpus):
    found = verdicts(corpus, sounds_high, corpus[1])
    assert found.pop("lower") == REASON
    assert set(found.values()) == {NO_EFFECT}


@pytest.mark.slow
def test_a_model_that_decides_by_bandwidth_is_exposed_by_the_band_probe_alone(corpus):
    found = verdicts(corpus, sounds_wide, ~corpus[1])
    assert found.pop("narrow") == REASON
    assert set(found.values()) == {NO_EFFECT}
