"""Utterances and metadata of audformat databases."""

import shutil

import audformat
import pandas as pd
import pytest
from voxslice.data.databases import list_utterances as list_filtered
from voxslice.data.databases import read_metadata, read_unit_columns
from voxslice.errors import InputError
from voxslice.utterance_keys import KEY


def list_utterances(folder, table):
    return list_filtered(folder, table, {})


def test_utterances_of_a_filewise_table_are_sorted(database):
    expected = pd.DataFrame(
        {
            "file": [f"audio/{name}.wav" for name in "abcd"],
            "start": 0.0,
            "end": [2.0, 0.5, 1.5, 1.0],
            "duration": [2.0, 0.5, 1.5, 1.0],
        }
    )
    pd.testing.assert_frame_equal(list_utterances(database, "files"), expected)


def test_utterances_of_a_segmented_table_are_sorted_and_have_an_end(database):
    expected = pd.DataFrame(
        {
            "file": ["audio/a.wav", "audio/a.wav", "audio/d.wav"],
            "start": [0.0, 0.5, 0.0],
            "end": [2.0, 1.25, 0.4],
            "duration": [2.0, 0.75, 0.4],
        }
    )
    pd.testing.assert_frame_equal(list_utterances(database, "parts"), expected)


def test_unreadable_audio_has_the_duration_zero(database, tmp_path):
    db = audformat.Database("broken")
    db["files"] = audformat.Table(audformat.filewise_index(["missing.wav"]))
    db.save(str(tmp_path))
    assert list_utterances(tmp_path, "files")["duration"].to_list() == [0.0]


def test_tables_without_utterances(database):
    with pytest.raises(InputError, match=r"table in the database voices called 'x'.* files, p"):
        list_utterances(database, "x")
    with pytest.raises(InputError, match="The table empty of voices has no rows"):
        list_utterances(database, "empty")


def test_repeated_utterances_are_refused(tmp_path, database):
    db = audformat.Database("twice")
    index = audformat.segmented_index(["a.wav"] * 2, ["0s", "0s"], ["1s", None])
    db["parts"] = audformat.Table(index)
    db.save(str(tmp_path))
    (tmp_path / "a.wav").write_bytes((database / "audio" / "d.wav").read_bytes())  # 1 s
    with pytest.raises(InputError, match=r"lists a\.wav more than once"):
        list_utterances(tmp_path, "parts")


def read(database, table, **columns):
    return read_metadata(database, list_utterances(database, table), columns)


def column(table, name, **mapping):
    return {"table": table, "column": name, **mapping}


def test_metadata_of_files(database):
    found = read(
        database,
        "files",
        age=column("files", "speaker", map="age"),
        gender=column("files", "speaker", map="gender"),
        emotion=column("partial", "emotion"),
        clean=column("partial", "clean"),
        speaker=column("files", "speaker"),
    )
    names = ["file", "start", "end", "duration", "speaker", "age", "gender", "emotion", "clean"]
    assert list(found) == names
    assert values(found["speaker"]) == ["s2", None, "s3", "s1"]
    assert values(found["age"]) == [52, None, None, 31]
    assert values(found["gender"]) == ["female", None, None, "male"]
    assert values(found["emotion"]) == ["neutral", None, None, "fear"]
    assert list(found["emotion"].cat.categories) == ["neutral", "anger", "fear"]
    assert values(found["clean"]) == [False, None, None, True]


def values(column):
    return [None if pd.isna(value) else value for value in column]


def test_stored_metadata_is_read_unchanged(database, tmp_path):
    found = read(
        database,
        "files",
        speaker=column("files", "speaker"),
        age=column("files", "speaker", map="age"),
        emotion=column("partial", "emotion"),
        clean=column("partial", "clean"),
    )
    found.to_parquet(tmp_path / "files.parquet")
    again = pd.read_parquet(tmp_path / "files.parquet")
    for name in found:
        assert values(again[name]) == values(found[name])
    assert list(again["emotion"].cat.categories) == ["neutral", "anger", "fear"]


@pytest.fixture
def typed_database(tmp_path):
    """Three segments of two files with a column of each type; one value of each is missing."""
    db = audformat.Database("typed")
    for name, kind in {"mood": "int", "delay": "time", "day": "date", "tags": "object"}.items():
        db.schemes[name] = audformat.Scheme(kind)
    db.schemes["grade"] = audformat.Scheme("int", labels=[0, 1])
    index = audformat.segmented_index(["a.wav", "a.wav", "b.wav"], [0, 1, 0], [1, 2, 1])
    db["parts"] = audformat.Table(index)
    cells = {
        "mood": [0, None, 1],
        "grade": [0, None, 1],
        "delay": [pd.Timedelta(1.5, "s"), None, pd.Timedelta(0, "s")],
        "day": ["2020-02-01", None, "2020-02-01"],
        "tags": ["x", None, "y"],
    }
    for name, values in cells.items():
        db["parts"][name] = audformat.Column(scheme_id=name)
        db["parts"][name].set(values)
    db.save(str(tmp_path / "db"))
    return tmp_path / "db"


def test_whole_numbers_stay_whole_where_some_are_missing(typed_database, tmp_path):
    names = ["mood", "grade", "delay"]
    found = read(typed_database, "parts", **{name: column("parts", name) for name in names})
    found.to_parquet(tmp_path / "metadata.parquet")
    for table in (found, pd.read_parquet(tmp_path / "metadata.parquet")):
        assert values(table["mood"].astype("string")) == ["0", None, "1"]
        assert values(table["grade"].astype("string")) == ["0", None, "1"]
        assert values(table["delay"]) == [1.5, None, 0]


def test_the_config_sets_the_type_of_a_column(typed_database):
    settings = {
        "mood": column("parts", "mood", type="category"),
        "grade": column("parts", "grade", type="number"),
        "day": column("parts", "day", type="category"),
    }
    found = read(typed_database, "parts", **settings)
    assert values(found["mood"]) == ["0", None, "1"]
    assert values(found["grade"]) == [0, None, 1]
    assert values(found["day"]) == ["2020-02-01", None, "2020-02-01"]


def test_dates_are_refused_in_one_sentence(typed_database):
    with pytest.raises(InputError, match=r"^The table parts of typed has dates, .* column day, "):
        read(typed_database, "parts", day=column("parts", "day"))


def test_filewise_metadata_of_segments(database):
    found = read(
        database,
        "parts",
        speaker=column("files", "speaker"),
        emotion=column("partial", "emotion"),
        score=column("parts", "score"),
    )
    assert values(found["speaker"]) == ["s2", "s2", "s1"]
    assert values(found["emotion"]) == ["neutral", "neutral", "fear"]
    assert values(found["score"]) == [1.5, 0.5, None]


def test_segmented_metadata_of_files(database):
    found = read(database, "files", score=column("parts", "score"))
    # only the segment that covers the whole file gives the value of the file
    assert values(found["score"]) == [1.5, None, None, None]


def test_metadata_is_matched_whatever_the_order(database):
    utterances = list_utterances(database, "files")
    columns = {"speaker": column("files", "speaker"), "emotion": column("partial", "emotion")}
    found = read_metadata(database, utterances, columns)
    reversed_rows = read_metadata(database, utterances[::-1].reset_index(drop=True), columns)
    pd.testing.assert_frame_equal(reversed_rows[::-1].reset_index(drop=True), found)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (column("x", "emotion"), r"no table in the database voices called 'x'.*one of .*partial"),
        (column("speaker", "age"), r"no table in the database voices called 'speaker'"),
        (column("partial", "x"), r"no column in the table partial of voices called 'x'.*emotion,"),
        (column("files", "speaker", map="x"), r"speaker .* has no map 'x'.*'age', 'gender'"),
        (column("partial", "emotion", map="x"), r"emotion .* has no map 'x'"),
        (column("partial", "clean", map="x"), r"clean .* has no map 'x'"),
    ],
)
def test_wrong_columns(database, source, message):
    with pytest.raises(InputError, match=message) as error:
        read(database, "files", wrong=source)
    assert "\n" not in str(error.value)


def chosen(folder, **filters):
    return list_filtered(folder, "files", filters)["file"].to_list()


def test_filter(database):
    women = {"gender": column("files", "speaker", map="gender", values=["female"])}
    assert chosen(database, **women) == ["audio/a.wav"]
    assert chosen(database, clean=column("partial", "clean", values=[True, False])) == [
        "audio/a.wav",
        "audio/d.wav",
    ]
    assert chosen(database, age=column("files", "speaker", map="age", values=[31])) == [
        "audio/d.wav"
    ]
    with pytest.raises(InputError, match=r"names 'child', .* table files of voices: .* male\.$"):
        chosen(database, gender=column("files", "speaker", map="gender", values=["child"]))
    with pytest.raises(InputError, match=r"no column in the table partial of voices called 'x'"):
        chosen(database, x=column("partial", "x", values=["a"]))


def test_a_local_database_is_read_where_it_is_and_never_from_a_pickle(database, tmp_path):
    folder = shutil.copytree(database, tmp_path / "local")
    (folder / "db.files.pkl").write_bytes(
        b"cos\nsystem\n(S'touch " + bytes(tmp_path) + b"/run'\ntR."
    )
    before = sorted(path for path in folder.rglob("*"))
    files = list_utterances(folder, "files")
    pd.testing.assert_frame_equal(files, list_utterances(database, "files"))
    speakers = {"speaker": column("files", "speaker")}
    assert values(read_metadata(folder, files, speakers)["speaker"]) == ["s2", None, "s3", "s1"]
    assert sorted(path for path in folder.rglob("*")) == before
    assert not (tmp_path / "run").exists()
    (folder / "db.files.parquet").unlink()
    with pytest.raises(InputError, match=r"local cannot be loaded .* as CSV or Parquet\.$"):
        list_utterances(folder, "files")


def test_a_folder_without_a_valid_header_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"db\.yaml is missing or is not a regular file"):
        list_utterances(tmp_path, "files")
    (tmp_path / "db.yaml").write_text("{")
    with pytest.raises(InputError, match=r"db\.yaml is not valid YAML") as error:
        list_utterances(tmp_path, "files")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("file", ["../a.wav", "/etc/passwd"])
def test_files_outside_of_the_folder_are_refused(tmp_path, file):
    db = audformat.Database("outside")
    db["files"] = audformat.Table(audformat.segmented_index([file], ["0s"], ["1s"]))
    db.save(str(tmp_path))
    with pytest.raises(InputError, match=r"names .*, which is not relative to the folder"):
        list_utterances(tmp_path, "files")


def test_columns_of_units_that_the_config_does_not_name(database, tmp_path):
    db = audformat.Database("sentences")
    names = [f"audio/{name}.wav" for name in "abcd"]
    db.schemes["sentence"] = audformat.Scheme(labels={"a01": "text", "b02": "another"})
    db["files"] = audformat.Table(audformat.filewise_index(names))
    db["files"]["speaker"] = audformat.Column()
    db["files"]["speaker"].set(["1", "1", "2", "2"])
    db["more"] = audformat.Table(audformat.filewise_index(names[:3]))
    db["more"]["transcription"] = audformat.Column(scheme_id="sentence")
    db["more"]["transcription"].set(["a01", "b02", "a01"])
    db["more"]["session"] = audformat.Column()
    db["more"]["session"].set([1.0, 2.0, 1.0])
    db["more"]["item"] = audformat.Column()
    db["more"]["item"].set([["a"], ["b"], ["c"]])  # lists are no units
    db.save(str(tmp_path))
    shutil.copytree(database / "audio", tmp_path / "audio")
    listed = list_utterances(tmp_path, "files")
    found = read_unit_columns(tmp_path, listed, [{"table": "more", "column": "session"}])
    assert list(found) == [*KEY, "{table: more, column: transcription}"]
    cells = found["{table: more, column: transcription}"].fillna("missing")
    assert cells.tolist() == ["a01", "b02", "a01", "missing"]
    found = read_unit_columns(tmp_path, listed, [])
    assert found["{table: more, column: session}"].fillna("").tolist() == ["1", "2", "1", ""]
