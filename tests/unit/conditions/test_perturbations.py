"""Conditions change the audio of each utterance exactly, repeatably and independently."""

import itertools
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
import soundfile
from project import ROOT
from small_inputs import write_model
from voxslice.conditions.perturbations import Perturbation
from voxslice.conditions.recordings import Recordings
from voxslice.conditions.speech_level import active_power
from voxslice.conditions.talkers import MAX_TALKERS, choose_talkers
from voxslice.data.audio import read_audio
from voxslice.errors import InputError
from voxslice.files import read_predictions
from voxslice.inference.predict import predict
from voxslice.models.speech_noise import speech_like

RATE = 16000
SPEAKERS = "abcde"
CONDITIONS = {
    "phone": {"codec": "g711"},
    "mobile": {"codec": "gsm"},
    "voip": {"codec": "opus", "kbps": 9},
    "music": {"codec": "mp3", "kbps": 16},
    "archive": {"codec": "vorbis", "kbps": 32},
    "white": {"noise": "white", "snr": 10},
    "pink": {"noise": "pink", "snr": 0},
    "shaped": {"noise": "speech-shaped", "snr": -5},
    "babble": {"noise": "babble", "snr": 20},
    "street": {"noise": "folder", "snr": 5},
    "church": {"room": "folder"},
    "quiet": {"gain": -30},
    "hot": {"clip": 0.2},
    "narrow": {"band": [300, 3400]},
    "short": {"crop": 0.2},
}
NOISES = [name for name, settings in CONDITIONS.items() if "noise" in settings]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """A folder of audio, its utterances with speakers, and a folder of recordings."""
    folder = tmp_path_factory.mktemp("corpus")
    rows = []
    for number in range(15):
        signal = 0.3 * speech_like(0.4 + number / 50, RATE, number)[0]
        soundfile.write(folder / f"{number}.wav", signal, RATE)
        rows.append((f"{number}.wav", 0.0, len(signal) / RATE, SPEAKERS[number % 5]))
    table = pd.DataFrame(rows, columns=["file", "start", "end", "speaker"])
    recordings = folder / "recordings"
    recordings.mkdir()
    for number in range(3):
        decay = np.exp(-np.arange(4000) / 300) * np.random.default_rng(number).normal(size=4000)
        soundfile.write(recordings / f"{number}.wav", 0.2 * decay, 8000)
    contents = pd.DataFrame({"file": table["file"], "content": "x"})
    return folder, table, choose_talkers(table, contents, 0), recordings


def perturbation(corpus, name, *, settings=None, seed=0):
    folder, _, talkers, recordings = corpus
    return Perturbation(
        settings or CONDITIONS[name],
        condition=name,
        seed=seed,
        audio=folder,
        talkers=talkers,
        recordings=recordings if name in ("street", "church") else None,
    )


def rows_of(corpus):
    return list(corpus[1][["file", "start", "end"]].itertuples(index=False, name=None))


def read(corpus, row):
    return read_audio(corpus[0] / row[0], *row[1:])


def results(corpus, change, rows):
    return {row: change(read(corpus, row), row).signal.tobytes() for row in rows}


@pytest.mark.slow
@pytest.mark.parametrize("name", CONDITIONS)
def test_the_bytes_depend_on_nothing_but_utterance_condition_and_seed(corpus, name):
    rows = rows_of(corpus)[:6]
    np.random.seed(1)  # noqa: NPY002
    one = results(corpus, perturbation(corpus, name), rows)
    np.random.seed(2)  # noqa: NPY002
    change = perturbation(corpus, name)
    assert results(corpus, change, rows[::-1]) == one
    with ThreadPoolExecutor(4) as pool:
        parts = pool.map(lambda row: results(corpus, change, [row]), rows)
        assert {row: part for parts_of in parts for row, part in parts_of.items()} == one
    drawn = "noise" in CONDITIONS[name]
    assert (results(corpus, perturbation(corpus, name, seed=1), rows) != one) == (
        drawn or name == "church"
    )


@pytest.mark.parametrize("name", CONDITIONS)
def test_rate_length_type_and_input_are_kept(corpus, name):
    row = rows_of(corpus)[3]
    audio = read(corpus, row)
    before = audio.signal.copy()
    changed = perturbation(corpus, name)(audio, row)
    assert np.array_equal(audio.signal, before)
    assert changed.rate == RATE
    assert changed.signal.dtype == np.float32
    assert len(changed.signal) == (3200 if name == "short" else len(before))
    assert np.isfinite(changed.signal).all()
    assert not np.array_equal(changed.signal, before)


@pytest.mark.parametrize("name", NOISES)
@pytest.mark.parametrize("snr", [-5, 0, 20])
def test_signal_to_noise_ratios_are_right_to_a_tenth_of_a_decibel(corpus, name, snr):
    change = perturbation(corpus, name, settings={**CONDITIONS[name], "snr": snr})
    for row in rows_of(corpus)[:4]:
        audio = read(corpus, row)
        noise = change(audio, row).signal.astype(float) - audio.signal
        ratio = active_power(audio.signal, RATE) / np.square(noise).mean()
        assert 10 * np.log10(ratio) == pytest.approx(snr, abs=0.1)


def test_each_utterance_and_each_condition_has_noise_of_its_own(corpus):
    one, other = rows_of(corpus)[:2]
    audio = read(corpus, one)
    change = perturbation(corpus, "white")
    signals = [change(audio, one).signal, change(audio, other).signal]
    settings = CONDITIONS["white"]
    renamed = Perturbation(settings, condition="hiss", seed=0, audio=corpus[0])
    signals.append(renamed(audio, one).signal)
    noises = [signal - audio.signal for signal in signals]
    assert np.abs(np.corrcoef(noises) - np.eye(3)).max() < 0.05


def test_a_condition_that_changes_nothing(corpus):
    for row in rows_of(corpus)[:3]:
        audio = read(corpus, row)
        for settings in ({"gain": 0}, {"clip": 0}, {"crop": 10}):
            change = perturbation(corpus, "same", settings=settings)
            assert change(audio, row).signal.tobytes() == audio.signal.tobytes()


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_model(tmp_path_factory.mktemp("model"))


def predicted(corpus, model, folder, change, *, shards, threads):
    """Bytes of the predictions of all shards, as one table."""
    table = corpus[1]
    for number, rows in enumerate(np.array_split(np.arange(len(table)), shards)):
        predict(
            table.iloc[rows],
            audio=corpus[0],
            model=model,
            outputs=["logits_age", "logits_gender"],
            embedding_output=None,
            sampling_rate=RATE,
            threads=threads,
            device="cpu",
            change=change,
            predictions=folder / f"{number}.parquet",
            failures=folder / f"{number}.csv",
            silence=folder / f"{number}.silence.csv",
        )
        assert (folder / f"{number}.csv").read_text() == "file,start,end,reason\n"
    return read_predictions([str(folder / f"{number}.parquet") for number in range(shards)])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["voip", "babble", "church", "short"])
def test_predictions_depend_neither_on_shards_nor_on_threads(corpus, model, tmp_path, name):
    one, seven, clean = (
        predicted(corpus, model, tmp_path, change, shards=shards, threads=threads)
        for change, shards, threads in (
            (perturbation(corpus, name), 1, 2),
            (perturbation(corpus, name), 7, 1),
            (None, 1, 2),
        )
    )
    assert seven.equals(one)
    assert not clean.equals(one)


def test_a_condition_without_a_change_changes_no_prediction(corpus, model, tmp_path):
    change = perturbation(corpus, "same", settings={"gain": 0})
    clean, same = (
        predicted(corpus, model, tmp_path, some, shards=1, threads=2) for some in (None, change)
    )
    assert same.equals(clean)


def test_the_spectra_of_noises(corpus):
    row = rows_of(corpus)[0]
    audio = read(corpus, row)._replace(signal=np.tile(read(corpus, row).signal, 20))

    def slope(name):
        """Change of the density in dB per octave from 200 to 3,200 Hz."""
        noise = perturbation(corpus, name)(audio, row).signal - audio.signal
        power = np.square(np.abs(np.fft.rfft(noise)))
        hertz = np.fft.rfftfreq(len(noise), 1 / RATE)
        edges = [200, 400, 800, 1600, 3200]
        bands = [power[(hertz >= a) & (hertz < b)].mean() for a, b in itertools.pairwise(edges)]
        return np.polyfit(range(4), 10 * np.log10(bands), 1)[0]

    assert slope("white") == pytest.approx(0, abs=0.5)
    assert slope("pink") == pytest.approx(-3, abs=0.5)
    assert slope("shaped") == pytest.approx(-6, abs=1)  # as that of `speech_like`


def test_silence_gets_no_noise(corpus):
    row = rows_of(corpus)[0]
    audio = read(corpus, row)
    silent = audio._replace(signal=np.zeros_like(audio.signal))
    assert not perturbation(corpus, "white")(silent, row).signal.any()


def test_babble_is_of_other_speakers(corpus):
    """The babble of one speaker's utterance does not change if the speaker's talkers do."""
    folder, _table, talkers, _ = corpus
    row = rows_of(corpus)[0]
    own = talkers["speaker"] == "a"
    assert talkers.loc[own, "talker"].any()
    fewer = talkers.assign(talker=talkers["talker"] & ~own)
    settings = CONDITIONS["babble"]
    changed = [
        Perturbation(settings, condition="babble", seed=0, audio=folder, talkers=some)(
            read(corpus, row), row
        ).signal.tobytes()
        for some in (talkers, fewer)
    ]
    assert changed[0] == changed[1]
    alone = talkers.assign(speaker="a")
    with pytest.raises(InputError, match="at least two other speakers"):
        Perturbation(settings, condition="babble", seed=0, audio=folder, talkers=alone)(
            read(corpus, row), row
        )


def test_talkers_are_of_many_speakers_and_hardly_change_with_a_new_utterance():
    rows = [(f"{number}.wav", 0.0, 2.0, f"s{number % 80}") for number in range(400)]
    table = pd.DataFrame(rows, columns=["file", "start", "end", "speaker"])
    contents = pd.DataFrame({"file": table["file"], "content": table["file"]})
    chosen = choose_talkers(table, contents, 0)
    assert len(chosen) == 400
    assert chosen.loc[chosen["talker"], "speaker"].nunique() == MAX_TALKERS
    assert chosen["content"].notna().equals(chosen["talker"])
    new = pd.concat([table, table.iloc[:1].assign(file="new.wav")], ignore_index=True)
    more = choose_talkers(new, pd.concat([contents, pd.DataFrame({"file": ["new.wav"]})]), 0)
    assert more["talker"].iloc[:400].equals(chosen["talker"])  # the new file cannot be read
    unknown = choose_talkers(table.assign(speaker=None), contents, 0)
    assert not unknown["talker"].any()
    without = choose_talkers(table.drop(columns="speaker"), contents, 0)
    assert without["talker"].sum() == MAX_TALKERS


def test_a_folder_without_audio(tmp_path):
    (tmp_path / "notes.txt").write_text("no audio")
    with pytest.raises(InputError, match="name a folder of recordings"):
        Recordings(tmp_path)


def test_silent_recordings(tmp_path, corpus):
    soundfile.write(tmp_path / "silence.wav", np.zeros(8000), 8000)
    for name, settings in {"x": {"noise": "folder", "snr": 0}, "y": {"room": "folder"}}.items():
        change = Perturbation(settings, condition=name, seed=0, audio=".", recordings=tmp_path)
        row = rows_of(corpus)[0]
        with pytest.raises(InputError, match="silent"):
            change(read(corpus, row), row)


def test_no_job_in_a_condition_imports_scipy():
    """SciPy takes a quarter of the time in which a job starts."""
    imports = "import sys, voxslice.inference.predict, voxslice.conditions.perturbations"
    command = [sys.executable, "-c", f"{imports}; sys.exit('scipy' in sys.modules)"]
    done = subprocess.run(command, check=False, env={"PYTHONPATH": str(ROOT / "scripts")})
    assert done.returncode == 0
