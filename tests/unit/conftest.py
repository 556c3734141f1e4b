"""Fixtures of the unit tests: a model that audonnx loads, a database that audb publishes."""

from pathlib import Path

import audformat
import pandas as pd
import pytest
from small_inputs import fetch, noise, publish, write_audio, write_model


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A repository with version 1.0.0 of the database `voices`, stereo at 22050 Hz."""
    host = tmp_path_factory.mktemp("host")
    build = tmp_path_factory.mktemp("build")
    files = [f"audio/{name}.wav" for name in "dacb"]
    lengths = [1.0, 2.0, 1.5, 0.5]
    for number, (file, seconds) in enumerate(zip(files, lengths, strict=True)):
        write_audio(build / file, noise(seconds, rate=22050, seed=number, channels=2), rate=22050)
    db = audformat.Database("voices", license="CC0-1.0")
    speakers = pd.Index(["s1", "s2", "s3"], name="speaker", dtype="string")
    db["speaker"] = audformat.MiscTable(speakers)
    db.schemes["age"] = audformat.Scheme("int")
    db.schemes["gender"] = audformat.Scheme(labels=["male", "female"])
    db["speaker"]["age"] = audformat.Column(scheme_id="age")
    db["speaker"]["age"].set([31, 52, None])
    db["speaker"]["gender"] = audformat.Column(scheme_id="gender")
    db["speaker"]["gender"].set(["male", "female", None])
    db.schemes["speaker"] = audformat.Scheme(labels="speaker", dtype="str")
    db.schemes["emotion"] = audformat.Scheme(labels=["neutral", "anger", "fear"])
    db["files"] = audformat.Table(audformat.filewise_index(files))
    db["files"]["speaker"] = audformat.Column(scheme_id="speaker")
    db["files"]["speaker"].set(["s1", "s2", "s3", None])
    db["partial"] = audformat.Table(audformat.filewise_index(files[:3]))
    db["partial"]["emotion"] = audformat.Column(scheme_id="emotion")
    db["partial"]["emotion"].set(["fear", "neutral", None])
    db.schemes["clean"] = audformat.Scheme("bool")
    db["partial"]["clean"] = audformat.Column(scheme_id="clean")
    db["partial"]["clean"].set([True, False, None])
    db.schemes["score"] = audformat.Scheme("float")
    parts = audformat.segmented_index(
        [files[1], files[0], files[1]], ["0.5s", "0s", "0s"], ["1.25s", "0.4s", None]
    )
    db["parts"] = audformat.Table(parts)
    db["parts"]["score"] = audformat.Column(scheme_id="score")
    db["parts"]["score"].set([0.5, None, 1.5])
    db["empty"] = audformat.Table(audformat.filewise_index())
    (build / "notes.txt").write_text("Not needed by anyone.")
    db.attachments["notes"] = audformat.Attachment("notes.txt")
    return publish(db, build, host)


@pytest.fixture(scope="session")
def database(repository, tmp_path_factory):
    """The database `voices` after it was fetched."""
    folder = tmp_path_factory.mktemp("fetched") / "voices" / "audio"
    fetch(folder, repository)
    return folder
