"""Checksums of tables, computed again from their content."""

import audb
import audformat
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from voxslice.data.audb_tables import require_published
from voxslice.errors import InputError

VALUES = {
    "int": [31, None, 52],
    "float": [0.5, None, 1.0],
    "bool": [True, None, False],
    "str": ["a", None, "ü"],
    "time": pd.to_timedelta(["1.5s", None, "2s"]),
    "date": pd.to_datetime(["2000-01-31", None, "2020-02-29"]),
    "object": ["a", None, "b"],
}
UNTYPED = {
    "text": ["a", None, "b"],
    "numbers": [1, 2, 3],
    "fractions": [0.5, np.nan, 1.0],
    "numbers and fractions": [1, None, 0.5],
    "truth": [True, None, False],
    "nothing": [None, None, None],
}


def small_table(columns, rows=3, schemes=()):
    """A database with one table of columns, whose schemes have their names."""
    db = audformat.Database("small")
    for name in schemes:
        db.schemes[name] = audformat.Scheme(name)
    db.schemes["emotion"] = audformat.Scheme(labels=["joy", "fear"])
    db.schemes["level"] = audformat.Scheme(labels=[1, 2])
    files = [f"{row}.wav" for row in range(rows)]
    starts = [f"{row}s" for row in range(rows)]
    db["t"] = audformat.Table(audformat.segmented_index(files, starts, [None] * rows))
    for name, values in columns.items():
        scheme = name if name in db.schemes else None
        db["t"][name] = audformat.Column(scheme_id=scheme)
        db["t"][name].set((list(values) * rows)[:rows])
    return db


def dependencies(checksum):
    table = audb.Dependencies()
    table._add_meta("db.t.parquet", "1.0.0", checksum)
    return table


def saved(db, folder):
    """Save a database, and load it with the checksum of its table as published."""
    db.save(str(folder), storage_format="parquet")
    loaded = audformat.Database.load(str(folder))
    return loaded, pq.read_schema(folder / "db.t.parquet").metadata[b"hash"].decode()


TABLES = {
    **{f"type {name}": {name: values} for name, values in VALUES.items()},
    **{f"no type: {name}": {name: values} for name, values in UNTYPED.items()},
    "text labels": {"emotion": ["joy", None, "fear"]},
    "number labels": {"level": [1, None, 2]},
    "no columns": {},
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_as_published_are_accepted(tmp_path, name):
    db, checksum = saved(small_table(TABLES[name], schemes=VALUES), tmp_path)
    require_published(db, tmp_path, dependencies(checksum))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(TABLES) - {"no columns", "no type: nothing"}))
def test_tables_with_swapped_values_are_refused(tmp_path, name):
    columns = {key: list(values) for key, values in TABLES[name].items()}
    _, checksum = saved(small_table(columns, schemes=VALUES), tmp_path)
    swapped = {key: [values[2], values[1], values[0]] for key, values in columns.items()}
    db, _ = saved(small_table(swapped, schemes=VALUES), tmp_path)
    with pytest.raises(InputError, match=r"db\.t\.parquet is not the published one \(its content"):
        require_published(db, tmp_path, dependencies(checksum))


OLD = {
    "int": [31, None],
    "float": [0.5, None],
    "bool": [True, None],
    "str": ["a", None],
    "time": pd.to_timedelta(["1.5s", None]),
    "date": pd.to_datetime(["2000-01-31", None]),
    "emotion": ["joy", None],
    "level": [2, None],
    "object": ["a", None],
    "free": [1, 1.5, None],
}
# what audformat 1.2.0 and 1.3.3 compute
OLD_CHECKSUMS = {7: "a7a4b6d7fa62449d3d40db00b3e7d30e", 2000: "ec0ebe395352f50330214f890affe6b0"}


@pytest.mark.slow
@pytest.mark.parametrize("rows", OLD_CHECKSUMS)
def test_checksums_of_old_versions_are_accepted(tmp_path, capsys, rows):
    db, _ = saved(small_table(OLD, rows, schemes=VALUES), tmp_path)
    require_published(db, tmp_path, dependencies(OLD_CHECKSUMS[rows]))
    remark = "The checksum of the table db.t.parquet covers only its first and last rows"
    assert (remark in capsys.readouterr().out) == (rows == 2000)


def test_old_checksums_are_compared(tmp_path):
    changed = {**OLD, "emotion": ["fear", None]}
    db, _ = saved(small_table(changed, 7, schemes=VALUES), tmp_path)
    with pytest.raises(InputError, match="its content has another checksum"):
        require_published(db, tmp_path, dependencies(OLD_CHECKSUMS[7]))


def test_a_table_without_a_checksum_is_compared_byte_by_byte(tmp_path):
    db, _ = saved(small_table({"emotion": ["joy", None, "fear"]}), tmp_path)
    path = tmp_path / "db.t.parquet"
    table = pq.read_table(path)
    metadata = {name: value for name, value in table.schema.metadata.items() if name != b"hash"}
    pq.write_table(table.replace_schema_metadata(metadata), path)
    require_published(db, tmp_path, dependencies(audb.core.utils.md5(str(path))))
    with pytest.raises(InputError, match="its content has another checksum"):
        require_published(db, tmp_path, dependencies("0" * 32))
