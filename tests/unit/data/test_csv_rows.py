"""The workflow watches the same audio files that jobs use, because both use the same parser."""

import pandas as pd
import pytest
from small_inputs import noise, write_audio
from voxslice.data.csv_rows import read_csv_rows
from voxslice.data.csv_tables import list_utterances
from voxslice.data.local_data import of_table, write_seen
from voxslice.data.user_tables import read_table
from voxslice.errors import InputError

LONG = "x" * 200_000

TABLES = {
    "plain": "file,start,end\na.wav,0,1\nb.wav,,\n",
    "a blank first line": "\nfile,start\na.wav,0\nb.wav,\n",
    "blank lines of all kinds": " \r\n\r\nfile,start\r\n\r\na.wav,0\r\n \r\nb.wav,\r\n\r\n",
    "a long cell": f"file,text\na.wav,{LONG}\nb.wav,\n",
    "a long quoted cell": f'file,text\na.wav,"{LONG}\n{LONG}"\nb.wav,\n',
    "a long name of a column": f"{LONG},file\n,a.wav\n,b.wav\n",
    "NUL in another cell": "file,text\na.wav,x\0y\nb.wav,\n",
    "NUL in a name": "file,text\na.wav,\nb.wav,\nnul\0.wav,\n",
    "one line end of old computers": "file,start\ra.wav,0\rb.wav,\r",
    "quoted names": '"file","start"\n"a.wav","0"\n"b.wav",\n',
    "an index without a name": ",file\n0,a.wav\n1,b.wav\n",
    "columns without a name": "file,,\na.wav,,\nb.wav,1,2\n",
    "commas at the end": "file,start\na.wav,0,,\nb.wav,,,\n",
    "no cells of columns without a name": "file,start,,\na.wav,0\nb.wav,,\n",
    "a quotation mark inside a cell": 'file,text\na.wav,5" nails\nb.wav,\n',
}


@pytest.fixture
def data(tmp_path):
    for name in ("a.wav", "b.wav"):
        write_audio(tmp_path / name, noise(1, seed=1))
    return tmp_path


@pytest.mark.parametrize("name", TABLES)
def test_audio_that_is_used_is_watched(data, name):
    path = data / "t.csv"
    path.write_text(TABLES[name], newline="")
    used = list_utterances(path, data, {})["file"].to_list()
    assert {"a.wav", "b.wav"} <= set(used)
    watched = of_table(path, data, {})
    assert list(watched.files) == used
    write_seen(watched.look(watched.fingerprint(), threads=1), data / "seen.json")
    before = of_table(path, data, {}).fingerprint(data / "seen.json")
    write_audio(data / "b.wav", noise(1, seed=2))  # other audio of the same length
    assert of_table(path, data, {}).fingerprint(data / "seen.json") != before


def test_audio_that_a_table_in_parquet_lists_is_watched(data):
    path = data / "t.parquet"
    pd.DataFrame({"file": ["b.wav", "a.wav", "c.wav"], "fold": [1, 1, 2]}).to_parquet(path)
    fold = {"fold": {"column": "fold", "values": [1]}}
    assert list_utterances(path, data, fold)["file"].to_list() == ["a.wav", "b.wav"]
    assert list(of_table(path, data, fold).files) == ["a.wav", "b.wav"]


REFUSED = {
    "file,file\na.wav,b.wav\n": "more than one column is called 'file'",
    "file,a,a\na.wav,1,2\n": "more than one column is called 'a'",
    "file,u\u0308,\u00fc\na.wav,1,2\n": "more than one column is called '\u00fc'",
    "file,a\na.wav,1,2\n": "in line 2 of the table is 3, but there are 2 names",
    "file,speaker,emotion\na.wav,s1,joy\n\nb.wav,joy\n": "in line 4 of the table is 2, but",
    "file,start,end\na.wav\nb.wav,,\n": "in line 2 of the table is 1, but there are 3 names",
    "file,a,,b,\na.wav,1,2\n": "in line 2 of the table is 3, but there are 5 names",
    'file,a\na.wav,"1\nb.wav,2\n': "line 3 of the table: unexpected end of data",
    'file,a\n"a.wav"x,1\n': "line 2 of the table: ',' expected after '\"'",
    "": "there is no header line",
    "\n \n": "there is no header line",
}


@pytest.mark.parametrize("text", REFUSED)
def test_tables_that_are_ambiguous_are_refused_in_one_sentence(data, text):
    path = data / "t.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=r"t\.csv cannot be read \(") as error:
        read_table(path)
    assert REFUSED[text] in str(error.value)
    assert of_table(path, data, {}) is None


def test_columns_of_one_name_in_parquet_are_refused(data):
    pd.DataFrame([["a.wav", 1, 2]], columns=["file", "u\u0308", "\u00fc"]).to_parquet(
        data / "t.parquet"
    )
    with pytest.raises(InputError, match="more than one column called"):
        read_table(data / "t.parquet")


def test_rows_are_as_long_as_the_names(data):
    path = data / "t.csv"
    path.write_text("a,,b,\n1,2,3\n\n4,,\n,,,,\n")
    assert read_csv_rows(path) == (["a", "b"], [["1", "3"], ["4", ""], ["", ""]])
