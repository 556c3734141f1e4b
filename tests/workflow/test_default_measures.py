"""A folder of audio with labels alone gives a report, which names the channel of the errors."""

import io

import audresample
import numpy as np
import pandas as pd
import pytest
import soundfile
from known_sounds import hiss, spoken
from small_inputs import RATE, write_audio
from snakemake_cli import snakemake, write_config
from voxslice.files import read_csv

pytestmark = pytest.mark.workflow

UTTERANCES = 96


def telephoned(signal):
    """Send audio over a telephone: G.711 at 8 kHz, stored at the rate of the other audio."""
    coded = io.BytesIO()
    sent = audresample.resample(signal[np.newaxis], RATE, 8000)[0]
    soundfile.write(coded, sent, 8000, format="WAV", subtype="ULAW")
    coded.seek(0)
    received, _ = soundfile.read(coded, dtype="float32")
    return audresample.resample(received[np.newaxis], 8000, RATE)[0]


def melody(pitch, seconds, rng):
    """Draw a pitch that changes over time, so that no two utterances sound alike."""
    times = np.linspace(0, 9, round(seconds * RATE))
    return np.interp(times, np.arange(10), rng.normal(pitch, 25, 10))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    place = tmp_path_factory.mktemp("labels")
    rng = np.random.default_rng(0)
    rows = []
    for number in range(UTTERANCES):
        label = ["female", "male"][number % 2]
        pitch = rng.normal([210, 120][number % 2], 15)
        seconds = rng.uniform(0.8, 1.4)
        signal = rng.uniform(0.3, 1) * spoken(melody(pitch, seconds, rng), seconds)
        signal += 0.002 * hiss(seconds, number)
        is_telephone = bool(rng.random() < 0.3)
        received = telephoned(signal) if is_telephone else signal
        write_audio(place / f"{number}.wav", received)
        is_wrong = rng.random() < (0.8 if is_telephone else 0.03)
        prediction = ["male", "female"][number % 2] if is_wrong else label
        rows.append((f"{number}.wav", label, prediction, is_telephone))
        if number == 0:  # a copy, which the audit has to find
            write_audio(place / "copy.wav", 0.5 * received[RATE // 10 :])
    rows.append(("copy.wav", *rows[0][1:]))
    table = pd.DataFrame(rows, columns=["file", "gender", "prediction", "telephone"])
    table[["file", "gender"]].to_csv(place / "mine.csv", index=False)
    predictions = table[["file", "prediction"]].rename(columns={"prediction": "gender"})
    predictions.to_csv(place / "given.csv", index=False)
    config = {
        "resamples": 500,
        "datasets": {
            "mine": {"csv": {"path": "mine.csv"}, "license": "MIT", "shard_hours": 60 / 3600}
        },
        "models": {
            "given": {"predictions": {"mine": "given.csv"}, "tasks": ["gender"], "license": "MIT"}
        },
        "tasks": {
            "gender": {
                "type": "classification",
                "target": "gender",
                "labels": ["female", "male"],
            }
        },
    }
    snakemake(place, "reports", "audits", configfiles=[write_config(place / "study.yaml", config)])
    return place, table


def test_the_audit_finds_a_copy(study):
    place, _ = study
    found = read_csv(place / "results/audit/mine.csv")
    copies = found[found["issue"] == "near copy"]
    assert set(map(frozenset, copies[["file", "other_file"]].to_numpy())) == {
        frozenset({"copy.wav", "0.wav"})
    }
    assert set(found["issue"]) <= {"near copy", "cut off"}


def test_all_utterances_are_measured_in_shards(study):
    place, table = study
    shards = sorted((place / "resources/mine/measures").glob("*.parquet"))
    assert [path.name for path in shards] == ["0.parquet", "1.parquet"]
    measured = pd.concat(map(pd.read_parquet, shards), ignore_index=True)
    assert measured["reason"].isna().all()
    bands = measured.set_index("file")["bandwidth"].reindex(table["file"])
    assert ((bands == "telephone").to_numpy() == table["telephone"].to_numpy()).all()


def test_the_first_slice_is_the_channel(study):
    place, _ = study
    slices = read_csv(place / "results/slices/mine/gender/given.csv")
    assert set(slices["search"]) == {"sound"}
    first = slices[slices["confirmed"].astype(bool)].iloc[0]
    assert "bandwidth = telephone" in first["rule"].split(" & ")
    page = (place / "results/report/mine/gender.html").read_text(encoding="utf-8")
    assert "bandwidth" in page and "speech_share" in page
