import os
import shutil
import subprocess
import sys

import pytest
from snakemake_cli import ROOT
from voxslice.local_data import of_database, of_table

TABLE = "file,start,end,set,age\na.wav,0,1,test,30\na.wav,1,2,test,30\nb c.wav,,,dev,40\n"


@pytest.fixture
def data(tmp_path):
    (tmp_path / "audio").mkdir()
    for name in ("a.wav", "b c.wav", "other.wav"):
        (tmp_path / "audio" / name).write_text(name)
    (tmp_path / "t.csv").write_text(TABLE)
    return tmp_path


def state(data, **filters):
    return of_table(data / "t.csv", data / "audio", filters)


@pytest.mark.parametrize(
    "edit",
    [
        lambda data: (data / "t.csv").write_text(TABLE.replace(",40", ",41")),
        lambda data: (data / "t.csv").write_text(TABLE.replace("age", "years")),
        lambda data: (data / "t.csv").write_text("\n".join(reversed(TABLE.split("\n")[1:]))),
        lambda data: os.utime(data / "t.csv", (1, 1)),
        lambda data: (data / "audio/other.wav").write_text("changed"),
        lambda data: (data / "audio/new.wav").write_text("new"),
    ],
)
def test_what_changes_no_utterance_changes_nothing(data, edit):
    before = state(data)
    edit(data)
    if not (data / "t.csv").read_text().startswith("file"):
        (data / "t.csv").write_text("file,start,end,set,age\n" + (data / "t.csv").read_text())
    assert state(data) == before and len(before) == 12


@pytest.mark.parametrize(
    "edit",
    [
        lambda data: (data / "t.csv").write_text(TABLE + "new.wav,,,test,1\n"),
        lambda data: (data / "t.csv").write_text(TABLE.replace(",1,test", ",0.9,test")),
        lambda data: (data / "audio/a.wav").write_text("changed"),
        lambda data: (data / "audio/b c.wav").unlink(),
        lambda data: os.utime(data / "audio/a.wav", (1, 1)),
    ],
)
def test_what_changes_an_utterance_is_seen(data, edit):
    before = state(data)
    edit(data)
    assert state(data) != before


def test_what_a_filter_leaves_out_changes_nothing(data):
    before = state(data, set=["test"])
    (data / "t.csv").write_text(TABLE + "new.wav,,,train,1\n")
    (data / "audio/b c.wav").unlink()
    assert state(data, set=["test"]) == before != state(data, set=["dev"])


@pytest.mark.parametrize(
    "content",
    [b"", b"name\na.wav\n", b"file\n\xff\n", b"file\nnul\0.wav\n", b'file\n"' + b"a" * 200000],
)
def test_a_table_that_cannot_be_read_is_left_to_the_job(data, content):
    (data / "t.csv").write_bytes(content)
    state(data)
    assert of_table(data / "missing.csv", data / "audio", {}) is None


def test_media_of_a_database(data, monkeypatch):
    monkeypatch.chdir(data)
    (data / "audio/deep").mkdir()
    (data / "audio/deep/db.wav").write_text("a")
    before = of_database("audio")
    assert of_database(data / "audio") == before
    for name in ("db.yaml", "db.files.csv", ".DS_Store", "deep/.hidden"):
        (data / "audio" / name).write_text("not media")
    assert of_database("audio") == before
    (data / "audio/deep/db.wav").write_text("changed")
    assert of_database("audio") != before


def test_what_the_workflow_makes_beside_a_database_is_no_media_of_it(data, monkeypatch):
    monkeypatch.chdir(data)
    before = of_database(".")
    for name in ("results", "resources", ".snakemake"):
        shutil.copytree(data / "audio", data / name)
    assert of_database(".") == before


def test_the_module_is_light():
    code = "import sys; from voxslice import local_data; print('pandas' in sys.modules)"
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, cwd=ROOT / "scripts", capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
