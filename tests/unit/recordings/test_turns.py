"""Turns of speakers are read from RTTM, TextGrid and CSV."""

import pandas as pd
import pytest
from voxslice.errors import InputError
from voxslice.recordings.turns import match_recordings, read_turns

RTTM = """;; a comment
SPEAKER meeting 1 0.50 2.00 <NA> <NA> anna <NA> <NA>
SPEAKER meeting 1 3.25 1.50 <NA> <NA> ben <NA> <NA>
"""
LONG_GRID = """File type = "ooTextFile"
Object class = "TextGrid"

xmin = 0
xmax = 6.5
tiers? <exists>
size = 3
item []:
    item [1]:
        class = "IntervalTier"
        name = "anna"
        xmin = 0
        xmax = 6.5
        intervals: size = 3
        intervals [1]:
            xmin = 0
            xmax = 0.5
            text = ""
        intervals [2]:
            xmin = 0.5
            xmax = 2.5
            text = "she said ""no"" 2 times"
        intervals [3]:
            xmin = 2.5
            xmax = 6.5
            text = " "
    item [2]:
        class = "TextTier"
        name = "events"
        xmin = 0
        xmax = 6.5
        points: size = 1
        points [1]:
            number = 1.25
            mark = "door"
    item [3]:
        class = "IntervalTier"
        name = "ben"
        xmin = 0
        xmax = 6.5
        intervals: size = 1
        intervals [1]:
            xmin = 3.25
            xmax = 4.75
            text = "ja, größer"
"""
SHORT_GRID = """File type = "ooTextFile"
Object class = "TextGrid"

0
6.5
<exists>
2
"IntervalTier"
"anna"
0
6.5
1
0.5
2.5
"yes"
"IntervalTier"
"ben"
0
6.5
1
3.25
4.75
"no"
"""
TWO = [("meeting", 0.5, 2.5, "anna"), ("meeting", 3.25, 4.75, "ben")]


def turns(folder, name, text, encoding="utf-8"):
    """Write a file of turns and read it."""
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return read_turns([path])


def tuples(table):
    return list(table[["file", "start", "end", "speaker"]].itertuples(index=False, name=None))


def test_rttm(tmp_path):
    assert tuples(turns(tmp_path, "all.rttm", RTTM)) == TWO


@pytest.mark.parametrize("text", [LONG_GRID, SHORT_GRID], ids=["long", "short"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_textgrid(tmp_path, text, encoding):
    assert tuples(turns(tmp_path, "meeting.TextGrid", text, encoding)) == TWO


def test_csv_with_labels(tmp_path):
    text = "start;end;speaker;emotion\n0,5;2,5;anna;anger\n3,25;4,75;;\n"
    found = turns(tmp_path, "meeting.csv", text.replace(",", "."))
    assert list(found["file"]) == ["meeting", "meeting"]
    assert found["speaker"].isna().tolist() == [False, True]
    assert list(found["emotion"].fillna("")) == ["anger", ""]


def test_several_files_are_read_together(tmp_path):
    (tmp_path / "a.csv").write_text("start,end,speaker\n0,1,x\n")
    (tmp_path / "b.rttm").write_text(RTTM)
    found = read_turns([tmp_path / "b.rttm", tmp_path / "a.csv"])
    assert list(found["file"]) == ["a", "meeting", "meeting"]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.rttm", "SPEAKER meeting 1 x 2 <NA> <NA> anna\n", "Line 1 of .* is not RTTM"),
        ("a.rttm", "SPEAKER meeting 1 1 2\n", "Line 1 of .* is not RTTM"),
        ("a.rttm", "SPEAKER meeting 1 1 -2 <NA> <NA> anna\n", "from 1 to -1 s"),
        ("a.TextGrid", SHORT_GRID[:120], "it ends too early"),
        ("a.TextGrid", "x = 1", "is not a TextGrid"),
        ("a.csv", "start,speaker\n1,x\n", "no column 'end'"),
        ("a.csv", "start,end\n1,\n", "without a file, a start or an end"),
        ("a.csv", "start,end\nx,2\n", "not a time"),
        ("a.txt", "1 2", "no file of turns"),
    ],
)
def test_mistakes_are_explained(tmp_path, name, text, message):
    with pytest.raises(InputError, match=message):
        turns(tmp_path, name, text)


def test_turns_find_their_recordings():
    names = ["calls/a.wav", "a", "calls/b.wav", "c.flac"]
    found = match_recordings(
        pd.DataFrame({"file": ["calls/a", "b", "calls/b.wav", "c", "a"]}),
        ["calls/a.wav", "calls/b.wav", "c.flac"],
        "turns.rttm",
    )
    assert list(found["file"]) == ["calls/a.wav", "calls/b.wav", "calls/b.wav", "c.flac", names[0]]


@pytest.mark.parametrize(("name", "count"), [("x", "no recording"), ("a", "2 recordings")])
def test_turns_of_unknown_recordings_are_refused(name, count):
    with pytest.raises(InputError, match=f"'{name}', which is the name of {count}"):
        match_recordings(pd.DataFrame({"file": [name]}), ["1/a.wav", "2/a.wav"], "turns.rttm")
