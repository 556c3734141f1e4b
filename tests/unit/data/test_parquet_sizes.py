import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from refusals import refusal, require_cheap
from voxslice.data.parquet_sizes import require_bounded
from voxslice.data.user_tables import read_table
from voxslice.errors import InputError

BOMBS = {
    "many rows": lambda: pa.table({"file": pa.repeat("x", 30_000_000)}),
    "many columns": lambda: pa.table(
        {f"c{number}": pa.repeat("x", 100_000) for number in range(300)}
    ),
    "a long text": lambda: pa.table({"file": pa.repeat("x" * 100_000, 20_000)}),
    "lists of a long text": lambda: pa.table({"file": [["x" * 100_000] * 1000] * 20}),
    "texts of one beginning": lambda: pa.table(
        {"file": [f"{'x' * 20_000}{i}" for i in range(30_000)]}
    ),
}
"""Makers of tables, since the tables take gigabytes of memory."""


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_a_table_that_expands_to_gigabytes_is_refused_at_once(tmp_path, name):
    path = tmp_path / "t.parquet"
    plain = name == "texts of one beginning"
    encoding = {"use_dictionary": False, "column_encoding": "DELTA_BYTE_ARRAY"} if plain else {}
    pq.write_table(BOMBS[name](), path, compression="zstd", **encoding)
    assert path.stat().st_size < 1_000_000
    found = refusal(
        "from voxslice.data.parquet_sizes import require_bounded", f"require_bounded({str(path)!r})"
    )
    require_cheap(found)
    assert "t.parquet is refused because it could take" in found.message


@pytest.mark.slow
def test_only_the_columns_that_are_read_count(tmp_path):
    path = tmp_path / "t.parquet"
    columns = {"file": pa.repeat("a.wav", 3000), "note": pa.repeat("x" * 200_000, 3000)}
    pq.write_table(pa.table(columns), path)
    require_bounded(path, ["file"])
    with pytest.raises(InputError, match="could take 600 MB of memory, although its file has only"):
        require_bounded(path)


@pytest.mark.slow
def test_tables_of_users_are_bounded(tmp_path):
    path = tmp_path / "t.parquet"
    lists = pa.array([["x" * 200_000] * 3000])
    pq.write_table(pa.table({"file": ["a.wav"], "notes": lists}), path)
    assert list(read_table(path)) == ["file"]  # lists are not read
    pq.write_table(pa.table({"file": pa.repeat("x" * 200_000, 3000)}), path)
    with pytest.raises(InputError, match=r"^The table .*t\.parquet is refused because it could"):
        read_table(path)


@pytest.mark.slow
@pytest.mark.parametrize("compression", ["snappy", "zstd", "none"])
def test_a_table_of_many_utterances_is_accepted(tmp_path, compression):
    path = tmp_path / "t.parquet"
    count = 500_000
    columns = {"file": [f"audio/{row // 100:05d}/{row:08d}.wav" for row in range(count)]}
    columns |= {f"c{number}": pa.repeat("neutral", count) for number in range(20)}
    pq.write_table(pa.table(columns), path, compression=compression)
    require_bounded(path)


ODD = {
    "empty": pa.array([], type=pa.string()),
    "missing": pa.nulls(10),
    "numbers": pa.array([1.5, None]),
    "bytes": pa.array([b"x", None]),
    "categories": pa.array(["x", None]).dictionary_encode(),
    "long text": pa.array(["x", None], type=pa.large_string()),
    "lists": pa.array([[["x"], None], None]),
    "structures": pa.array([{"a": "x", "b": ["y"]}, None]),
}


@pytest.mark.parametrize("name", ODD)
def test_columns_of_all_types_are_measured(tmp_path, name):
    pq.write_table(pa.table({"c": ODD[name]}), tmp_path / "t.parquet")
    require_bounded(tmp_path / "t.parquet")
