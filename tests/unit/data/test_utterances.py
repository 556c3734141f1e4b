"""Lists of utterances are ordered and checked."""

import audformat
import numpy as np
import pandas as pd
import pytest
from small_inputs import noise, write_audio
from voxslice.data import csv_tables, databases, utterances
from voxslice.data.utterances import ordered, require_inside, with_ends
from voxslice.errors import InputError, MachineError


def keys(*rows):
    return pd.DataFrame(rows, columns=["file", "start", "end"])


def test_an_open_end_is_the_end_of_the_file(tmp_path):
    write_audio(tmp_path / "a.wav", noise(1.5))
    (tmp_path / "b.wav").write_bytes(b"broken")
    table = keys(("a.wav", 0.5, np.nan), ("a.wav", 0, 1), ("b.wav", 0, np.nan), ("c", 0, np.nan))
    assert with_ends(table, tmp_path)["end"].to_list() == [1.5, 1, 0, 0]


def test_order_and_duration():
    found = ordered(keys(("b", 0.0, 1.0), ("a", 1.0, 3.0), ("a", 0.0, 3.0), ("c", 2.0, 0.0)), "t")
    assert found["file"].to_list() == ["a", "a", "b", "c"]
    assert found["duration"].to_list() == [3, 2, 1, 0]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (keys(), r"^t has no rows: name another table\.$"),
        (keys(("a", 0, 1), ("b", 0, 1), ("a", 0, 1)), r"^t lists a more than once"),
    ],
)
def test_lists_that_are_refused(table, message):
    with pytest.raises(InputError, match=message):
        ordered(table, "t")


@pytest.mark.parametrize("file", ["../a.wav", "a/../../b.wav", "/a.wav", "..", "a/.."])
@pytest.mark.parametrize("links", ["inside", "anywhere"])
def test_names_that_lead_out_of_the_folder_are_refused(tmp_path, file, links):
    with pytest.raises(InputError, match=r"^t names .*, which is not relative to the folder"):
        require_inside(["a.wav", file], tmp_path, "t", links)


def test_names_inside_of_the_folder_are_accepted(tmp_path):
    names = ["a.wav", "b/..c.wav", ".hidden.wav", "a b/ü.wav", "...wav", "nul\0.wav"]
    names += ["long" * 100, "long" * 100 + "/a.wav", "a/" * 3000]
    require_inside(names, tmp_path, "t")


@pytest.fixture
def linked(tmp_path):
    """A folder of audio beside a private file and a private folder."""
    write_audio(tmp_path / "private" / "p.wav", noise(1))
    write_audio(tmp_path / "audio" / "deep" / "a.wav", noise(1))
    return tmp_path / "audio"


LINKS = {
    "to a file": ("l.wav", "../private/p.wav", "l.wav"),
    "to a folder": ("deep/l", "../../private", "deep/l/p.wav"),
    "to a link": ("l.wav", "other.wav", "l.wav"),
    "to the root": ("l", "/", "l/etc/hostname"),
    "to a device": ("l.wav", "/dev/zero", "l.wav"),
    "in another form of Unicode": ("u\u0308.wav", "../private/p.wav", "\u00fc.wav"),
}


@pytest.mark.parametrize("kind", LINKS)
def test_links_that_lead_out_of_the_folder_are_refused(linked, kind):
    link, target, file = LINKS[kind]
    (linked / "other.wav").symlink_to("../private/p.wav")
    (linked / link).symlink_to(target)
    with pytest.raises(InputError, match=r"symbolic link leads out of .* set links to anywhere"):
        require_inside(["deep/a.wav", file], linked, "t")
    require_inside(["deep/a.wav", file], linked, "t", "anywhere")


def test_links_inside_of_the_folder_are_followed(linked):
    (linked / "l.wav").symlink_to("deep/a.wav")
    (linked / "absolute").symlink_to(linked / "deep")
    (linked / "broken.wav").symlink_to("nowhere.wav")
    (linked / "loop.wav").symlink_to("loop.wav")
    folder = linked.with_name("link to the folder")
    folder.symlink_to(linked)
    files = ["l.wav", "absolute/a.wav", "broken.wav", "loop.wav", "none.wav"]
    require_inside(files, folder, "t")


def test_a_link_is_refused_before_its_file_is_read(linked):
    (linked / "l.wav").symlink_to("../private/p.wav")
    table = linked.with_name("t.csv")
    table.write_text("file\nl.wav\n")
    with pytest.raises(InputError, match=r"t\.csv names l\.wav, which a symbolic link leads out"):
        csv_tables.list_utterances(table, linked, {})
    assert csv_tables.list_utterances(table, linked, {}, "anywhere")["end"].to_list() == [1]
    db = audformat.Database("links")
    db["files"] = audformat.Table(audformat.filewise_index(["l.wav"]))
    db.save(str(linked))
    with pytest.raises(InputError, match=r"The table files of links names l\.wav, which a sym"):
        databases.list_utterances(linked, "files", {})
    assert databases.list_utterances(linked, "files", {}, "anywhere")["end"].to_list() == [1]


def test_a_table_of_metadata_opens_no_other_file(linked, monkeypatch):
    db = audformat.Database("links")
    db["files"] = audformat.Table(audformat.filewise_index(["deep/a.wav"]))
    index = audformat.segmented_index(["deep/a.wav", "../private/p.wav"], [0, 0], [None, None])
    db["parts"] = audformat.Table(index)
    db.schemes["age"] = audformat.Scheme("int")
    db["parts"]["age"] = audformat.Column(scheme_id="age")
    db["parts"]["age"].set([30, 40])
    db.save(str(linked))
    listed = databases.list_utterances(linked, "files", {})
    opened = []
    monkeypatch.setattr(utterances, "seconds", lambda path: opened.append(path.name) or 1.0)
    age = {"age": {"table": "parts", "column": "age"}}
    assert databases.read_metadata(linked, listed, age)["age"].to_list() == [30]
    assert opened == ["a.wav"]


def test_the_folder_must_be_there_where_files_are_missing(tmp_path):
    with pytest.raises(MachineError, match="is gone or empty"):
        with_ends(keys(("a.wav", 0, np.nan)), tmp_path)
    assert with_ends(keys(("a.wav", 0, 1)), tmp_path)["end"].to_list() == [1]  # not opened
