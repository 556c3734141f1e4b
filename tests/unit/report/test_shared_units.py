"""Units that the config does not name are named in the report, with what to set."""

from dataclasses import replace

import pandas as pd
import pytest
from report_study import make_study
from voxslice.report.caveats import warnings
from voxslice.report.shared_units import copy_remarks, unit_remarks, unit_warnings
from voxslice.slices.shared_losses import UNIT_COLUMNS
from voxslice.units import COPIES

ROW = {
    "source": "column",
    "clue": "text",
    "config": "{columns: {text: {column: text}}, units: [text]}",
    "alike": "utterances",
    "features": None,
    "model": "small",
    "units": 12,
    "utterances": 300,
    "correlation": 0.123,
    "p": 0.001,
    "q": 0.004,
    "found": True,
}


def study_of(*changes, **options):
    rows = [ROW | change for change in changes]
    return replace(make_study(**options), units=pd.DataFrame(rows, columns=UNIT_COLUMNS))


def test_the_sentence_names_the_unit_its_figures_and_the_settings():
    assert unit_warnings(study_of({})) == [
        "Utterances with the same value of text have similar errors: for small, the errors of two"
        " of them have a correlation of 0.12 (12 groups, q = 0.004). Searches, comparisons and"
        " intervals treat them as independent, so slices may be false and intervals too narrow. To"
        " take this into account, set in the dataset made: columns: {text: {column: text}}, units:"
        " [text]"
    ]


@pytest.mark.parametrize(
    ("change", "begin"),
    [
        ({"source": "file"}, "Utterances in the same file have"),
        ({"source": "duration"}, "Utterances with the same duration have"),
        (
            {"source": "file name", "clue": "a01"},
            "Utterances with the same part of the file name (such as a01 in <script>",
        ),
        ({"alike": "speakers"}, "Speakers with the same value of text have"),
        (
            {"alike": "utterances of a speaker", "features": "room"},
            "Utterances of one speaker with the same value of text have",
        ),
    ],
)
def test_what_is_alike_is_told(change, begin):
    (sentence,) = unit_warnings(study_of(change))
    assert sentence.startswith(begin)


def test_only_searches_depend_on_units_of_a_speaker():
    change = {"alike": "utterances of a speaker", "features": "room"}
    (sentence,) = unit_warnings(study_of(change))
    assert ". Searches treat them as independent, so slices may be false. To" in sentence


def test_units_that_no_feature_goes_with_are_a_remark():
    study = study_of({"alike": "utterances of a speaker"})
    assert unit_warnings(study) == []
    (sentence,) = unit_remarks(study)
    assert "No feature of the searches goes with these groups" in sentence
    assert unit_remarks(study_of({}, {"alike": "utterances of a speaker"})) == []
    assert warnings(study).index(sentence) > 0


def test_copies_and_the_clearest_other_unit_are_named():
    study = study_of(
        {"source": "duration"},
        {"source": "copies", "clue": "copies", "config": None},
        {"source": "file"},
    )
    # copies have the same duration
    first, second = unit_warnings(study)
    assert first.startswith("Utterances that are near copies of each other have")
    assert first.endswith("name a column with their source in units of the dataset.")
    assert second.startswith("Utterances in the same file")


def test_what_is_not_found_is_not_named():
    study = study_of({"found": False})
    assert unit_warnings(study) == unit_remarks(study) == []
    empty = make_study()
    assert unit_warnings(empty) == unit_remarks(empty) == []


def test_without_speakers_the_unit_may_be_the_speaker():
    (sentence,) = unit_warnings(study_of({}, speakers=False))
    assert sentence.endswith("units: [text] (or name the column speaker, if it tells the speakers)")


@pytest.mark.parametrize(
    ("copies", "begin"),
    [
        (["x", "y", "x", "x", "y"], "3 of 1,000 utterances are exact copies of other ones."),
        (["x", "x"], "1 of 1,000 utterances is an exact copy of another one."),
    ],
)
def test_the_report_says_how_exact_copies_count(copies, begin):
    study = make_study()
    assert copy_remarks(study) == []
    column = pd.Series([*copies, *[None] * (len(study.metadata) - len(copies))], dtype="string")
    study = replace(study, metadata=study.metadata.assign(**{COPIES: column.to_numpy()}))
    (sentence,) = copy_remarks(study)
    begin = begin.replace("1,000", f"{len(study.metadata):,}")
    assert sentence == begin + (
        " Tests and intervals treat an utterance and its copies as one. Metrics count each of them."
    )
    assert sentence in warnings(study)


def test_without_speakers_intervals_of_slices_count_each_copy():
    study = make_study(speakers=False)
    study = replace(study, metadata=study.metadata.assign(**{COPIES: "x"}))
    (sentence,) = copy_remarks(study)
    assert sentence.endswith("Metrics count each of them, and so do intervals of slices.")
