"""Attacks by a local database in the audformat."""

import os
import pickle
import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from refusals import refusal, require_cheap
from voxslice.data.databases import list_utterances, read_metadata
from voxslice.errors import InputError


class Payload:
    """An object that runs a command when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch '{self.path}'",)


def yaml_payload(path):
    return f"!!python/object/apply:os.system [\"touch '{path}'\"]"


@pytest.fixture
def local(database, tmp_path):
    return shutil.copytree(database, tmp_path / "local")


def change_header(folder, change):
    path = folder / "db.yaml"
    path.write_text(change(path.read_text()))


HEADERS = {
    "in the metadata": lambda text, run: f"{text}note: {run}\n",
    "as a key": lambda text, run: f"{text}? {run}\n: note\n",
    "behind a handle": lambda text, run: (
        "%TAG !x! tag:yaml.org,2002:python/object/\n---\n"
        + text
        + "note: "
        + run.replace("!!python/object/", "!x!")
        + "\n"
    ),
    "instead of the whole file": lambda _text, run: run,
    "in a list of another class": lambda text, run: (
        f"{text}note: !!python/object/new:tuple\n- [{run}]\n"
    ),
}


@pytest.mark.parametrize("where", HEADERS)
@pytest.mark.parametrize("reader", ["list_utterances", "read_metadata"])
def test_code_in_a_header_is_not_run(local, tmp_path, where, reader):
    utterances = list_utterances(local, "files", {})
    run = yaml_payload(tmp_path / "run")
    change_header(local, lambda text: HEADERS[where](text, run))
    with pytest.raises(InputError, match=r"db\.yaml has the tag '.*', which is not accepted"):
        if reader == "list_utterances":
            list_utterances(local, "files", {})
        else:
            read_metadata(local, utterances, {})
    assert not (tmp_path / "run").exists()


def test_a_table_that_is_a_pickle_is_not_loaded(local, tmp_path):
    (local / "db.files.pkl").write_bytes(pickle.dumps(Payload(tmp_path / "run")))
    assert len(list_utterances(local, "files", {})) == 4
    (local / "db.files.parquet").unlink()
    with pytest.raises(InputError, match="cannot be loaded"):
        list_utterances(local, "files", {})
    assert not (tmp_path / "run").exists()


def test_a_table_whose_id_names_a_pickle_elsewhere_is_not_loaded(local, tmp_path):
    (local / "notes.pkl").write_bytes(pickle.dumps(Payload(tmp_path / "run")))
    up = "/.." * 20
    change_header(local, lambda text: text.replace("  partial:", f"  x{up}{local}/notes:", 1))
    assert f"x{up}" in (local / "db.yaml").read_text()
    with pytest.raises(InputError, match=r"has a table called 'x/.*in another folder"):
        read_metadata(local, list_utterances(local, "files", {}), {})
    assert not (tmp_path / "run").exists()


def test_a_header_of_the_old_form_is_checked_as_well(tmp_path):
    (tmp_path / "db.yaml").write_text(
        "old: {source: x, usage: other, tables: {a/../../b: {type: filewise}}}"
    )
    with pytest.raises(InputError, match=r"has a table called 'a/\.\./\.\./b'"):
        list_utterances(tmp_path, "a", {})


@pytest.mark.slow
@pytest.mark.parametrize("name", ["db.yaml", "db.files.parquet"])
def test_a_pipe_does_not_hang(local, name):
    (local / name).unlink()
    os.mkfifo(local / name)
    found = refusal(
        "from voxslice.data.databases import list_utterances",
        f"list_utterances({str(local)!r}, 'files', {{}})",
    )
    require_cheap(found)


@pytest.mark.parametrize("text", ["[1, 2]", "text", "tables: [files]\nname: x\n", "a: 1"])
def test_other_files_than_headers_are_refused_in_one_sentence(tmp_path, text):
    (tmp_path / "db.yaml").write_text(text)
    with pytest.raises(InputError, match=r"db\.yaml (is not the header|has tables that are)"):
        list_utterances(tmp_path, "files", {})


BOMB = "\n".join(
    ["note0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    + [f"note{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
)


@pytest.mark.slow
@pytest.mark.parametrize(
    "note",
    [BOMB, "note: 1" + ":1" * 1_000_000, "note: " + "[" * 100_000, "note: [" + "1," * 1_000_000],
    ids=["aliases", "number", "depth", "nodes"],
)
def test_a_header_of_great_cost_is_refused_at_once(local, note):
    change_header(local, lambda text: text + note + "\n")
    found = refusal(
        "from voxslice.data.databases import list_utterances",
        f"list_utterances({str(local)!r}, 'files', {{}})",
    )
    require_cheap(found)


@pytest.mark.slow
def test_a_table_that_expands_to_gigabytes_is_refused_at_once(local):
    path = local / "db.files.parquet"
    pq.write_table(pa.table({"file": pa.repeat("x" * 100_000, 20_000)}), path)
    assert path.stat().st_size < 100_000
    found = refusal(
        "from voxslice.data.databases import list_utterances",
        f"list_utterances({str(local)!r}, 'files', {{}})",
    )
    require_cheap(found)
    assert "The table db.files.parquet is refused because it could take" in found.message


def test_a_header_with_a_shared_value_is_read(local):
    change_header(local, lambda text: text + "one: &a {labels: [a, b]}\ntwo: *a\n")
    assert len(list_utterances(local, "files", {})) == 4
