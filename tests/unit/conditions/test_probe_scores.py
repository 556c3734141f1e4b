"""Which utterances are probed, and what the probes change in their audio."""

import numpy as np
import pandas as pd
import pytest
from voxslice.conditions.perturbations import Perturbation
from voxslice.conditions.probe_scores import in_both, probed_utterances, processing_alone
from voxslice.conditions.speech_level import active_power
from voxslice.conditions.stretch import stretched
from voxslice.config.condition_checks import STANDARD_PROBES
from voxslice.data.audio import Audio
from voxslice.data.pitch import pitch

RATE = 16000
ROW = ("a.wav", 0.0, 2.0)


def voice(hertz, seconds=2.0):
    """A voiced sound with harmonics up to 4 kHz that swells four times per second."""
    times = np.arange(round(seconds * RATE)) / RATE
    numbers = np.arange(1, int(4000 / hertz))[:, np.newaxis]
    harmonics = np.sin(2 * np.pi * hertz * numbers * times) / numbers
    swell = 0.6 - 0.4 * np.cos(8 * np.pi * times)
    return (0.2 * swell * harmonics.sum(axis=0)).astype(np.float32)


def probed(signal, name):
    change = Perturbation(STANDARD_PROBES[name], condition=name, seed=0, audio=".")
    return change(Audio(signal, RATE), ROW).signal


def level(signal):
    return 10 * np.log10(active_power(signal, RATE))


@pytest.mark.parametrize("name", STANDARD_PROBES)
def test_a_probe_changes_one_property_and_leaves_the_others(name):
    signal = voice(150)
    changed = probed(signal, name)
    settings = STANDARD_PROBES[name]
    factor = 2 ** (settings.get("pitch", 0) / 12)
    assert pitch(changed) == pytest.approx(150 * factor, rel=0.03)
    assert len(changed) == round(len(signal) / settings.get("speed", 1))
    if "noise" not in settings and "band" not in settings:
        assert level(changed) - level(signal) == pytest.approx(settings.get("gain", 0), abs=1)
    assert changed.dtype == np.float32
    assert probed(signal, name).tobytes() == changed.tobytes()


def test_the_processing_alone_changes_next_to_nothing():
    signal = voice(150)
    alone = stretched(signal, RATE)
    assert len(alone) == len(signal)
    assert np.abs(alone - signal)[1000:-1000].max() < 1e-3
    assert processing_alone({"pitch": -4}) == {"pitch": 0}
    assert processing_alone({"speed": 2}) == {"speed": 1}
    assert processing_alone({"gain": 10}) is None


@pytest.fixture
def tables():
    rows = [(f"{number}.wav", 0.0, 1.0, "abcd"[number % 4]) for number in range(40)]
    metadata = pd.DataFrame(rows, columns=["file", "start", "end", "speaker"])
    modes = pd.DataFrame(
        {
            "mode": [1, 2, 3, 4, 5],
            "model": ["m", "m", "other", "m", "m"],
            "confirmed": [True, False, True, True, True],
        }
    )
    picked = {1: [0, 4], 2: [1], 3: [2], 4: [8], 5: [9]}
    members = pd.concat(
        [metadata.iloc[rows].assign(mode=mode) for mode, rows in picked.items()], ignore_index=True
    )
    return metadata, modes, members


def files(table):
    return [int(name.removesuffix(".wav")) for name in table["file"]]


def test_members_of_confirmed_modes_and_others_of_their_speakers_are_probed(tables):
    metadata, modes, members = tables
    found = files(probed_utterances(metadata, modes, members, "m", 0))
    assert found == [number for number in range(40) if number % 4 in (0, 1)]  # speakers a and b
    modes.loc[modes["mode"] == 5, "confirmed"] = False
    assert set(files(probed_utterances(metadata, modes, members, "m", 0))) == set(range(0, 40, 4))
    assert probed_utterances(metadata, modes, members, "none", 0).empty
    without = metadata.drop(columns="speaker")
    assert files(probed_utterances(without, modes, members, "m", 0)) == list(range(40))


def test_many_other_utterances_are_sampled(tables, monkeypatch):
    monkeypatch.setattr("voxslice.conditions.probe_scores.MAX_OTHERS", 5)
    found = files(probed_utterances(*tables, "m", 0))
    assert len(found) == 4 + 5  # the members of the modes 1, 4 and 5
    assert {0, 4, 8, 9} < set(found)
    assert found == files(probed_utterances(*tables, "m", 0))


def test_tables_get_the_same_utterances(tables):
    metadata, _, _ = tables
    one, other = in_both(metadata.iloc[[3, 1, 2]], metadata.iloc[[2, 3, 9]])
    assert files(one) == files(other) == [3, 2]
