"""Tables are checked against their specification."""

import pandas as pd
import pytest
from snakemake_cli import ROOT
from voxslice.table_specs import TABLES, Column, Table, as_markdown, problems

SPEC = Table(
    "results/{name}.csv",
    "a thing",
    (
        Column("file", "text", "The file."),
        Column("n", "integer", "A count.", missing=True),
        Column("kind", "text", "The kind.", allowed=("a", "b")),
        Column("p_<class>", "number", "A probability.", optional=True),
    ),
)
TABLE = pd.DataFrame({"file": ["x", "y"], "n": [1.0, None], "kind": ["a", "b"], "p_f": [0.1, 0.2]})


def test_a_table_as_specified_has_no_problem():
    assert problems(TABLE, SPEC) == []
    assert problems(TABLE.iloc[:0], SPEC) == []
    assert problems(TABLE.astype({"kind": "category"}), SPEC) == []


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (lambda table: table.drop(columns="file"), "file is missing"),
        (lambda table: table.assign(more=1), "more is not specified"),
        (lambda table: table.assign(file=[1, 2]), "file is no text, but int64"),
        (lambda table: table.assign(n=[0.5, 1]), "n is no integer, but float64"),
        (lambda table: table.assign(kind=["a", "c"]), "kind has the value c"),
        (lambda table: table.assign(kind=["a", None]), "kind has missing cells"),
        (lambda table: table.assign(p_f=["a", "b"]), "p_f is no number, but object"),
        (lambda table: table[["n", "file", "kind"]], "the order is n, file, kind"),
    ],
)
def test_what_differs_is_named(edit, problem):
    assert problems(edit(TABLE), SPEC) == [problem]


def test_the_page_is_that_of_the_code():
    assert (ROOT / "docs/tables.md").read_text(encoding="utf-8") == as_markdown()


def test_each_column_has_one_sentence():
    for table in TABLES:
        for column in table.columns:
            assert column.meaning.endswith(".")
            assert column.kind in {"text", "number", "integer", "boolean", "list", "any"}
