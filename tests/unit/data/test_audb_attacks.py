"""Attacks by an audb repository that serves hostile files, or others than were published."""

import hashlib
import os
import pickle
import re
import shutil
import stat
import struct
import zipfile
from pathlib import Path

import audb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from refusals import refusal, require_cheap
from small_inputs import fetch, noise, write_audio
from voxslice.errors import InputError


class Payload:
    """An object that runs a command when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch '{self.path}'",)


class Repository:
    """A copy of the repository that an attacker may write to."""

    def __init__(self, place, folder):
        self.host = shutil.copytree(place["host"], folder / "host")
        self.root = self.host / place["name"] / "voices"
        self.place = place | {"host": str(self.host)}
        self.target = folder / "fetched" / "audio"

    @property
    def archive(self):
        """Path of the archive that contains audio/a.wav."""
        return self.root / "media" / "1.0.0" / f"{self.table().archive('audio/a.wav')}.zip"

    def table(self):
        table = audb.Dependencies()
        table.load(str(self.root / "1.0.0" / "db.parquet"))
        return table

    def change_table(self, change):
        table = self.table()
        change(table)
        table.save(str(self.root / "1.0.0" / "db.parquet"))

    def add(self, member, content, **settings):
        """Add a member to the archive of audio/a.wav."""
        with zipfile.ZipFile(self.archive, "a") as archive:
            archive.writestr(member, content, **settings)

    def fetch(self):
        fetch(self.target, self.place, num_workers=1)

    def refusal(self):
        """Fetch the database, which must be refused, and return the sentence."""
        with pytest.raises(InputError) as error:
            self.fetch()
        assert "\n" not in str(error.value)
        return str(error.value)

    def cheap_refusal(self):
        """Fetch in a separate process, check that refusing is cheap, and return the sentence."""
        imports = "from pathlib import Path; from small_inputs import fetch"
        call = f"fetch(Path({str(self.target)!r}), {self.place!r}, num_workers=1)"
        found = refusal(imports, call)
        require_cheap(found)
        return found.message

    def fetched(self):
        """Audio files and pickles that exist after the fetch."""
        below = self.target.parent.rglob("*")
        return {path.name for path in below if path.suffix in (".wav", ".pkl") and path.is_file()}


@pytest.fixture
def hostile(repository, tmp_path):
    return Repository(repository, tmp_path)


def yaml_payload(path):
    return f"!!python/object/apply:os.system [\"touch '{path}'\"]"


def test_code_in_a_header_is_not_run(hostile, tmp_path):
    header = hostile.root / "1.0.0" / "db.yaml"
    header.write_text(f"{header.read_text()}note: {yaml_payload(tmp_path / 'run')}\n")
    with pytest.raises(InputError, match=r"db\.yaml has the tag"):
        hostile.fetch()
    assert not (tmp_path / "run").exists()
    assert not list(hostile.target.parent.rglob("db.yaml"))


@pytest.mark.slow
def test_a_header_of_great_cost_is_refused_at_once(hostile):
    header = hostile.root / "1.0.0" / "db.yaml"
    bomb = ["note0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    bomb += [f"note{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    header.write_text(header.read_text() + "\n".join(bomb) + "\n")
    assert "more than 200,000 keys and values" in hostile.cheap_refusal()


@pytest.mark.slow
@pytest.mark.parametrize("absolute", [False, True])
def test_an_archive_does_not_write_outside_of_its_folder(hostile, tmp_path, absolute):
    outside = tmp_path / "outside.wav"
    hostile.add(str(outside) if absolute else "../" * 30 + str(outside)[1:], b"written")
    assert "outside.wav', which was not published" in hostile.refusal()
    assert not outside.exists()


@pytest.mark.parametrize("name", ["../db.files.pkl", "../../x.pkl", "audio/../x.wav", "x/../../y"])
def test_an_archive_does_not_write_into_other_folders_of_the_cache(hostile, name):
    hostile.add(name, b"written")
    assert "which was not published" in hostile.refusal()
    assert not list(hostile.target.parent.rglob(Path(name).name))


@pytest.mark.slow
def test_an_archive_does_not_bring_a_pickle(hostile, tmp_path):
    hostile.add("db.files.pkl", pickle.dumps(Payload(tmp_path / "run")))
    assert "'db.files.pkl', which was not published" in hostile.cheap_refusal()
    assert not (tmp_path / "run").exists()
    assert "db.files.pkl" not in hostile.fetched()


def test_a_dependency_table_does_not_list_a_pickle_as_audio(hostile, tmp_path):
    content = pickle.dumps(Payload(tmp_path / "run"))
    hostile.add("db.files.pkl", content)
    list_file(hostile, "db.files.pkl", content)
    assert "lists 'db.files.pkl' in the archive" in hostile.refusal()
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "name", ["../x.wav", "/tmp/x.wav", "audio/../../x.wav", ".complete", "a//x.wav", "./x.wav"]
)
def test_a_dependency_table_does_not_name_files_elsewhere(hostile, name):
    hostile.add(name, b"content")
    list_file(hostile, name, b"content")
    assert f"lists {name!r} in the archive" in hostile.refusal()
    assert hostile.fetched() == {"db.pkl"}  # the dependency table as audb keeps it


def list_file(hostile, name, content):
    """List a further file of the archive of audio/a.wav, with its right checksum."""

    def change(table):
        row = table()[table().index == "audio/a.wav"].rename(index={"audio/a.wav": name})
        row["checksum"] = hashlib.md5(content).hexdigest()
        table._df = pd.concat([table(), row])

    hostile.change_table(change)


def test_a_dependency_table_does_not_name_archives_elsewhere(hostile):
    def change(table):
        table._df.loc["audio/a.wav", "archive"] = "../../../other"

    hostile.change_table(change)
    assert "in the archive '../../../other', which is not a name" in hostile.refusal()


@pytest.mark.slow
def test_a_dependency_table_that_is_a_pickle_is_not_loaded(hostile, tmp_path):
    (hostile.root / "1.0.0" / "db.parquet").unlink()
    with zipfile.ZipFile(hostile.root / "1.0.0" / "db.zip", "w") as archive:
        archive.writestr("db.pkl", pickle.dumps(Payload(tmp_path / "run")))
        archive.writestr("../db.pkl", pickle.dumps(Payload(tmp_path / "run")))
    assert "db.zip 1.0.0 is refused because it holds 'db.pkl'" in hostile.cheap_refusal()
    assert not (tmp_path / "run").exists()


def test_a_pickle_in_the_cache_is_not_loaded(hostile, tmp_path):
    for name in ("db.pkl", "db.files.pkl"):
        path = hostile.target.parent / "partial" / "voices" / "1.0.0" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(Payload(tmp_path / "run")))
    hostile.fetch()
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_an_old_dependency_table_in_csv_is_read(hostile):
    table = hostile.table()
    (hostile.root / "1.0.0" / "db.parquet").unlink()
    table.save(str(hostile.host / "db.csv"))
    with zipfile.ZipFile(hostile.root / "1.0.0" / "db.zip", "w") as archive:
        archive.write(hostile.host / "db.csv", "db.csv")
    hostile.fetch()
    assert hostile.fetched() == {f"{name}.wav" for name in "abcd"}


def replace(archive, contents):
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target:
        for name, content in contents.items():
            target.writestr(name, content)


def other_audio(tmp_path):
    """Audio of the published length, rate and channels."""
    path = write_audio(
        tmp_path / "other.wav", noise(2.0, rate=22050, seed=9, channels=2), rate=22050
    )
    return path.read_bytes()


def test_other_audio_than_published_is_refused(hostile, tmp_path):
    replace(hostile.archive, {"audio/a.wav": other_audio(tmp_path)})
    assert "its file 'a.wav' is not the published one (MD5 differs)" in hostile.refusal()
    assert "a.wav" not in hostile.fetched()


def test_swapped_archives_are_refused(hostile):
    other = hostile.archive.with_name(f"{hostile.table().archive('audio/b.wav')}.zip")
    moved = hostile.archive.rename(hostile.archive.with_name("moved"))
    other.rename(hostile.archive)
    moved.rename(other)
    message = hostile.refusal()
    assert "it holds 'audio/" in message
    assert "which was not published" in message


def test_a_file_that_comes_twice_is_refused(hostile, tmp_path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        hostile.add("audio/a.wav", other_audio(tmp_path))
    assert "it holds 'audio/a.wav', which was not published" in hostile.refusal()


def test_a_link_is_refused(hostile):
    member = zipfile.ZipInfo("audio/a.wav")
    member.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(hostile.archive, "w") as archive:
        archive.writestr(member, "/etc/passwd")
    assert "its file 'a.wav' is not the published one" in hostile.refusal()


def test_another_table_than_published_is_refused(hostile):
    tables = hostile.root / "meta" / "1.0.0"
    shutil.copyfile(tables / "empty.parquet", tables / "files.parquet")
    assert "The table db.files.parquet is not the published one" in hostile.refusal()
    (tables / "files.parquet").write_bytes(b"<html>Please log in</html>")
    assert "The table db.files.parquet is not readable Parquet" in hostile.refusal()


def test_a_table_in_an_archive_is_checked(hostile):
    def change(table):
        row = table()[table().index == "db.files.parquet"]
        table._df = pd.concat(
            [
                table()[table().index != "db.files.parquet"],
                row.rename(index={row.index[0]: "db.files.csv"}),
            ]
        )

    hostile.change_table(change)
    replace(hostile.root / "meta" / "1.0.0" / "files.zip", {"db.files.csv": "file\naudio/a.wav\n"})
    assert "its file 'db.files.csv' is not the published one" in hostile.refusal()


@pytest.mark.slow
@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA, zipfile.ZIP_DEFLATED])
def test_an_archive_that_unpacks_to_gigabytes_is_refused_at_once(hostile, method):
    with (
        zipfile.ZipFile(hostile.archive, "w", method) as archive,
        archive.open("audio/a.wav", "w") as member,
    ):
        for _ in range(120):
            member.write(bytes(1 << 20))
    assert hostile.archive.stat().st_size < 400_000
    message = hostile.cheap_refusal()
    reason = "UnsupportedCompressionTypeError" if method == zipfile.ZIP_LZMA else "larger than"
    assert reason in message
    assert "a.wav" not in hostile.fetched()


@pytest.mark.slow
def test_an_archive_of_very_many_members_is_refused_at_once(hostile):
    count = 500_000
    head = struct.pack("<4s5H3I2H", b"PK\x03\x04", 20, 0, 0, 0, 0, 0, 0, 0, 1, 0)
    hostile.archive.write_bytes(b"".join(head + b"x" for _ in range(count)))
    assert "it holds 'x', which was not published" in hostile.cheap_refusal()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["cut", "text", "empty", "encrypted", "missing", "without it"])
def test_an_archive_that_cannot_be_read_is_one_sentence(hostile, kind):
    content = hostile.archive.read_bytes()
    if kind == "cut":
        hostile.archive.write_bytes(content[: len(content) // 2])
    elif kind == "text":
        hostile.archive.write_bytes(b"<html>Please log in</html>")
    elif kind == "empty":
        hostile.archive.write_bytes(b"")
    elif kind == "encrypted":
        hostile.archive.write_bytes(content[:6] + b"\x01" + content[7:])
    elif kind == "missing":
        hostile.archive.unlink()
    else:
        replace(hostile.archive, {})
    message = hostile.refusal()
    assert "\n" not in message
    assert ("cannot be fetched" if kind == "missing" else "is refused because it") in message
    assert "a.wav" not in hostile.fetched()
    hostile.archive.write_bytes(content)
    hostile.fetch()  # the others were not taken with it
    assert hostile.fetched() == {f"{name}.wav" for name in "abcd"}


def test_a_file_that_a_table_names_but_nobody_published(hostile):
    hostile.change_table(lambda table: table._drop(["audio/a.wav"]))
    message = hostile.refusal()
    assert "The tables of voices 1.0.0 name files that were not published" in message
    assert "audio/a.wav" in message


def test_published_audio_that_is_damaged_is_one_sentence(hostile):
    content = b"RIFF no audio"
    replace(hostile.archive, {"audio/a.wav": content})

    def change(table):
        table._df.loc["audio/a.wav", "checksum"] = hashlib.md5(content).hexdigest()

    hostile.change_table(change)
    message = hostile.refusal()
    assert "cannot be fetched" in message
    assert "a.wav" in message
    assert "\n" not in message


@pytest.mark.parametrize("change", ["text", "columns", "missing value", "twice"])
def test_a_dependency_table_that_cannot_be_used_is_one_sentence(hostile, change):
    path = hostile.root / "1.0.0" / "db.parquet"
    if change == "text":
        path.write_bytes(b"<html>Please log in</html>")
    elif change == "columns":
        shutil.copyfile(hostile.root / "meta" / "1.0.0" / "files.parquet", path)
    elif change == "missing value":
        hostile.change_table(lambda table: table._df.__setitem__("checksum", None))
    else:
        list_file(hostile, "audio/b.wav", b"")
    message = hostile.refusal()
    assert "\n" not in message
    assert re.search("dependency table|table db.parquet|cannot be fetched", message)


@pytest.mark.slow
def test_a_dependency_table_that_expands_to_gigabytes_is_refused_at_once(hostile):
    path = hostile.root / "1.0.0" / "db.parquet"
    row = pq.read_table(path).slice(0, 1)
    many = pa.table({name: pa.repeat(row[name][0], 1_000_000) for name in row.column_names})
    with pq.ParquetWriter(path, many.schema) as writer:
        for _ in range(5):
            writer.write_table(many)
    assert path.stat().st_size < 2_000_000
    assert "The table db.parquet is refused because it could take" in hostile.cheap_refusal()


def forge(path, table):
    """Write a table in Parquet that copies the checksum of another file."""
    copied = {b"hash": pq.read_schema(path).metadata[b"hash"]}
    pq.write_table(table.replace_schema_metadata({**(table.schema.metadata or {}), **copied}), path)


def test_a_table_that_copies_the_checksum_of_another_is_refused(hostile):
    path = hostile.root / "meta" / "1.0.0" / "partial.parquet"
    table = pq.read_table(path)
    emotion = table["emotion"].to_pylist()
    assert emotion[:2] == ["fear", "neutral"]
    swapped = pa.chunked_array([pa.array([emotion[1], emotion[0], *emotion[2:]])])
    column = table.schema.get_field_index("emotion")
    changed = table.set_column(
        column, table.schema.field("emotion"), swapped.cast(table.schema.field("emotion").type)
    )
    assert changed.schema == table.schema and changed.num_rows == table.num_rows
    forge(path, changed)
    message = hostile.refusal()
    assert "The table db.partial.parquet is not the published one (its content" in message
    assert not hostile.fetched() - {"db.pkl"}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["rows", "columns", "text"])
def test_a_table_that_expands_to_gigabytes_is_refused_at_once(hostile, kind):
    path = hostile.root / "meta" / "1.0.0" / "files.parquet"
    row = pq.read_table(path).slice(0, 1)
    if kind == "rows":
        table = pa.table({name: pa.repeat(row[name][0], 20_000_000) for name in row.column_names})
    elif kind == "columns":
        table = pa.table({f"c{number}": pa.repeat("x", 100_000) for number in range(300)})
    else:
        table = pa.table({"file": pa.repeat("x" * 100_000, 20_000)})
    forge(path, table)
    assert path.stat().st_size < 2_000_000
    message = hostile.cheap_refusal()
    assert "The table db.files.parquet is refused because it could take" in message


@pytest.mark.slow
def test_a_table_in_an_archive_that_unpacks_to_gigabytes_is_refused_at_once(hostile):
    def change(table):
        row = table()[table().index == "db.files.parquet"]
        row = row.rename(index={"db.files.parquet": "db.files.csv"})
        table._df = pd.concat([table()[table().index != "db.files.parquet"], row])

    hostile.change_table(change)
    archive = hostile.root / "meta" / "1.0.0" / "files.zip"
    with (
        zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as target,
        target.open("db.files.csv", "w", force_zip64=True) as member,
    ):
        for _ in range(3000):
            member.write(bytes(1 << 20))
    assert "its file 'db.files.csv' is larger than" in hostile.cheap_refusal()
