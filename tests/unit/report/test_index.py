"""The index of all reports: one row per dataset, task and model, links, and what failed."""

import dataclasses
import re

import numpy as np
import pandas as pd
import pytest
from report_study import make_costs, make_study
from voxslice.report.page.index import Compared, failure_table, model_table, render_index
from voxslice.utterance_keys import KEY

CARDS = {name: {"size_mb": 1.5} for name in "abc"} | {"given": {"size_mb": None}}
SEARCHES = pd.DataFrame({"q_study": [0.01, 1.0, np.nan], "level": 0.05})
FAILURES = pd.DataFrame(columns=[*KEY, "reason"])


def compared(study, **changes):
    one = Compared(
        study.dataset,
        study.task,
        [model.name for model in study.models],
        study.task_settings["type"],
        study.unit,
        None,
        study.metrics,
        study.comparison,
        study.modes,
        study.checks,
    )
    return dataclasses.replace(one, **changes)


def costs_of(names):
    table = make_costs(names)
    return {name: table[table["model"] == name] for name in names}


def rows_of(*studies):
    return model_table(studies, CARDS, costs_of("ab")).rows


@pytest.mark.slow
def test_each_model_has_its_result_verdict_worst_mode_and_costs():
    study = make_study(confirmed=True, models=3)
    rows = rows_of(compared(study))
    assert [row[0].text for row in rows] == ["made / gender", "", ""]
    assert [row[1].text for row in rows] == ["a", "b", "c"]
    assert [row[2].text for row in rows] == ["83.3 %", "87.5 %", "50.0 %"]
    assert rows[0][0].note == "accuracy"
    assert all(re.fullmatch(r"\[.*\]", row[2].note) for row in rows[:2])
    assert rows[1][3].text == "best result"
    assert rows[0][3].text == "no difference to b is shown"
    assert rows[0][4].text == "gender = male, emotion = anger"
    assert rows[0][4].note == "100 % of the errors in 17 % of the utterances"
    assert [row[5].text for row in rows] == ["1.5"] * 3
    assert [row[6].text for row in rows] == ["10.0", "20.0", "–"]


@pytest.mark.parametrize(
    ("verdict", "words"),
    [("better", "worse than b"), ("worse", "better than b"), ("equivalent", "equivalent to b")],
)
def test_a_verdict_is_about_the_model_of_the_row(verdict, words):
    study = make_study()
    pair = (study.comparison["model_a"] == "a") & (study.comparison["model_b"] == "b")
    assert pair.any()
    table = study.comparison.assign(verdict=verdict)
    assert rows_of(compared(study, comparison=table))[0][3].text == words


def test_models_that_were_not_compared_have_no_verdict():
    study = make_study()
    cell = rows_of(compared(study, comparison=study.comparison.head(0)))[0][3]
    assert (cell.text, cell.note) == ("not compared", "with b")
    only = make_study(models=1)
    assert rows_of(compared(only))[0][3].text == "the only model"


def test_an_unconfirmed_mode_is_named_as_such():
    study = make_study()
    assert rows_of(compared(study))[0][4].note.endswith("of the utterances, not confirmed")
    without = compared(study, modes=study.modes.assign(share_of_errors=np.nan))
    assert rows_of(without)[0][4].text == "–"


def test_a_regression_is_ranked_by_its_error():
    rows = rows_of(compared(make_study(classification=False)))
    assert [row[3].text for row in rows][1] == "best result"
    assert rows[0][2].text.endswith("years")
    assert "of the absolute error in" in rows[0][4].note


def test_the_metric_of_the_task_is_shown():
    study = make_study()
    rows = rows_of(compared(study, metric="uar"))
    assert rows[0][0].note == "unweighted average recall"


def test_failures_are_counted_by_their_reason():
    reasons = ["no audio"] * 3 + ["too long"] * 2 + ["x", "y", "z"]
    failed = pd.DataFrame({"file": "a.wav", "start": 0.0, "end": 1.0, "reason": reasons})
    table = failure_table({("made", "a"): failed, ("made", "b"): FAILURES})
    assert [[cell.text for cell in row] for row in table.rows] == [
        ["made", "a", "3", "no audio"], ["made", "a", "2", "too long"], ["made", "a", "1", "x"],
        ["made", "a", "2", "other reasons"],
    ]  # fmt: skip
    assert failure_table({("made", "b"): FAILURES}) is None


def test_the_page_links_reports_and_summaries_and_has_no_script():
    study = make_study(confirmed=True)
    html = render_index(
        [compared(study), compared(study, dataset="other set", task="<b>")],
        cards=CARDS,
        costs={},
        failures={("made", "a"): FAILURES},
        searches=SEARCHES,
    )
    assert re.findall(r'href="([^"#]+)"', html)[1:] == [
        "made/gender.html", "made/gender.summary.html",
        "other%20set/%3Cb%3E.html", "other%20set/%3Cb%3E.summary.html",
    ]  # fmt: skip
    assert "<script" not in html and "<b>" not in html
    assert "Every model scored every utterance." in html
    assert "With 2 searches in the study, the chance of a finding" in html


def test_the_answers_of_checks_are_counted_beside_the_link():
    answers = pd.DataFrame({"answer": ["passed", "failed", "failed", "undecided"]})
    study = make_study()
    parts = {"cards": CARDS, "costs": {}, "failures": {}, "searches": SEARCHES}
    html = render_index([compared(study, checks=answers)], **parts)
    assert 'checks: <a href="made/gender.html#checks">2 failed, 1 undecided, 1 passed</a>' in html
    assert "checks:" not in render_index([compared(study)], **parts)
