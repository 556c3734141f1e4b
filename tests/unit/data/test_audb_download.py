"""Databases are downloaded with audb from a repository on disk."""

import signal
import subprocess
import sys

import audb
import audiofile
import filelock
import numpy as np
import pandas as pd
import pytest
from small_inputs import fetch
from snakemake_cli import ROOT
from voxslice.data import audb_download
from voxslice.data.databases import list_utterances, read_metadata
from voxslice.errors import InputError


def tree(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def speaker(*values, **mapping):
    """A filter on speakers, or on what the scheme maps them to."""
    return {"table": "files", "column": "speaker", **mapping, "values": list(values)}


def test_audio_is_converted_to_mono_wav_at_the_sampling_rate(database):
    assert sorted(p.name for p in (database / "audio").iterdir()) == [
        f"{name}.wav" for name in "abcd"
    ]
    for name, seconds in {"a": 2.0, "b": 0.5, "c": 1.5, "d": 1.0}.items():
        signal, rate = audiofile.read(str(database / "audio" / f"{name}.wav"), always_2d=True)
        assert rate == 16000
        assert signal.shape == (1, seconds * 16000)
        assert np.abs(signal).max() > 0.1


def test_the_cache_is_removed(database):
    assert [p.name for p in database.parent.iterdir()] == ["audio"]
    assert not list(database.rglob("*.pkl"))
    assert not list(database.rglob(".complete"))


@pytest.mark.slow
def test_a_second_fetch_gives_the_same(database, repository, tmp_path):
    again = tmp_path / "again" / "audio"
    fetch(again, repository)
    first, second = tree(database), tree(again)
    assert first.keys() == second.keys()
    assert {p for p in first if p.suffix == ".wav" and first[p] != second[p]} == set()
    (again / "stale").write_text("of an older fetch")
    fetch(again, repository)
    assert tree(again).keys() == first.keys()


def test_another_sampling_rate(repository, tmp_path):
    fetch(tmp_path / "db" / "audio", repository, sampling_rate=8000)
    file = tmp_path / "db" / "audio" / "audio" / "a.wav"
    assert audiofile.sampling_rate(str(file)) == 8000
    assert audiofile.duration(str(file)) == 2


def test_another_format(repository, tmp_path):
    fetch(tmp_path / "db" / "audio", repository, format="flac")
    files = list_utterances(tmp_path / "db" / "audio", "files", {})["file"]
    assert files.to_list() == [f"audio/{name}.flac" for name in "abcd"]
    assert all((tmp_path / "db" / "audio" / file).is_file() for file in files)


CLEAN = {"table": "partial", "column": "clean", "values": [True, False]}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "filters", "names"),
    [
        ("parts", {}, "ad"),
        ("files", {"speaker": speaker("s1", "s2")}, "ad"),
        ("files", {"clean": CLEAN}, "ad"),
        # no audio of these speakers is clean; the filter value occurs with others only
        ("files", {"speaker": speaker("s2", "s3"), "clean": CLEAN}, "a"),
        ("parts", {"score": {"table": "parts", "column": "score", "values": [1.5]}}, "a"),
    ],
)
def test_only_the_audio_of_wanted_utterances_is_fetched(
    database, repository, tmp_path, table, filters, names
):
    folder = tmp_path / "db" / "audio"
    fetch(folder, repository, table=table, filters=filters)
    files = [f"audio/{name}.wav" for name in names]
    assert [str(path.relative_to(folder)) for path in sorted(folder.glob("audio/*"))] == files
    # the tables are complete, so utterances and metadata equal those of the full database
    listed = list_utterances(folder, table, filters)
    pd.testing.assert_frame_equal(listed, list_utterances(database, table, filters))
    assert set(listed["file"]) == set(files)
    columns = {"emotion": {"table": "partial", "column": "emotion"}}
    pd.testing.assert_frame_equal(
        read_metadata(folder, listed, columns), read_metadata(database, listed, columns)
    )


@pytest.mark.slow
def test_wanted_audio_in_another_format(repository, tmp_path):
    women = speaker("female", map="gender")
    fetch(tmp_path / "db" / "audio", repository, filters={"gender": women}, format="flac")
    assert [path.name for path in tmp_path.rglob("*.flac")] == ["a.flac"]
    listed = list_utterances(tmp_path / "db" / "audio", "files", {"gender": women})
    assert listed["file"].to_list() == ["audio/a.flac"]


def test_attachments_are_left_out(database):
    assert not list(database.rglob("notes.txt"))


def test_a_mistake_in_a_filter_is_found_before_audio_is_fetched(repository, tmp_path):
    with pytest.raises(InputError, match="names 's9', which does not occur in the table files"):
        fetch(tmp_path / "db" / "audio", repository, filters={"speaker": speaker("s9")})
    assert not list(tmp_path.rglob("*.wav"))


@pytest.mark.slow
def test_files_of_an_interrupted_fetch_are_used_again(database, repository, tmp_path, monkeypatch):
    folder = tmp_path / "db" / "audio"
    convert = audb.core.flavor.Flavor.__call__
    converted = []

    def interrupted(self, source, *arguments, **settings):
        if len(converted) == 2:
            raise KeyboardInterrupt
        converted.append(source)
        return convert(self, source, *arguments, **settings)

    def counted(self, source, *arguments, **settings):
        converted.append(source)
        return convert(self, source, *arguments, **settings)

    monkeypatch.setattr(audb.core.flavor.Flavor, "__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(folder, repository, num_workers=1)
    assert not folder.exists()
    assert (tmp_path / "db" / "partial").exists()
    monkeypatch.setattr(audb.core.flavor.Flavor, "__call__", counted)
    fetch(folder, repository, num_workers=1)
    assert len(converted) == 4  # two before the interruption, two after it
    assert not (tmp_path / "db" / "partial").exists()
    assert tree(folder / "audio") == tree(database / "audio")


def test_repositories_in_the_home_folder_are_ignored(repository, tmp_path, monkeypatch):
    home = audb.Repository(repository["name"], repository["host"], repository["backend"])
    monkeypatch.setattr(audb.config, "REPOSITORIES", [home])
    empty = tmp_path / "host"
    (empty / "local").mkdir(parents=True)
    with pytest.raises(InputError, match=r"voices 1\.0\.0 does not exist .* is in none of them"):
        fetch(tmp_path / "db", repository | {"host": str(empty)})
    assert not (tmp_path / "db").exists()


def test_the_first_repository_with_the_dataset_is_used(repository, tmp_path):
    empty = tmp_path / "host"
    (empty / "local").mkdir(parents=True)
    places = [repository | {"host": str(empty)}, repository]
    fetch(tmp_path / "db" / "audio", repository, repositories=places)
    assert (tmp_path / "db" / "audio" / "db.yaml").exists()


def test_unknown_version_and_name(repository, tmp_path):
    with pytest.raises(InputError, match=r"voices 2\.0\.0 .* has the versions 1\.0\.0; change"):
        fetch(tmp_path / "db", repository, version="2.0.0")
    with pytest.raises(InputError, match=r"The dataset noises 1\.0\.0 does not exist") as error:
        fetch(tmp_path / "db", repository, name="noises")
    assert repository["host"] in str(error.value)


def test_missing_repository_gives_one_sentence(repository, tmp_path):
    with pytest.raises(InputError, match=r"local at .*missing") as error:
        fetch(tmp_path / "db", repository | {"host": str(tmp_path / "missing")})
    assert "\n" not in str(error.value)


@pytest.mark.slow
def test_a_killed_process_does_not_block_the_next_one(database, repository, tmp_path):
    partial, code = tmp_path / "db" / "partial", KILLED.format(repository=repository, path=tmp_path)
    killed = subprocess.run([sys.executable, "-c", code], cwd=ROOT / "scripts", check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "db" / "audio").exists()
    flavour = next(partial.rglob("db.yaml")).parent
    (flavour / "db.files.parquet").write_bytes(b"half a table")
    # on a file system without locks, the lock file of audb would never be released
    (flavour.parent / f".{flavour.name}.lock").write_text("1\nanother machine\n")
    # files that audb had finished, not those that it was working on
    before = {path: path.stat().st_ino for path in flavour.rglob("*.wav")}
    assert len(before) >= 2
    fetch(tmp_path / "db" / "audio", repository)
    assert tree(tmp_path / "db" / "audio").keys() == tree(database).keys()
    assert tree(tmp_path / "db" / "audio" / "audio") == tree(database / "audio")
    after = {path.stat().st_ino for path in (tmp_path / "db" / "audio").rglob("*.wav")}
    assert set(before.values()) <= after  # finished files are not fetched again
    assert not partial.exists()


KILLED = """
import os, signal
from pathlib import Path
import audb
from voxslice.data.audb_download import fetch_audb

convert, done = audb.core.flavor.Flavor.__call__, []

def killed(self, source, *arguments, **settings):
    if len(done) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    done.append(source)
    return convert(self, source, *arguments, **settings)

audb.core.flavor.Flavor.__call__ = killed
path = Path("{path}", "db")
fetch_audb(
    path / "audio", name="voices", version="1.0.0", repositories=[{repository}],
    sampling_rate=16000, format="wav", table="files", filters={{}}, cache=path / "partial",
    num_workers=1,
)
"""


@pytest.mark.slow
def test_a_cache_that_another_process_uses(repository, tmp_path, monkeypatch):
    monkeypatch.setattr(audb_download, "LOCK_TIMEOUT", 0.2)
    (tmp_path / "db" / "partial").mkdir(parents=True)
    with (
        filelock.FileLock(tmp_path / "db" / "partial" / "held"),
        pytest.raises(InputError, match=r"Another process .* for 0 minutes: let it finish"),
    ):
        fetch(tmp_path / "db" / "audio", repository)
    fetch(tmp_path / "db" / "audio", repository)
    assert (tmp_path / "db" / "audio" / "db.yaml").exists()


def test_waiting_takes_minutes():
    assert 60 <= audb_download.LOCK_TIMEOUT <= 600
