import numpy as np
import pandas as pd
import pytest
from small_inputs import noise, write_audio
from voxslice.errors import InputError
from voxslice.utterances import kept, ordered, require_inside, with_ends


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


VALUES = pd.DataFrame(
    {
        "split": pd.Categorical(["test", "dev", "test", None]),
        "fold": pd.array([1, 1, 2, 2], dtype="Int64"),
        "clean": pd.array([True, False, None, True], dtype="boolean"),
        "snr": [0.5, np.nan, 10.0, 1.0],
    }
)


@pytest.mark.parametrize(
    ("filters", "rows"),
    [
        ({}, [0, 1, 2, 3]),
        ({"split": ["test"]}, [0, 2]),
        ({"split": ["test", "dev"]}, [0, 1, 2]),
        ({"fold": [2]}, [2, 3]),
        ({"fold": ["2"]}, [2, 3]),
        ({"clean": [True]}, [0, 3]),
        ({"clean": ["false"]}, [1]),
        ({"snr": [10, 0.5]}, [0, 2]),
        ({"split": ["test"], "fold": [2]}, [2]),
    ],
)
def test_filter(filters, rows):
    assert np.flatnonzero(kept(VALUES, filters, "t")).tolist() == rows


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"split": ["test", "train"]}, r"filter of split names 'train', .*in t: .* dev, test\.$"),
        ({"fold": [3]}, r"filter of fold names 3, .* 1, 2\.$"),
        ({"split": ["dev"], "fold": [2]}, r"^The filter leaves no utterance of t: widen it\.$"),
    ],
)
def test_filters_that_keep_nothing(filters, message):
    with pytest.raises(InputError, match=message):
        kept(VALUES, filters, "t")


def test_many_values_are_not_all_listed():
    values = pd.DataFrame({"id": [f"{number:02}" for number in range(50)]})
    with pytest.raises(InputError, match=r"00, 01, .*, 09, \.\.\.\.$"):
        kept(values, {"id": ["x"]}, "t")
