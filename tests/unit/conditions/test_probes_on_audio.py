"""Models that decide by one property of real signals are exposed by its probe and by no other."""

import numpy as np
import pandas as pd
import pytest
from voxslice.conditions.perturbations import Perturbation
from voxslice.conditions.probe_scores import processing_alone
from voxslice.conditions.probes import NO_EFFECT, REASON, judge_probes
from voxslice.data.audio import Audio
from voxslice.data.pitch import pitch
from voxslice.task import Task

RATE = 16000
SPEAKERS, UTTERANCES = 6, 10
PROBES = {
    "lower": {"pitch": -7},
    "softer": {"gain": -6},
    "narrow": {"band": [0, 3000]},
    "noisy": {"noise": "white", "snr": 30},
}


def voice(hertz, top, seed):
    """A voiced sound of 0.6 s with harmonics up to a frequency."""
    times = np.arange(round(0.6 * RATE)) / RATE
    numbers = np.arange(1, int(top / hertz))[:, np.newaxis]
    phases = np.random.default_rng(seed).uniform(0, 2 * np.pi, numbers.shape)
    harmonics = np.sin(2 * np.pi * hertz * numbers * times + phases) / np.sqrt(numbers)
    swell = 0.6 - 0.4 * np.cos(2 * np.pi * times / 0.6)
    return (0.1 * swell * harmonics.sum(axis=0)).astype(np.float32)


def share_above(signal, hertz):
    """Share of the power above a frequency."""
    power = np.abs(np.fft.rfft(signal)) ** 2
    return power[np.fft.rfftfreq(len(signal), 1 / RATE) > hertz].sum() / power.sum()


def by_pitch(signal):
    """A model that calls every high voice wrongly."""
    return pitch(signal) > 165


def by_bandwidth(signal):
    """A model that calls every wide signal wrongly."""
    return share_above(signal, 3800) > 0.02


@pytest.fixture(scope="module")
def corpus():
    """Signals of speakers; those of the mode are high and wide."""
    rows = [(f"s{who}", number % 3 == 0) for who in range(SPEAKERS) for number in range(UTTERANCES)]
    table = pd.DataFrame(rows, columns=["speaker", "inside"])
    signals = [
        voice(*((210, 7000) if inside else (110, 3500)), seed)
        for seed, inside in enumerate(table["inside"])
    ]
    return table, signals


@pytest.mark.slow
@pytest.mark.parametrize(("model", "exposed"), [(by_pitch, "lower"), (by_bandwidth, "narrow")])
def test_a_model_is_exposed_by_the_probe_of_its_property_alone(corpus, model, exposed):
    table, signals = corpus

    def scores(name, settings):
        if settings is None:
            changed = signals
        else:
            change = Perturbation(settings, condition=name, seed=0, audio=".")
            changed = [
                change(Audio(signal, RATE), (f"{number}.wav", 0.0, 0.6)).signal
                for number, signal in enumerate(signals)
            ]
        return pd.DataFrame({"loss": [float(model(signal)) for signal in changed], "label": "male"})

    clean = scores("", None)
    assert clean["loss"].to_list() == table["inside"].astype(float).to_list()
    result = judge_probes(
        "model",
        clean,
        {name: scores(name, settings) for name, settings in PROBES.items()},
        {name: scores(name, processing_alone(settings)) for name, settings in PROBES.items()},
        {"1": ("high and wide", table["inside"].to_numpy())},
        table["speaker"].to_numpy(str),
        PROBES,
        task=Task("classification"),
        seed=0,
    )
    found = dict(zip(result["probe"], result["verdict"], strict=True))
    assert found.pop(exposed) == REASON
    assert set(found.values()) == {NO_EFFECT}
