"""The issues of the interactive view: which rows they hold, and in which order."""

import pandas as pd
from view_study import NO_MODES, make_metadata, make_modes, make_slice
from voxslice.names import NO_RULE
from voxslice.report.spotlight.issues import make_issues
from voxslice.slices.table import SLICE_COLUMNS
from voxslice.task import Task
from voxslice.utterance_keys import KEY

TASK = Task("classification")


def issues_of(modes, made):
    """Issues of some modes and of the slices of some models."""
    found, members = ({name: pair[i] for name, pair in made.items()} for i in (0, 1))
    return make_issues(make_metadata()[KEY], *modes, found, members, TASK)


def test_slices_stand_below_their_mode_worst_mode_first():
    sure = {"confirmed": True, "q": 0.0123, "evidence": "within speakers"}
    first = make_modes([0, 2, 4], slices=["large"], models=["b"])
    second = make_modes(
        [4, 5], slices=["small"], mode="2", name="female", value=0.7, rest=0.84,
    )  # fmt: skip
    modes = [pd.concat(pair) for pair in zip(first, second, strict=True)]
    made = {
        "a": make_slice([4, 5], drop=0.2, slice="small", **sure),
        "b": make_slice([0, 2], drop=0.5, slice="large", **sure),
        "c": make_slice([1], drop=0.6, slice="unsure", rule=NO_RULE, note="too few"),
    }
    issues = issues_of(modes, made)
    assert [issue["title"] for issue in issues] == [
        "1. male", "↳ b: gender = male [large]", "2. female", "↳ a: gender = male [small]",
        "↳ c: cluster unsure of metadata [unsure]",
    ]  # fmt: skip
    assert [issue["rows"] for issue in issues] == [[0, 2, 4], [0, 2], [4, 5], [4, 5], [1]]
    assert [issue["severity"] for issue in issues] == ["high", "high", "medium", "medium", "low"]
    assert issues[0]["description"] == (
        "b: confirmed (within speakers); 75 % of the errors in 50 % of the utterances; accuracy"
        " 50.0 % on 3 utterances of 2 speakers, 90.0 % elsewhere."
    )
    assert issues[1]["description"] == (
        "Confirmed; accuracy 50.0 % on 2 utterances of 2 speakers, 90.0 % elsewhere."
        " Found by subgroups in metadata, q 0.012, within speakers."
    )
    assert issues[4]["description"] == (
        "Suggested, not confirmed; accuracy 50.0 % on 1 utterance of 2 speakers, 90.0 % elsewhere."
        " Found by subgroups in metadata, too few."
    )


def test_a_mode_that_is_not_confirmed_is_of_low_severity():
    modes = make_modes([0, 2], confirmed=False, evidence=float("nan"))
    issues = issues_of(modes, {"a": make_slice([0, 2])})
    assert [issue["severity"] for issue in issues] == ["low", "low"]
    assert issues[0]["description"].startswith("a: not confirmed; 75 %")


def test_a_slice_of_two_modes_stands_below_the_first():
    first, second = make_modes([0, 2]), make_modes([2, 4], mode="2")
    modes = [pd.concat(pair) for pair in zip(first, second, strict=True)]
    issues = issues_of(modes, {"a": make_slice([0, 2])})
    assert [issue["title"][:2] for issue in issues] == ["1.", "↳ ", "2."]


def test_a_slice_that_two_searches_found_is_one_issue():
    found, members = make_slice([0, 2], slice="same")
    twice = pd.concat([found.assign(search="subgroups"), found.assign(search="embedding")])
    issues = issues_of(NO_MODES, {"a": (twice, members)})
    assert [issue["rows"] for issue in issues] == [[0, 2]]
    assert " in subgroups, embedding" in issues[0]["description"]


def test_no_slices_make_no_issues():
    empty = pd.DataFrame(columns=SLICE_COLUMNS)
    assert issues_of(NO_MODES, {"a": (empty, pd.DataFrame(columns=["slice", *KEY]))}) == []
