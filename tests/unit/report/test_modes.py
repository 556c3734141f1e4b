"""The section on failure modes, the summary, and the names that they use."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from report_study import make_study, page_of, write_noise
from voxslice.report import mode_cards, mode_overview, modes
from voxslice.report.page.summary import MAX_BYTES, render_summary


@pytest.fixture
def study():
    return make_study(confirmed=True)


def cards_of(study):
    return {card.mode.name: card for card in mode_cards.cards(study, modes.modes_of(study))}


def changed(study, mode, model, **values):
    """A study with other figures of a mode."""
    rows = (study.modes["mode"] == mode) & (study.modes["model"] == model)
    table = study.modes.astype(dict.fromkeys(values, object))
    table.loc[rows, list(values)] = list(values.values())
    return dataclasses.replace(study, modes=table)


def test_modes_keep_their_order_and_leave_out_the_rest(study):
    found = modes.modes_of(study)
    assert [mode.name for mode in found] == ["1", "2"]
    assert [mode.confirmed for mode in found] == [True, True]
    assert found[0].rows["model"].tolist() == ["a", "b"]
    inside = modes.inside(study, found[0])
    assert np.flatnonzero(inside).tolist() == [1, 3, 5, 7]


@pytest.mark.slow
def test_without_a_confirmed_mode_the_first_suggestions_are_unfolded():
    study = make_study(models=3)
    found = modes.modes_of(study)
    assert not any(mode.confirmed for mode in found)
    assert modes.shown_first(found) == found[:3]
    one = changed(study, found[1].name, "a", confirmed=True, evidence="rows")
    assert [mode.name for mode in modes.shown_first(modes.modes_of(one))] == [found[1].name]


def test_a_card_shows_the_tested_figure_and_the_pooled_drop(study):
    study = changed(
        study, "1", "a", evidence="within speakers", excess=0.62, low=0.5, high=0.74, drop=0.668,
        drop_low=0.55, drop_high=0.79, value=0.18, rest=0.848,
    )  # fmt: skip
    first, second = cards_of(study)["1"].figures
    assert (first.tested, first.interval) == ("62.0 points worse", "[50.0, 74.0]")
    assert first.compared == "than the same speakers elsewhere"
    assert first.metric == (
        "Accuracy 18.0 % here, 84.8 % on all other utterances: 66.8 points [55.0, 79.0] worse"
    )
    assert first.errors == "100 % of the errors in 17 % of the utterances (4 of 4)"
    assert first.notes[0] == "Confirmed: the same speakers do worse here than elsewhere."
    assert first.confirmed
    assert not second.confirmed
    assert second.notes[0] == "Not confirmed."


@pytest.mark.parametrize(
    ("evidence", "words"),
    [
        ("across speakers", "the speakers in it do worse than other speakers"),
        ("held-out speakers", "on speakers that did not choose it"),
        ("rows", "with utterances treated as independent"),
    ],
)
def test_other_evidence_is_the_pooled_drop(study, evidence, words):
    study = changed(study, "1", "a", evidence=evidence, compared_with="all other utterances")
    figures = cards_of(study)["1"].figures[0]
    assert words in figures.notes[0]
    assert figures.compared == "than on all other utterances"
    assert figures.metric.endswith("on all other utterances")


@pytest.mark.parametrize(
    ("low", "speakers", "words"),
    [
        (-0.1, 4, "The test is about these 4 speakers."),
        (-0.1, 1, "It is one speaker, who says nothing about others."),
        (0.1, 4, None),
    ],
)
def test_few_speakers_explain_an_interval_that_holds_zero(study, low, speakers, words):
    study = changed(study, "1", "a", excess=0.3, low=low, speakers=speakers)
    notes = cards_of(study)["1"].figures[0].notes
    assert any(note.startswith(words or "The test is about") for note in notes) == bool(words)


@pytest.mark.parametrize(
    ("values", "note"),
    [
        ({"flagged": 0, "confirmed_unflagged": True}, None),
        ({"flagged": 3, "confirmed_unflagged": np.nan}, None),
        (
            {"flagged": 1, "confirmed_unflagged": True},
            "The audit of the data flags 1 of the utterances here. Without it, it is still"
            " confirmed.",
        ),
        (
            {"flagged": 3, "confirmed_unflagged": False, "excess_unflagged": 0.051},
            "Not confirmed without the utterances that the audit of the data flags (3 of them"
            " here): then it is 5.1 points worse. Look at these utterances first.",
        ),
        (
            {"flagged": 4, "confirmed_unflagged": False, "excess_unflagged": np.nan},
            "Not confirmed without the utterances that the audit of the data flags (4 of them"
            " here). Look at these utterances first.",
        ),
    ],
)
def test_a_card_says_what_flagged_utterances_change(study, values, note):
    notes = cards_of(changed(study, "1", "a", **values))["1"].figures[0].notes
    assert [one for one in notes if "audit" in one] == ([note] if note else [])


def test_a_model_without_evidence_is_compared_as_the_mode_was_tested(study):
    study = changed(study, "1", "b", evidence=np.nan, confirmed=False,
                    compared_with="same speakers", errors=1)  # fmt: skip
    figures = cards_of(study)["1"].figures[1]
    assert figures.compared == "than the same speakers elsewhere"


def test_a_mode_of_one_speaker_is_called_that(study):
    study = changed(study, "1", "a", speakers=1, leading_speaker="s1")
    card = cards_of(changed(study, "1", "b", speakers=1))["1"]
    assert card.size == "4 utterances of one speaker"
    assert not any("more than half" in note for note in card.figures[0].notes)
    study = changed(study, "1", "a", speakers=3, leading_speaker="s1")
    card = cards_of(study)["1"]
    assert "Speaker s1 makes more than half of these errors." in card.figures[0].notes


def test_a_model_without_errors_in_a_mode_has_no_further_figures(study):
    figures = cards_of(changed(study, "1", "a", errors=0, errors_elsewhere=3))["1"].figures[0]
    assert (figures.tested, figures.notes) == ("No errors", ["All of its 3 errors are elsewhere."])


def test_differences_are_hints_if_they_are_significant(study):
    hints = cards_of(study)["1"].hints
    assert hints == ["Pitch is 80.3 Hz higher than in the same speakers’ other utterances."]
    assert len(cards_of(study)["1"].differences.rows) == 2
    assert cards_of(study)["2"].hints == []
    assert cards_of(study)["2"].differences is None
    unknown = study.mode_differences.assign(speakers=np.nan)
    hints = cards_of(dataclasses.replace(study, mode_differences=unknown))["1"].hints
    assert hints == ["Pitch is 80.3 Hz higher than in other utterances."]


def test_a_regression_tells_shares_of_the_absolute_error():
    study = make_study(classification=False, confirmed=True)
    card = cards_of(study)["1"]
    assert "of the absolute error in" in card.figures[0].errors
    assert card.figures[0].tested.endswith(("years worse", "years better"))


def test_the_overview_ends_with_the_errors_that_no_mode_holds(study):
    found = modes.modes_of(study)
    every = mode_overview.overview(study, found, every_model=True)
    assert [row[0].text for row in every.rows] == [
        "Gender = male, emotion = anger", "", "<b>x</b>", "", "No failure mode", "",
    ]  # fmt: skip
    decisive = mode_overview.overview(study, found, every_model=False)
    assert [row[1].text for row in decisive.rows] == ["a", "b", "a", "b"]
    brief = mode_overview.overview(study, found, every_model=False, brief=True)
    assert [row[1].text for row in brief.rows] == ["a", "b"]


def test_the_chart_draws_a_bar_per_mode_and_model(study, monkeypatch):
    found = modes.modes_of(study)
    drawing = mode_overview.share_chart(study, found)
    rows = next(
        rows for rows in drawing.spec["datasets"].values() if len(rows) and "errors" in rows[0]
    )
    assert [(row["text"], row["model"]) for row in rows] == [
        ("1  gender = male, emotion = anger", "a"), ("1  gender = male, emotion = anger", "b"),
        ("2  <b>x</b>", "a"), ("2  <b>x</b>", "b"),
        ("no failure mode", "a"), ("no failure mode", "b"),
    ]  # fmt: skip
    for model in ("a", "b"):
        total = sum(row["errors"] for row in rows if row["model"] == model)
        assert total == pytest.approx(100)
    assert "The chart shows" not in drawing.note
    monkeypatch.setattr(mode_overview, "MAX_CHART_MODES", 1)
    assert "shows the first 1 of 2 modes" in mode_overview.share_chart(study, found).note


@pytest.mark.slow
def test_the_first_modes_are_unfolded_and_the_others_folded(tmp_path, monkeypatch):
    monkeypatch.setattr("voxslice.report.page.render.OPEN_MODES", 1)
    html = page_of(make_study(confirmed=True), write_noise(tmp_path))
    assert re.findall(r'<article class="mode" id="mode-(\w+)"', html) == ["1"]
    assert re.findall(r'<details class="mode" id="mode-(\w+)"', html) == ["2"]


@pytest.mark.slow
def test_a_study_without_slices_has_no_mode(tmp_path):
    html = page_of(make_study(slices=False), write_noise(tmp_path))
    assert "No failure mode was found" in html
    assert "<audio" not in html


@pytest.mark.slow
@pytest.mark.parametrize("classification", [True, False])
def test_the_summary_is_small_and_has_no_script(classification):
    study = make_study(classification=classification, confirmed=True, models=3)
    html = render_summary(study, "gender.html")
    assert len(html.encode()) <= MAX_BYTES
    assert not re.search(r"<(script|audio|img)", html)
    assert 'href="gender.html"' in html
    assert html.count("<svg") == 1
    for words in ("The answer", "Bear in mind", "Failure modes", "Overall metrics"):
        assert words in html


@pytest.mark.slow
def test_a_summary_that_is_too_large_leaves_out_its_chart(study, monkeypatch):
    whole = render_summary(study, "gender.html")
    monkeypatch.setattr("voxslice.report.page.summary.MAX_BYTES", len(whole.encode()) - 1)
    html = render_summary(study, "gender.html")
    assert "<svg" not in html
    assert "Failure modes, the worst first" in html


def test_text_of_data_is_escaped_in_the_summary(study):
    rows = study.modes.assign(name="<script>alert(1)</script>")
    html = render_summary(dataclasses.replace(study, modes=rows), "a.html")
    assert "<script" not in html
    assert "&lt;script&gt;" in html


def test_the_table_of_slices_links_each_slice_to_its_mode(study):
    card = cards_of(study)["1"]
    assert [row[1].text for row in card.slices.rows] == ["gender = male & emotion = anger"]
    links = study.mode_slices
    assert isinstance(links, pd.DataFrame)
    assert len(links) == sum(len(model.slices) for model in study.models)
