"""The issues of the interactive view: which rows they hold, and in which order."""

import pandas as pd
from view_study import make_metadata, make_slice
from voxslice.report.spotlight.issues import make_issues
from voxslice.slices.table import SLICE_COLUMNS
from voxslice.task import Task
from voxslice.utterance_keys import KEY


def test_issues_hold_the_rows_of_slices_worst_first():
    metadata = make_metadata()
    sure = {"confirmed": True, "q": 0.0123, "evidence": "within speakers"}
    made = {
        "a": make_slice([4, 5], drop=0.2, value=0.7, rest=0.84, slice="small", **sure),
        "b": make_slice([0, 2], drop=0.5, slice="large", **sure),
        "c": make_slice([1], drop=0.6, slice="unsure", note="too few"),
    }
    issues = make_issues(
        metadata[KEY],
        {name: found for name, (found, _) in made.items()},
        {name: members for name, (_, members) in made.items()},
        Task("classification"),
    )
    assert [issue["rows"] for issue in issues] == [[0, 2], [4, 5], [1]]
    assert [issue["severity"] for issue in issues] == ["high", "medium", "low"]
    assert issues[0]["title"] == "b: gender = male [large]"
    assert issues[0]["description"] == (
        "Confirmed; accuracy 50.0 % on 2 utterances of 2 speakers, 90.0 % elsewhere."
        " Found by subgroups in metadata, q 0.012, within speakers."
    )
    assert issues[2]["description"] == (
        "Suggested, not confirmed; accuracy 50.0 % on 1 utterance of 2 speakers, 90.0 % elsewhere."
        " Found by subgroups in metadata, too few."
    )


def test_a_slice_that_two_searches_found_is_one_issue():
    metadata = make_metadata()
    found, members = make_slice([0, 2], slice="same")
    twice = pd.concat([found.assign(search="subgroups"), found.assign(search="embedding")])
    issues = make_issues(metadata[KEY], {"a": twice}, {"a": members}, Task("classification"))
    assert [issue["rows"] for issue in issues] == [[0, 2]]
    assert " in subgroups, embedding" in issues[0]["description"]


def test_no_slices_make_no_issues():
    empty = pd.DataFrame(columns=SLICE_COLUMNS)
    members = pd.DataFrame(columns=["slice", *KEY])
    issues = make_issues(
        make_metadata()[KEY], {"a": empty}, {"a": members},
        Task("classification"),
    )  # fmt: skip
    assert issues == []
