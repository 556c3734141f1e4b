"""The evaluation corpus of the embedded study, published as an audb dataset.

Its tables and schemes are those of emodb 1.4.1 (https://audeering.github.io/datasets) without the
human confidence ratings and the splits. The same config can read both.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import audb
import audbackend
import audformat
import audiofile
import numpy as np
import pandas as pd
from tqdm import tqdm

from voxslice.demo.speech import SAMPLING_RATE, Utterance, synthesise
from voxslice.demo.telephone import over_telephone
from voxslice.demo.voices import EVALUATION_VOICES, STYLES, Voice

NAME = "demo"
VERSION = "1.0.0"
REPOSITORY = "voxslice-demo"
BACKEND = "file-system"

SENTENCES = {
    "a01": "The red bus leaves the station at seven.",
    "a02": "She put the letter on the kitchen table.",
    "a03": "Tomorrow we will paint the garden fence.",
    "b01": "My brother comes home from work at noon.",
    "b04": "The new neighbours have a small brown dog.",
}

TELEPHONE_SHARE = 0.2
"""Share of the utterances of each voice in each style that come over a telephone."""

_DESCRIPTION = (
    "Synthetic speech of the speech synthesiser espeak-ng, made to try out software. "
    "The voices are settings of the synthesiser, not people; gender, age and emotion are nominal: "
    "they name the settings. Twenty voices say five sentences in the styles of seven emotions. "
    "A fifth of the utterances came over a telephone line; no column says which. "
    "Results on this corpus say nothing about human speech. "
    "espeak-ng itself is under GPL-3.0-or-later; the recordings are released under CC0-1.0."
)

# Archives and headers store time stamps. A fixed time makes the bytes of two builds the same.
# It is 1 January 2000 in UTC; ZIP has no time before 1980.
_TIME_STAMP = 946684800


def publish(
    host: Path,
    seed: int,
    voices: Sequence[Voice] = EVALUATION_VOICES,
    sentences: Sequence[str] = tuple(SENTENCES),
) -> Path:
    """Synthesise the corpus and publish it to a repository on disk.

    The repository is built in a temporary folder and then replaces an earlier one completely.

    Args:
        host: Folder that holds the repository `REPOSITORY`.
        seed: Seed of the synthesiser's noise, and of the draw of utterances that come over a
            telephone.
        voices: Voices that speak.
        sentences: Codes of the `SENTENCES` that each voice speaks in each style.

    Returns:
        Header of the published dataset, `<host>/voxslice-demo/demo/1.0.0/db.yaml`.

    Raises:
        ValueError: There is no voice or no sentence, or a sentence is unknown.
    """
    if not voices or not sentences or not set(sentences) <= set(SENTENCES):
        raise ValueError(f"Name voices and sentences out of {', '.join(SENTENCES)}.")
    host.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{REPOSITORY}-", dir=host) as building:
        source = Path(building, "source")
        database = _database(voices)
        durations = _write_speech(source, voices, sentences, seed)
        _fill(database, durations)
        database.save(str(source), storage_format="csv")
        for path in sorted(source.rglob("*")):
            os.utime(path, (_TIME_STAMP, _TIME_STAMP))

        audbackend.backend.FileSystem.create(building, REPOSITORY)
        audb.publish(
            str(source),
            VERSION,
            audb.Repository(REPOSITORY, building, BACKEND),
            archives={file: f"voice-{Path(file).stem[:2]}" for file in durations.index},
            previous_version=None,
            cache_root=building,
            verbose=False,
        )
        place = host / REPOSITORY
        if place.exists():
            place.rename(Path(building, "replaced"))
        Path(building, REPOSITORY).rename(place)
    return place / NAME / VERSION / "db.yaml"


def _database(voices: Sequence[Voice]) -> audformat.Database:
    """Describe the dataset: header, schemes and the table of voices."""
    database = audformat.Database(
        NAME,
        author="Voxslice",
        languages=["eng"],
        license="CC0-1.0",
        license_url="https://creativecommons.org/publicdomain/zero/1.0/",
        source="https://github.com/espeak-ng/espeak-ng",
        usage="unrestricted",
        description=_DESCRIPTION,
    )
    database.media["synthetic"] = audformat.Media(
        type="audio", format="wav", sampling_rate=SAMPLING_RATE, channels=1, bit_depth=16
    )
    database.schemes["age"] = audformat.Scheme("int", minimum=0, description="Nominal age in years")
    database.schemes["duration"] = audformat.Scheme("time")
    database.schemes["emotion"] = audformat.Scheme(
        labels=sorted(STYLES), description="Nominal emotion: a style of the synthesiser."
    )
    database.schemes["gender"] = audformat.Scheme(
        labels=["female", "male"], description="Nominal gender of the voice."
    )
    database.schemes["language"] = audformat.Scheme("str", description="Language, ISO 639-3.")
    database.schemes["transcription"] = audformat.Scheme(
        labels=SENTENCES, description="Code of the sentence that was said."
    )
    speakers = pd.Index([int(voice.name) for voice in voices], name="speaker", dtype="Int64")
    database["speaker"] = audformat.MiscTable(speakers, description="The voices; not people.")
    for column in ("age", "gender", "language"):
        database["speaker"][column] = audformat.Column(scheme_id=column)
    database["speaker"]["age"].set([voice.age for voice in voices])
    database["speaker"]["gender"].set([voice.gender for voice in voices])
    database["speaker"]["language"].set("eng")
    database.schemes["speaker"] = audformat.Scheme("int", labels="speaker", description="Voice.")
    return database


def _write_speech(
    folder: Path, voices: Sequence[Voice], sentences: Sequence[str], seed: int
) -> pd.DataFrame:
    """Write the recordings and list them. A part of them comes over a telephone.

    Returns:
        One row per utterance, indexed by file, with columns speaker, transcription, emotion and
        duration (seconds).
    """
    (folder / "wav").mkdir(parents=True)
    cast = [(voice, code, emotion) for voice in voices for code in sentences for emotion in STYLES]
    telephone = _drawn_for_telephone(voices, sentences, seed)
    signals = synthesise(
        (Utterance(SENTENCES[code], voice, STYLES[emotion]) for voice, code, emotion in cast), seed
    )
    rows = {}
    for (voice, code, emotion), signal in zip(
        tqdm(cast, "Synthesise corpus", mininterval=1), signals, strict=True
    ):
        file = f"wav/{int(voice.name):02d}{code}-{emotion}.wav"
        if (voice.name, code, emotion) in telephone:
            signal = over_telephone(signal, SAMPLING_RATE)
        audiofile.write(str(folder / file), signal, SAMPLING_RATE, bit_depth=16)
        rows[file] = (int(voice.name), code, emotion, signal.size / SAMPLING_RATE)
    columns = ["speaker", "transcription", "emotion", "duration"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns)


def _drawn_for_telephone(
    voices: Sequence[Voice], sentences: Sequence[str], seed: int
) -> set[tuple[str, str, str]]:
    """Draw the utterances that come over a telephone, the same number for each voice and style.

    Returns:
        Voice, sentence and emotion of each of them.
    """
    rng = np.random.default_rng(seed)
    count = round(TELEPHONE_SHARE * len(sentences))
    return {
        (voice.name, str(code), emotion)
        for voice in voices
        for emotion in STYLES
        for code in rng.choice(sentences, count, replace=False)
    }


def _fill(database: audformat.Database, utterances: pd.DataFrame) -> None:
    """Add the two filewise tables."""
    index = audformat.filewise_index(list(utterances.index))
    table = database["emotion"] = audformat.Table(index, description="What is expressed.")
    table["emotion"] = audformat.Column(scheme_id="emotion")
    table["emotion"].set(utterances["emotion"].to_numpy())
    table = database["files"] = audformat.Table(index, description="Who says what.")
    values = {
        "duration": pd.to_timedelta(utterances["duration"].to_numpy(), unit="s"),
        "speaker": utterances["speaker"].to_numpy(),
        "transcription": utterances["transcription"].to_numpy(),
    }
    for column, column_values in values.items():
        table[column] = audformat.Column(scheme_id=column)
        table[column].set(column_values)
