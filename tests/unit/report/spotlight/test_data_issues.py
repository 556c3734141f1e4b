"""The audit and the hints of models are issues of the interactive view."""

import numpy as np
import pandas as pd
from view_study import make_metadata
from voxslice.audit.finding import Finding
from voxslice.audit.hints import HINT_COLUMNS
from voxslice.report.spotlight.data_issues import audit_issues, hint_issues
from voxslice.utterance_keys import KEY

KEYS = make_metadata()[KEY]


def key(row):
    return KEYS.iloc[row].to_list()


def test_findings_are_one_issue_per_kind_with_both_copies():
    findings = pd.DataFrame(
        [
            Finding("clipped", *key(4), "2.0% of the samples"),
            Finding("clipped", *key(1), "1.0% of the samples"),
            Finding("same length", None, None, None, "3 of 6 utterances end within speech"),
            Finding("near copy", *key(5), "1% of the fingerprint differ", *key(0)),
        ],
        columns=list(Finding._fields),
    )
    issues = audit_issues(KEYS, findings)
    assert [(issue["title"], issue["rows"]) for issue in issues] == [
        ("Audit: clipped (2)", [1, 4]),
        ("Audit: same length (1)", []),
        ("Audit: near copy (1)", [0, 5]),
    ]
    assert {issue["severity"] for issue in issues} == {"low"}
    assert issues[0]["description"] == (
        "The audio is clipped. wav/4.wav: 2.0% of the samples; wav/1.wav: 1.0% of the samples"
    )
    assert audit_issues(KEYS, findings.iloc[:0]) == []


def test_hints_are_one_issue_per_model():
    rows = [[*key(row), "a", "male", "female", 0.1, 0.9] for row in (2, 0)]
    rows.append([*key(3), "b", "female", "male", 0.2, 0.8])
    hints = pd.DataFrame(rows, columns=HINT_COLUMNS).assign(mode=["1", "", ""])
    issues = hint_issues(KEYS, hints)
    assert [(issue["title"], issue["rows"]) for issue in issues] == [
        ("Hint: labels that a contradicts (2)", [0, 2]),
        ("Hint: labels that b contradicts (1)", [3]),
    ]
    assert "These are hints, not errors. 50 % of them" in issues[0]["description"]


def test_utterances_outside_of_the_sample_and_whole_numbers_of_a_csv_table():
    finding = Finding("clipped", "other.wav", 0, 1, "", np.nan, np.nan, np.nan)
    findings = pd.DataFrame([finding, Finding("clipped", "wav/3.wav", 0, 1, "")])
    assert audit_issues(KEYS, findings)[0]["rows"] == [3]
