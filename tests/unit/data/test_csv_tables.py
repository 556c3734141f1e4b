"""Utterances and metadata of datasets that are a CSV table beside a folder of audio."""

import numpy as np
import pandas as pd
import pytest
from small_inputs import noise, write_audio
from voxslice.data.csv_tables import add_columns, list_utterances, read_cells
from voxslice.data.local_data import of_table
from voxslice.errors import InputError


def read_metadata(path, utterances, columns):
    return add_columns(utterances, read_cells(path, utterances), columns, str(path))


@pytest.fixture(scope="module")
def audio(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audio")
    for name, length in {"a.wav": 2, "deep/b c.flac": 1, "ü.ogg": 0.5}.items():
        write_audio(folder / name, noise(length))
    return folder


@pytest.fixture
def table(tmp_path):
    """A function that writes a table and returns its path."""

    def write(text, encoding="utf-8"):
        path = tmp_path / "mine.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def rows(table):
    return table[["file", "start", "end"]].to_numpy().tolist()


def test_whole_files(audio, table):
    found = list_utterances(table("file\na.wav\nü.ogg\n./deep//b c.flac\nno.wav\n"), audio, {})
    assert rows(found) == [
        ["a.wav", 0, 2],
        ["deep/b c.flac", 0, 1],
        ["no.wav", 0, 0],
        ["ü.ogg", 0, 0.5],
    ]
    assert found["duration"].to_list() == [2, 1, 0, 0.5]


def test_segments(audio, table):
    text = "file,end,start\na.wav,2,1\na.wav,,\na.wav,,0.5\na.wav,1.25,\nno.wav,9,8\n"
    found = list_utterances(table(text), audio, {})
    assert rows(found) == [
        ["a.wav", 0, 1.25],
        ["a.wav", 0, 2],
        ["a.wav", 0.5, 2],
        ["a.wav", 1, 2],
        ["no.wav", 8, 9],
    ]
    assert found["duration"].to_list() == [1.25, 2, 1.5, 1, 1]


def test_odd_names_of_files(audio, table):
    text = 'file\n"new\nline.wav"\n"comma, ""quote"".wav"\nNA\n001\n'
    found = list_utterances(table(text, "utf-8-sig"), audio, {})
    assert found["file"].to_list() == ["001", "NA", 'comma, "quote".wav', "new\nline.wav"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", r"mine\.csv cannot be read"),
        ("file\n", r"mine\.csv has no rows"),
        ("name,speaker\na.wav,1\n", r"has no column 'file', but name, speaker: correct"),
        ("file|speaker\na.wav|1\n", r"no column 'file', but file\|speaker: .* a header line"),
        ("#file,speaker\na.wav,1\n", r"no column 'file', but a\.wav, 1: .* a header line"),
        ("file,age\na.wav,1\n,2\n", r"Row 2 of .*mine\.csv names no file"),
        ("file\na.wav\n./a.wav\n", r"mine\.csv lists a\.wav more than once: remove"),
        ("file,start,end\na.wav,0,2\na.wav,,\n", r"lists a\.wav more than once"),
        ("file\n../b.wav\n", r"names \.\./b\.wav, which is not relative to the folder"),
        ("file\n/a.wav\n", r"names /a\.wav, which is not relative to the folder"),
        (
            "file,start\na.wav,one\n",
            r"has 'one' as start of a\.wav, which is not a time in seconds",
        ),
        ("file,start\na.wav,inf\n", r"has 'inf' as start of a\.wav, which is not a time"),
        ("file,start\na.wav,unknown\n", r"has 'unknown' as start of a\.wav, which is not a time"),
        ("file,start\na.wav,0:1:0:1\n", r"has '0:1:0:1' as start of a\.wav, which is not a time"),
        ("file,start\na.wav,-1\n", r"an utterance of a\.wav from -1 s: correct"),
        ("file,start,end\na.wav,-1,1\n", r"an utterance of a\.wav from -1 to 1 s: correct"),
        ("file,start,end\na.wav,2,1\n", r"an utterance of a\.wav from 2 to 1 s: correct"),
        ("file,start,end\na.wav,1,1\n", r"an utterance of a\.wav from 1 to 1 s: correct"),
        ("file,a\na.wav,1,2,3\nb.wav,1\n", r"mine\.csv cannot be read"),
    ],
)
def test_mistakes(audio, table, text, message):
    with pytest.raises(InputError, match=message) as error:
        list_utterances(table(text), audio, {})
    assert "\n" not in str(error.value)


def test_no_table(tmp_path, audio):
    with pytest.raises(InputError, match=r"mine\.csv cannot be read \(.*No such file"):
        list_utterances(tmp_path / "mine.csv", audio, {})


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    "text",
    [
        "file,height\n{}",
        "sep=,\nfile,height\n{}",
        '"sep=;"\r\nfile;height\r\n{}',
        "SEP=\t\nfile\theight\n{}",
        "file;height\n{}",
        "file\theight\n{}",
        "# recorded in May; by us\n#\n\nfile,height\n{}",
        "sep=|\n# with a comment\nfile|height\n{}",
    ],
)
def test_tables_of_other_programs(audio, table, text, encoding):
    mark = next(mark for mark in ";\t|," if f"file{mark}height" in text)
    lines = [["a.wav", '"1,75"'], ["ü.ogg", '"1,5"'], ["no.wav", "2"]]
    path = table(text.format("".join(f"{mark.join(line)}\n" for line in lines)), encoding)
    found = read(path, audio, "height")
    assert found["file"].to_list() == ["a.wav", "no.wav", "ü.ogg"]
    assert found["height"].to_list() == [1.75, 2, 1.5]
    seen = of_table(path, audio, {"height": {"column": "height", "values": ["1,75", 2]}})
    assert list(seen.files) == ["a.wav", "no.wav"]


def test_another_encoding(audio, table):
    with pytest.raises(InputError, match=r"cannot be read .* save it as CSV in UTF-8"):
        list_utterances(table("file\nü.wav\n", "latin-1"), audio, {})


def test_filter(audio, table):
    path = table("file,set,fold\na.wav,test,1\nno.wav,dev,1\nü.ogg,test,2\n")
    splits = {"split": {"column": "set", "values": ["test"]}}
    assert list_utterances(path, audio, splits)["file"].to_list() == ["a.wav", "ü.ogg"]
    both = splits | {"fold": {"column": "fold", "values": [2]}}
    assert list_utterances(path, audio, both)["file"].to_list() == ["ü.ogg"]
    with pytest.raises(InputError, match=r"filter of split names 'train', .* dev, test\.$"):
        list_utterances(path, audio, {"split": {"column": "set", "values": ["train"]}})
    with pytest.raises(InputError, match=r"no column 'split', but file, set, fold"):
        list_utterances(path, audio, {"split": {"column": "split", "values": ["train"]}})


def read(path, audio, *names, filters=None):
    columns = {name: {"column": name} for name in names}
    return read_metadata(path, list_utterances(path, audio, filters or {}), columns)


def values(column):
    return [None if pd.isna(value) else value for value in column]


def test_metadata_is_typed_and_matched(audio, table):
    path = table(
        "file,speaker,age,snr,code,note,many\nü.ogg,3,31,0.5,01,,1.0\na.wav,1,,10,2,yes,2\n"
        "no.wav,,52,NA,3,NA,3\n"
    )
    found = read(path, audio, "age", "snr", "code", "note", "many", "speaker")
    assert list(found)[4:] == ["speaker", "age", "snr", "code", "note", "many"]
    assert found["file"].to_list() == ["a.wav", "no.wav", "ü.ogg"]
    assert values(found["speaker"]) == ["1", None, "3"]
    assert values(found["age"]) == [None, 52, 31] and found["age"].dtype == "Int64"
    assert values(found["snr"]) == [10, None, 0.5] and found["snr"].dtype == float
    assert values(found["code"]) == ["2", "3", "01"]  # not a number: it has a leading zero
    assert values(found["note"]) == ["yes", "NA", None]
    assert found["many"].dtype == "Int64"


@pytest.mark.parametrize("spans", ["0 days 00:00:00.5,0 days 00:00:01.5", "00:00:00.5,00:00:01.50"])
def test_spans_with_hours_and_minutes(audio, table, spans):
    found = list_utterances(table(f"file,start,end\na.wav,{spans}\nü.ogg,,\n"), audio, {})
    assert rows(found) == [["a.wav", 0.5, 1.5], ["ü.ogg", 0, 0.5]]


def test_spans_of_timedeltas_in_parquet(audio, tmp_path):
    table = pd.DataFrame({"file": ["a.wav", "a.wav"], "age": [1, 2]})
    table["start"] = pd.to_timedelta([0.25, 1], unit="s")
    table["end"] = pd.to_timedelta([1, None], unit="s")
    table.to_parquet(tmp_path / "mine.parquet")
    found = read(tmp_path / "mine.parquet", audio, "age")
    assert rows(found) == [["a.wav", 0.25, 1], ["a.wav", 1, 2]]
    assert found["age"].to_list() == [1, 2]


def test_words_for_missing_values_among_numbers_are_reported(audio, table, capsys):
    found = read(table("file,age\na.wav,31\nü.ogg,unknown\nno.wav,\n"), audio, "age")
    assert values(found["age"]) == [31, None, None]
    printed = "The column age is read as numbers, with 1 of its 3 cells ('unknown') as missing.\n"
    assert capsys.readouterr().out == printed


def test_decimal_commas_are_read(audio, table, capsys):
    text = 'file,height,take\na.wav,"1,75",1\nü.ogg,"2,5",2\nno.wav,2,3\n'
    found = read(table(text), audio, "height", "take")
    assert values(found["height"]) == [1.75, 2, 2.5] and found["height"].dtype == float
    assert "height is read as numbers, with decimal commas." in capsys.readouterr().out


def test_cells_that_are_not_numbers_are_named(audio, table, capsys):
    found = read(table("file,age\na.wav,31\nü.ogg,about 40\nno.wav,52\n"), audio, "age")
    assert values(found["age"]) == ["31", "52", "about 40"]
    assert "read as text, since 1 of its 3 cells ('about 40') is not" in capsys.readouterr().out


def test_only_kept_rows_decide_the_type(audio, table):
    path = table("file,set,age\na.wav,test,1\nno.wav,dev,young\nü.ogg,test,3\n")
    found = read(path, audio, "age", filters={"split": {"column": "set", "values": ["test"]}})
    assert found["age"].dtype == "Int64"


@pytest.mark.parametrize(
    ("written", "on_disk"), [("ü.ogg", "u\u0308.ogg"), ("u\u0308.ogg", "ü.ogg")]
)
def test_names_and_text_in_two_unicode_forms(table, tmp_path, written, on_disk):
    write_audio(tmp_path / "audio" / on_disk, noise(0.5))
    path = table(f"file,gefu\u0308hl,age\n{written},fro\u0308hlich,1\n")
    audio = tmp_path / "audio"
    wanted = {"joy": {"column": "gef\u00fchl", "values": ["fr\u00f6hlich"]}}
    assert rows(list_utterances(path, audio, wanted)) == [[written, 0, 0.5]]
    found = read_metadata(
        path, list_utterances(path, audio, wanted), {"joy": {"column": "gef\u00fchl"}}
    )
    assert found["joy"].to_list() == ["fr\u00f6hlich"]


def test_one_file_under_two_names_is_refused(audio, table):
    with pytest.raises(InputError, match="is listed under 2 names that look the same"):
        list_utterances(table("file\nü.ogg\nu\u0308.ogg\n"), audio, {})


def test_the_config_sets_the_type(audio, table, capsys):
    path = table("file,digit,room\na.wav,3,01\nü.ogg,7,02\nno.wav,x,03\n")
    utterances = list_utterances(path, audio, {})
    kinds = {
        "digit": {"column": "digit", "type": "category"},
        "room": {"column": "room", "type": "number"},
    }
    found = read_metadata(path, utterances, kinds)
    assert values(found["digit"]) == ["3", "x", "7"] and values(found["room"]) == [1, 3, 2]
    assert capsys.readouterr().out == ""
    with pytest.raises(
        InputError, match=r"column digit that are not numbers, 1 of its 3 cells \('x"
    ):
        read_metadata(path, utterances, {"digit": {"column": "digit", "type": "number"}})


def test_stored_metadata_is_read_unchanged(audio, table, tmp_path):
    path = table("file,speaker,age\nü.ogg,3,31\na.wav,,\n")
    found = read(path, audio, "speaker", "age")
    found.to_parquet(tmp_path / "files.parquet")
    again = pd.read_parquet(tmp_path / "files.parquet")
    assert [values(again[name]) for name in again] == [values(found[name]) for name in found]


def test_metadata_of_segments(audio, table):
    text = "file,start,end,word\na.wav,,,all\na.wav,,1,left\na.wav,1,,right\na.wav,1,1.5,middle\n"
    found = read(table(text), audio, "word")
    assert found[["start", "end", "word"]].to_numpy().tolist() == [
        [0, 1, "left"],
        [0, 2, "all"],
        [1, 1.5, "middle"],
        [1, 2, "right"],
    ]


def test_metadata_of_filtered_utterances(audio, table):
    path = table("file,set,age\na.wav,test,1\nno.wav,dev,2\nü.ogg,test,3\n")
    found = read(path, audio, "age", filters={"split": {"column": "set", "values": ["test"]}})
    assert found["age"].to_list() == [1, 3]


def test_metadata_mistakes(audio, table):
    path = table("file,age\na.wav,1\n")
    with pytest.raises(InputError, match=r"mine\.csv has no column 'sex', but file, age"):
        read(path, audio, "sex")
    utterances = list_utterances(path, audio, {})
    with pytest.raises(InputError, match=r"changed while it was read, it has no row for a\.wav"):
        read_metadata(table("file,age\nb.wav,1\n"), utterances, {})


def test_a_column_without_any_value_is_kept(audio, table):
    found = read(table("file,age\na.wav,\nü.ogg,\n"), audio, "age")
    assert found["age"].isna().all()


def test_a_comma_at_the_end_of_each_row_shifts_nothing(audio, table):
    found = read(table("file,age\na.wav,1,\nü.ogg,3,\n"), audio, "age")
    assert rows(found) == [["a.wav", 0, 2], ["ü.ogg", 0, 0.5]]
    np.testing.assert_array_equal(found["age"], [1, 3])
