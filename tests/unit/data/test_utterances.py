import numpy as np
import pandas as pd
import pytest
from small_inputs import noise, write_audio
from voxslice.data.utterances import ordered, require_inside, with_ends
from voxslice.errors import InputError, MachineError


def keys(*rows):
    return pd.DataFrame(rows, columns=["file", "start", "end"])


def test_open_ends_are_those_of_the_files(tmp_path):
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
        (keys(("/etc/passwd", 0, 1)), r"^t names /etc/passwd, which is not relative to"),
    ],
)
def test_lists_that_are_refused(table, message):
    with pytest.raises(InputError, match=message):
        ordered(table, "t")


@pytest.mark.parametrize("file", ["../a.wav", "a/../../b.wav", "/a.wav", "..", "a/.."])
def test_files_outside_of_the_folder(file):
    with pytest.raises(InputError, match="not relative to the folder"):
        require_inside(["a.wav", file], "t")


def test_files_inside_of_the_folder():
    require_inside(["a.wav", "b/..c.wav", ".hidden.wav", "a b/ü.wav", "...wav"], "t")


def test_the_folder_must_be_there_where_files_are_missing(tmp_path):
    with pytest.raises(MachineError, match="is gone or empty"):
        with_ends(keys(("a.wav", 0, np.nan)), tmp_path)
    assert with_ends(keys(("a.wav", 0, 1)), tmp_path)["end"].to_list() == [1]  # not looked at
