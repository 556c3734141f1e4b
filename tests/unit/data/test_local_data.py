"""Fingerprints of local data change only if utterances change."""

import os
import shutil
import subprocess
import sys

import pytest
from snakemake_cli import ROOT
from voxslice.data import local_data
from voxslice.data.local_data import (
    contents,
    of_database,
    of_files,
    of_table,
    tables_state,
    write_seen,
)

TABLE = "file,start,end,set,age\na.wav,0,1,test,30\na.wav,1,2,test,30\nb c.wav,,,dev,40\n"


@pytest.fixture
def data(tmp_path):
    (tmp_path / "audio").mkdir()
    for name in ("a.wav", "b c.wav", "other.wav"):
        (tmp_path / "audio" / name).write_text(name)
    (tmp_path / "t.csv").write_text(TABLE)
    return tmp_path


def found(data, **filters):
    named = {name: {"column": name, "values": values} for name, values in filters.items()}
    return of_table(data / "t.csv", data / "audio", named)


def state(data, **filters):
    return found(data, **filters).fingerprint()


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
def test_edits_that_change_no_utterance_keep_the_fingerprint(data, edit):
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
def test_edits_that_change_an_utterance_change_the_fingerprint(data, edit):
    before = state(data)
    edit(data)
    assert state(data) != before


def test_edits_of_filtered_utterances_keep_the_fingerprint(data):
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
    if data_found := found(data):
        data_found.fingerprint()
        data_found.look("", threads=1)
    assert of_table(data / "missing.csv", data / "audio", {}) is None


@pytest.fixture
def recorded(data):
    """A function that returns the fingerprint after a job has recorded the data."""
    data_found = found(data)
    content = data_found.look(data_found.fingerprint(), threads=2)
    write_seen(content, data / "seen.json")
    return lambda: found(data).fingerprint(data / "seen.json")


def copied(path):
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)


@pytest.mark.parametrize(
    "edit",
    [
        lambda data: None,
        lambda data: os.utime(data / "audio/a.wav", (1, 1)),
        lambda data: copied(data / "audio/b c.wav"),
        lambda data: (data / "t.csv").write_text(TABLE.replace(",40", ",41")),
    ],
)
def test_touching_or_copying_files_keeps_the_fingerprint(data, recorded, edit):
    before = state(data)
    edit(data)
    assert recorded() == before


@pytest.mark.parametrize(
    "edit",
    [
        lambda data: (data / "audio/a.wav").write_text("b.wav"),  # of the same size
        lambda data: (data / "audio/a.wav").write_text("longer.wav"),
        lambda data: (data / "audio/b c.wav").unlink(),
        lambda data: (data / "t.csv").write_text(TABLE + "other.wav,,,test,1\n"),
        lambda data: (data / "t.csv").write_text(TABLE.replace(",1,test", ",0.9,test")),
    ],
)
def test_changed_content_is_noticed(data, recorded, edit):
    before = recorded()
    edit(data)
    os.utime(data / "audio/a.wav", (1, 1))
    assert recorded() != before


def test_a_new_record_describes_the_new_content(data, recorded):
    os.utime(data / "audio/a.wav", (1, 1))
    (data / "t.csv").write_text(TABLE + "other.wav,,,test,1\n")
    now = recorded()
    write_seen(found(data).look(now, threads=2), data / "seen.json")
    assert recorded() == now
    os.utime(data / "audio/a.wav", (2, 2))
    assert recorded() == now


def test_files_of_one_folder(data):
    paths = [str(data / "audio" / name) for name in ("b c.wav", "a.wav")]
    before = of_files(paths).fingerprint()
    (data / "audio/other.wav").unlink()
    assert of_files(paths[::-1]).fingerprint() == before
    (data / "audio/a.wav").write_text("changed")
    assert of_files(paths).fingerprint() != before


def test_files_in_folders_of_one_folder(data, monkeypatch):
    (data / "audio/inner").mkdir()
    inner = data / "audio/inner/a.wav"
    inner.write_text("inner")
    paths = [str(data / "audio/a.wav"), str(inner)]
    before = of_files(paths).fingerprint()
    (data / "audio/a.wav").write_text("changed")
    other = of_files(paths).fingerprint()
    inner.write_text("other")
    assert len({before, other, of_files(paths).fingerprint()}) == 3
    monkeypatch.chdir(data / "audio")
    relative = of_files(["a.wav"]).fingerprint()
    (data / "audio/a.wav").write_text("changed again")
    assert of_files(["a.wav"]).fingerprint() != relative


def test_a_touched_file_is_read_only_once(data, recorded, monkeypatch):
    before = recorded()
    os.utime(data / "audio/a.wav", (1, 1))
    files, read = [], local_data._content
    monkeypatch.setattr(
        local_data, "_content", lambda folder, file: files.append(file) or read(folder, file)
    )
    assert [recorded(), recorded()] == [before, before]
    assert files == ["a.wav"]


def test_files_are_read_again_without_write_permission(data, recorded, monkeypatch):
    before = recorded()
    os.utime(data / "audio/a.wav", (1, 1))

    def refused(*arguments):
        raise PermissionError

    monkeypatch.setattr(local_data, "write_seen", refused)
    assert [recorded(), recorded()] == [before, before]


def test_pipes_and_missing_files_are_not_read(data, recorded):
    (data / "audio/a.wav").unlink()
    os.mkfifo(data / "audio/a.wav")
    content = found(data).look("", threads=2)
    assert content["files"]["a.wav"][-1] is None and content["files"]["b c.wav"][-1]
    (data / "audio/b c.wav").unlink()
    assert found(data).look("", threads=2)["files"]["b c.wav"] == [-1, -1, -1, None]


@pytest.mark.parametrize(
    "content",
    [
        None,
        "",
        "{}",
        "[]",
        "null",
        '{"fingerprint":',
        '{"fingerprint": "0", "utterances": "0", "files": []}',
        '{"fingerprint": "0", "utterances": "0", "files": {"a.wav": [1, 2, "0"]}}',
        100_000 * "[",
    ],
)
def test_without_a_record_sizes_and_times_decide(data, recorded, content):
    before = recorded()
    (data / "seen.json").write_text(content) if content else (data / "seen.json").unlink()
    assert recorded() == before
    os.utime(data / "audio/a.wav", (1, 1))
    assert recorded() != before


def test_media_of_a_database(data, monkeypatch):
    monkeypatch.chdir(data)
    (data / "audio/deep").mkdir()
    (data / "audio/deep/db.wav").write_text("a")
    before = of_database("audio").fingerprint()
    assert of_database(data / "audio").fingerprint() == before
    for name in ("db.yaml", "db.files.csv", ".DS_Store", "deep/.hidden"):
        (data / "audio" / name).write_text("not media")
    assert of_database("audio").fingerprint() == before
    (data / "audio/deep/db.wav").write_text("changed")
    assert of_database("audio").fingerprint() != before


def test_files_of_the_workflow_beside_a_database_are_not_its_media(data, monkeypatch):
    monkeypatch.chdir(data)
    before = of_database(".").fingerprint()
    for name in ("results", "resources", ".snakemake"):
        shutil.copytree(data / "audio", data / name)
    assert of_database(".").fingerprint() == before


def test_the_module_is_light():
    code = "import sys; from voxslice.data import local_data; print('pandas' in sys.modules)"
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, cwd=ROOT / "scripts", capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_names_that_are_swapped_are_noticed_whatever_the_times_are(data, recorded):
    for name, text in {"a.wav": "one", "b c.wav": "two"}.items():
        (data / "audio" / name).write_text(text)
        os.utime(data / "audio" / name, (1, 1))
    write_seen(found(data).look(recorded(), threads=1), data / "seen.json")
    before = recorded()
    (data / "audio/a.wav").rename(data / "audio/x")
    (data / "audio/b c.wav").rename(data / "audio/a.wav")
    (data / "audio/x").rename(data / "audio/b c.wav")
    assert recorded() != before


@pytest.mark.parametrize("edit", ["target replaced", "link to another file"])
def test_audio_behind_a_link_is_watched(data, recorded, edit):
    link = data / "audio/a.wav"
    link.unlink()
    link.symlink_to(data / "target")
    for name, text in {"target": "one", "other": "two"}.items():
        (data / name).write_text(text)
        os.utime(data / name, (1, 1))
    write_seen(found(data).look(recorded(), threads=1), data / "seen.json")
    before = recorded()
    if edit == "target replaced":
        (data / "other").rename(data / "target")
    else:
        link.unlink()
        link.symlink_to(data / "other")
    assert recorded() != before


@pytest.mark.parametrize(
    ("written", "on_disk"), [("\u00fc.wav", "u\u0308.wav"), ("u\u0308.wav", "\u00fc.wav")]
)
def test_a_file_in_another_unicode_form_is_watched(data, written, on_disk):
    (data / "t.csv").write_text(f"file\n{written}\n", encoding="utf-8")
    missing = state(data)
    (data / "audio" / on_disk).write_text("one")
    before = state(data)
    (data / "audio" / on_disk).write_text("another")
    assert len({missing, before, state(data)}) == 3
    content = contents(data / "audio", [written], threads=1)[written]
    assert content == contents(data / "audio", [on_disk], threads=1)[on_disk] is not None


def test_the_digest_of_a_file_depends_on_its_content(data):
    (data / "audio/same.wav").write_text("a.wav")
    found = contents(data / "audio", ["a.wav", "b c.wav", "same.wav", "none.wav"], threads=2)
    assert found["a.wav"] == found["same.wav"] != found["b c.wav"] and found["none.wav"] is None
    assert len(found["a.wav"]) == 32


def test_the_fingerprint_of_tables_ignores_their_times(data):
    before = tables_state([data / "t.csv"])
    os.utime(data / "t.csv", (1, 1))
    assert tables_state([data / "t.csv"]) == before
    (data / "t.csv").write_text(TABLE.replace("30", "31"))
    os.utime(data / "t.csv", (1, 1))
    assert tables_state([data / "t.csv"]) != before
    missing = tables_state([data / "none.csv"])
    assert len({before, missing, tables_state([])}) == 3
