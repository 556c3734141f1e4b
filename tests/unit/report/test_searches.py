"""What the report tells about the searches of the study, and about what they chose."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from report_study import make_study
from voxslice.report.answer import answer
from voxslice.report.corrected import with_corrected_excess
from voxslice.report.mode_cards import cards
from voxslice.report.modes import modes_of
from voxslice.report.searches import only_in_search, ruled_out, searches_sentence
from voxslice.report.slice_tables import slice_table
from voxslice.report.study import distinct
from voxslice.slices.study_level import STUDY_COLUMNS
from voxslice.slices.table import SEARCH_COLUMNS


def test_the_number_of_searches_and_the_level_are_named():
    searches = pd.DataFrame({"q_study": [0.01, 0.3, np.nan], "level": 0.05})
    assert searches_sentence(searches) == (
        "With 2 searches in the study, the chance of a finding in any search without a true slice"
        " is at most 5 %."
    )
    assert searches_sentence(searches.head(1)).startswith("With one search in the study")
    assert searches_sentence(pd.DataFrame(columns=STUDY_COLUMNS)) == ""


def test_a_mode_that_only_its_search_confirms_is_explained():
    searches = pd.DataFrame(
        [["made", "gender", "a", "words", 0.12], ["made", "gender", "b", "words", 0.01]],
        columns=["dataset", "task", "model", "search", "q_study"],
    )
    row = pd.Series({"model": "a", "confirmed_by": "words"})
    text = only_in_search(searches, "made", "gender", row)
    assert "all 2 searches of the study count (q = 0.120)" in text


def with_limits(study, limits):
    rows = [["few", "subgroups", 50, 2, 0, 0, 1.0, 0.5, 0.5, 0.5, 10],
            ["many", "subgroups", 500, 2, 0, 0, 1.0, *limits, 10]]  # fmt: skip
    table = pd.DataFrame(rows, columns=SEARCH_COLUMNS)
    models = [dataclasses.replace(model, searches=table) for model in study.models]
    return dataclasses.replace(study, models=models)


def test_what_the_largest_search_rules_out():
    study = with_limits(make_study(slices=False), [0.25, 0.125, np.nan])
    text = ruled_out(study, study.models[0])
    assert "that the search many judged is worse than the rest by more than 25.0 points" in text
    assert text.endswith("12.5 points).")
    assert any(text in sentence for sentence in answer(study))
    nothing = with_limits(study, [np.nan] * 3)
    assert "search few" in ruled_out(nothing, nothing.models[0])
    none = dataclasses.replace(study.models[0], searches=pd.DataFrame(columns=SEARCH_COLUMNS))
    assert ruled_out(study, none) == ""


@pytest.fixture
def corrected():
    study = make_study(confirmed=True)
    modes = study.modes.copy()
    first = (modes["mode"] == "1") & modes["confirmed"].astype(bool)
    assert first.any()
    modes.loc[first, ["corrected", "corrected_low", "corrected_high"]] = [0.2, -0.01, 0.6]
    return dataclasses.replace(study, modes=with_corrected_excess(modes)), study


def test_the_corrected_figure_of_a_mode_is_shown_first_and_the_measured_one_beside_it(corrected):
    study, before = corrected
    figures = cards(study, modes_of(study))[0].figures[0]
    assert figures.tested == "20.0 points worse"
    measured = before.measure.change(
        before.modes.loc[before.modes["mode"] == "1", "excess"].iloc[0]
    )
    assert any(
        note.startswith(f"Before the correction for its choice by the search: {measured}")
        for note in figures.notes
    )
    assert f"({measured} before the correction for the search)" in " ".join(answer(study))


def test_the_answer_leaves_out_a_measured_figure_that_is_nearly_the_corrected_one(corrected):
    study, before = corrected
    modes = before.modes.copy()
    excess = modes.loc[modes["mode"] == "1", "excess"].iloc[0]
    figures = [excess * 0.95, excess * 0.5, excess * 1.5]
    first = (modes["mode"] == "1") & modes["confirmed"].astype(bool)
    modes.loc[first, ["corrected", "corrected_low", "corrected_high"]] = figures
    nearly = dataclasses.replace(study, modes=with_corrected_excess(modes))
    assert "before the correction" not in " ".join(answer(nearly))


def test_nothing_is_corrected_without_a_correction():
    study = make_study(confirmed=True)
    shown = with_corrected_excess(study.modes)
    pd.testing.assert_series_equal(shown["excess"], study.modes["excess"])
    assert shown["measured"].isna().all()


@pytest.mark.parametrize(
    "evidence, label", [("within speakers", "all others"), ("across speakers", "measured")]
)
def test_the_table_of_slices_labels_the_figure_below_a_corrected_drop(evidence, label):
    study = make_study(confirmed=True)
    model = study.models[0]
    rows = (
        distinct(model.slices)
        .head(1)
        .assign(evidence=evidence, corrected=0.2, corrected_low=-0.01, corrected_high=0.6)
    )
    notes = [cell.note for cell in slice_table(study, model, rows).rows[0]]
    space = "\N{NO-BREAK SPACE}"
    assert any(f" {label.replace(' ', space)}{space}+" in note for note in notes)
