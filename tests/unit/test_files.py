"""Files are written completely or not at all."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from full_disk import require_sentence, run_on_full_disk
from voxslice.files import (
    read_csv,
    read_embeddings,
    read_predictions,
    sha256,
    whole,
    write_csv,
    write_parquet,
    write_text,
)
from voxslice.utterance_keys import KEY, match_rows


def test_an_exception_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def fail():
        with whole(path) as temporary:
            temporary.write_text("half")
            assert path.read_text() == "old"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "old"
    path.unlink()
    with pytest.raises(KeyboardInterrupt):
        fail_new(tmp_path / "new" / "file")
    assert [p.name for p in tmp_path.rglob("*")] == ["new"]


def fail_new(path):
    with whole(path):
        raise KeyboardInterrupt


def test_the_new_file_replaces_the_old(tmp_path):
    path = tmp_path / "deep" / "er" / "file"
    for text in ("old", "new"):
        with whole(path) as temporary:
            assert temporary.parent == path.parent
            temporary.write_text(text)
        assert path.read_text() == text
    assert list(path.parent.iterdir()) == [path]


KILLED = """
import os, signal, sys
from voxslice.files import whole
with whole(sys.argv[1]) as temporary:
    temporary.write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("name", ["file", "[1] *.csv"])
def test_the_next_writer_removes_what_a_killed_one_left(tmp_path, name):
    path = tmp_path / name
    scripts = os.pathsep.join(sys.path)
    run = [sys.executable, "-c", KILLED, path]
    subprocess.run(run, env={**os.environ, "PYTHONPATH": scripts}, check=False)
    (left,) = tmp_path.iterdir()
    assert left.read_text() == "half"
    others = [tmp_path / f".{name}", tmp_path / f".{name}.old"]
    for other in others:
        other.write_text("")
    write_text("new", path)
    assert sorted(tmp_path.iterdir()) == sorted([path, *others])


def test_writers_of_the_same_file_leave_each_other_alone(tmp_path):
    path = tmp_path / "file"
    with whole(path) as first:
        first.write_text("first")
        with whole(path) as second:
            second.write_text("second")
        assert path.read_text() == "second"
    assert path.read_text() == "first" and list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_permissions_follow_the_umask(tmp_path, mask):
    before = os.umask(mask)
    try:
        write_text("text", tmp_path / "file")
        assert os.umask(mask) == mask
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o666 & ~mask


def test_sha256(tmp_path):
    content = os.urandom(1 << 20)
    (tmp_path / "file").write_bytes(content)
    assert sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_write_text_is_utf8(tmp_path):
    write_text("Ümläut 声\n", tmp_path / "file")
    assert (tmp_path / "file").read_bytes() == "Ümläut 声\n".encode()


def test_csv_round_trip(tmp_path):
    names = ["a,b", 'quote"', "new\nline", " space ", "ümlaut", "'"]
    table = pd.DataFrame({"file": names, "value": np.arange(6) / 3})
    write_csv(table, tmp_path / "table.csv")
    again = pd.read_csv(tmp_path / "table.csv")
    assert again["file"].to_list() == names
    np.testing.assert_allclose(again["value"], table["value"], rtol=1e-9)
    assert b"0.3333333333\n" in (tmp_path / "table.csv").read_bytes()


def test_parquet_round_trip(tmp_path):
    table = pd.DataFrame(
        {
            "file": ["a", "b"],
            "age": pd.array([1, None], dtype="Int64"),
            "emotion": pd.Categorical(["joy", None], categories=["sad", "joy"]),
        },
        index=[5, 6],
    )
    write_parquet(table, tmp_path / "table.parquet")
    again = pd.read_parquet(tmp_path / "table.parquet")
    pd.testing.assert_frame_equal(again, table.reset_index(drop=True))


@pytest.fixture
def shards(tmp_path):
    """Three shards of predictions with 2, 0 and 3 rows."""
    schema = pa.schema(
        [
            ("file", pa.string()),
            ("start", pa.float64()),
            ("end", pa.float64()),
            ("age", pa.float32()),
            ("embedding", pa.list_(pa.float32(), 4)),
        ]
    )
    paths, first = [], 0
    for number, count in enumerate([2, 0, 3]):
        rows = np.arange(first, first + count)
        matrix = (rows[:, None] * 10 + np.arange(4)).astype(np.float32)
        table = pa.table(
            [
                pa.array([f"{row}.wav" for row in rows], pa.string()),
                pa.array(rows.astype(float)),
                pa.array(rows + 0.5),
                pa.array(rows.astype(np.float32)),
                pa.FixedSizeListArray.from_arrays(pa.array(matrix.ravel(), pa.float32()), 4),
            ],
            schema=schema,
        )
        paths.append(str(tmp_path / f"{number}.parquet"))
        pq.write_table(table, paths[-1])
        first += count
    return paths


def test_predictions_of_all_shards(shards):
    table = read_predictions(shards)
    assert list(table) == [*KEY, "age"]
    assert table["file"].to_list() == [f"{i}.wav" for i in range(5)]
    assert table["age"].to_list() == [0, 1, 2, 3, 4]
    assert table["age"].dtype == np.float32
    assert table.index.to_list() == [0, 1, 2, 3, 4]
    assert list(read_predictions(shards, ["age", "file"])) == ["age", "file"]
    assert read_predictions(shards[1:2]).empty


def test_embeddings_of_all_shards(shards):
    keys, matrix = read_embeddings(shards)
    assert list(keys) == KEY
    assert keys["start"].to_list() == [0, 1, 2, 3, 4]
    assert matrix.dtype == np.float32
    np.testing.assert_array_equal(matrix, np.arange(5)[:, None] * 10 + np.arange(4))


def test_embeddings_of_some_utterances(shards):
    everyone, whole = read_embeddings(shards)
    wanted = everyone.iloc[[4, 1]].assign(label="x")
    keys, matrix = read_embeddings(shards, wanted)
    assert keys["start"].to_list() == [1, 4]
    np.testing.assert_array_equal(matrix, whole[[1, 4]])
    keys, matrix = read_embeddings(shards, wanted.assign(file="other.wav"))
    assert len(keys) == 0 and matrix.shape == (0, 4)
    assert np.isnan(match_rows(wanted, keys, matrix)).all()


def test_embeddings_of_empty_shards(shards):
    keys, matrix = read_embeddings(shards[1:2])
    assert len(keys) == 0 and matrix.shape == (0, 4)


def test_text_of_a_table_stays_text(tmp_path):
    table = pd.DataFrame(
        {
            "model": ["1", "null", "NA"],
            "search": ["2024", "nan", "true"],
            "slice": ["00000012", "1e5", "12345678"],
            "label": ["None", "", "1.0"],
            "q": [0.1, np.nan, np.inf],
            "n": [1, 2, 3],
            "confirmed": [True, False, True],
            "note": ["", None, "n/a"],
        }
    )
    write_csv(table, tmp_path / "table.csv")
    again = read_csv(tmp_path / "table.csv")
    pd.testing.assert_frame_equal(again, table.replace("", np.nan).fillna({"note": np.nan}))
    write_csv(table.iloc[:0], tmp_path / "table.csv")
    assert list(read_csv(tmp_path / "table.csv")) == list(table)


WRITERS = {
    "text": ("from voxslice.files import write_text", "write_text('x' * 3_000_000, disk / 'a/b')"),
    "csv": (
        "import pandas as pd; from voxslice.files import write_csv",
        "write_csv(pd.DataFrame({'a': ['x' * 3_000_000]}), disk / 'b.csv')",
    ),
    "parquet": (
        "import numpy as np, pandas as pd; from voxslice.files import write_parquet",
        "write_parquet(pd.DataFrame(np.random.default_rng(0).random((400_000, 1)), columns=['a']),"
        " disk / 'b.parquet')",
    ),
    "something else": ("", "(disk / 'b').write_bytes(bytes(3_000_000))"),
    "a temporary file": (
        "import tempfile",
        "tempfile.TemporaryFile(dir=disk, buffering=0).write(bytes(10**6)) and"
        " tempfile.TemporaryFile(dir=disk, buffering=0).write(bytes(3 * 10**6)) and"
        " (disk / 'b').write_bytes(bytes(3_000_000))",
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", WRITERS)
def test_a_full_disk_is_one_sentence_that_names_the_folder(tmp_path, kind):
    require_sentence(run_on_full_disk(tmp_path, *WRITERS[kind]), tmp_path / "disk")


@pytest.mark.slow
def test_a_full_disk_keeps_the_earlier_file(tmp_path):
    imports = (
        "import atexit; from voxslice.files import write_text; write_text('before', disk / 'a');"
        "atexit.register(lambda: (other / 'after').write_text("
        " f\"{(disk / 'a').read_text()} {[path.name for path in disk.iterdir()]}\"))"
    )
    result = run_on_full_disk(tmp_path, imports, "write_text('x' * 3_000_000, disk / 'a')")
    require_sentence(result, tmp_path / "disk")
    assert (tmp_path / "other/after").read_text() == "before ['a']"


def test_a_full_disk_of_the_log_is_one_sentence(tmp_path):
    fill = "(disk / 'fill').write_bytes(bytes(1 << 20))"
    result = run_on_full_disk(tmp_path, fill, "print('x' * 10_000)", log="disk / 'logs/job.log'")
    require_sentence(result, tmp_path / "disk")
    nearly = "(disk / 'fill').write_bytes(bytes((1 << 20) - 8192))"
    (tmp_path / "disk").rmdir()
    result = run_on_full_disk(
        tmp_path, nearly, "[print('x' * 10_000) for _ in range(9)]", log="disk / 'job.log'"
    )
    require_sentence(result, tmp_path / "disk")
