"""JUnit XML and Markdown of checks can be read by the programs that they are made for."""

import re

import numpy as np
import pandas as pd
import pytest
from junitparser import JUnitXml
from voxslice.decisions.documents import junit, markdown, summary, title, verdict

ROW = {
    "check": 1, "model": "new", "against": "old", "quantity": "uar", "group": "all utterances",
    "support": 400, "speakers": 20, "value": -0.123, "low": -0.2, "high": -0.05, "level": 0.99,
    "relation": "at_least", "limit": -0.01, "answer": "failed", "detectable": 0.11,
    "more_speakers": None, "note": None,
}  # fmt: skip
TABLE = pd.DataFrame(
    [
        ROW,
        ROW
        | {"check": 2, "answer": "undecided", "more_speakers": 12, "group": "a|b <i>\x1b[1m & *"},
        ROW | {"check": 3, "answer": "passed", "against": np.nan, "note": "Bear it in mind."},
    ]
)


def read(tmp_path, text):
    """The cases of a file of JUnit XML."""
    path = tmp_path / "checks.xml"
    path.write_text(text, encoding="utf-8")
    (suite,) = JUnitXml.fromfile(str(path))
    return suite


def test_a_check_is_named_in_words():
    assert title(ROW) == "uar of new minus old, all utterances: at least -0.01"
    assert title(ROW | {"against": np.nan}) == "uar of new, all utterances: at least -0.01"


def test_junit_has_one_case_per_check(tmp_path):
    suite = read(tmp_path, junit(TABLE, "calls.gender", undecided_fails=False))
    assert (suite.name, suite.tests, suite.failures, suite.skipped) == ("calls.gender", 3, 1, 1)
    kinds = [[type(result).__name__ for result in case.result] for case in suite]
    assert kinds == [["Failure"], ["Skipped"], []]
    message = next(iter(suite)).result[0].message
    assert message.startswith("failed: The value is -0.123, with the interval from -0.2 to -0.05.")
    assert "A value that is 0.11 on the wrong side" in message


def test_undecided_checks_may_be_failures(tmp_path):
    suite = read(tmp_path, junit(TABLE, "calls.gender", undecided_fails=True))
    assert (suite.failures, suite.skipped) == (2, 0)


def test_markdown_has_a_table_with_the_failed_check_first():
    lines = markdown(TABLE, "calls", "gender").splitlines()
    assert lines[0] == "### Checks of gender on calls: 1 failed, 1 undecided, 1 passed"
    rows = [line for line in lines if line.startswith("| ")][1:]
    assert [row.split()[2] for row in rows] == ["failed", "undecided", "passed"]
    # an unescaped bar would add a cell
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {9}
    assert r"a\|b \<i\>␛\[1m \& \*" in rows[1]
    assert "have 99 % each" in lines[-1]


@pytest.mark.parametrize(("strict", "stopping"), [(False, 1), (True, 2)])
def test_failed_checks_stop_a_model_and_are_named(strict, stopping):
    good, sentence = verdict([TABLE, TABLE.iloc[2:]], undecided_fails=strict)
    assert not good
    assert sentence.startswith(f"{stopping} of 4 checks stop this model (failed: uar of new minus")


def test_passed_checks_stop_nothing():
    assert verdict([TABLE.iloc[1:]], undecided_fails=False) == (
        True,
        "No check failed: 1 undecided, 1 passed.",
    )
    assert summary(TABLE.iloc[2:]) == "1 passed"
