"""The section "Checks" of the report."""

import dataclasses

import pytest
from report_study import make_study, page_of, write_noise
from voxslice.decisions.table import check_models
from voxslice.report.checks import check_sentence, check_table


def check(number, **more):
    return {
        "check": number, "model": "b", "against": "a", "on": "overall", "metric": "accuracy",
        "relation": "at_least", "limit": -0.9, "cost": None, "threads": None, "seconds": None,
        "condition": None,
    } | more  # fmt: skip


@pytest.fixture(scope="module")
def study():
    study = make_study(costs=True)
    scores = {model.name: model.scores for model in study.models}
    costs = {"b": study.costs[study.costs["model"] == "b"]}
    checks = [
        check(1, limit=0.9),
        check(2, on={"gender": "male"}),
        check(3, against=None, metric=None, cost="p95_ms", relation="below", limit=50.0),
        check(4, against=None, metric=None, cost="rtf", relation="below", limit=1.0),
    ]
    answers = check_models(checks, scores, study.metadata, costs=costs)
    return dataclasses.replace(study, checks=answers)


def test_failed_checks_come_first_with_their_numbers(study):
    rows = check_table(study).rows
    assert [row[1].text for row in rows] == ["failed", "failed", "undecided", "passed"]
    first, cost, unknown, last = rows
    assert (first[0].text, first[0].note) == ("b", "minus a")
    assert (first[2].text, first[2].note) == ("accuracy", "all utterances")
    assert first[3].text == "+4.2 points"
    assert first[3].note.startswith("[")
    assert first[4].text == "at least +90.0 points"
    assert first[5].text == "6"
    assert first[6].text.endswith(" points")
    assert cost[2].text == "p95_ms"
    assert cost[2].note == "3 s of audio, 1 thread"
    assert [cell.text for cell in cost[3:5]] == ["72", "below 50"]
    assert "too few speakers" in unknown[1].note
    assert (first[1].note, len(first)) == ("", 8)
    assert unknown[4].text == "at least \N{MINUS SIGN}90.0 points"
    assert [last[3].text, last[4].text] == ["0.02", "below 1"]
    assert check_sentence(study.checks) == "Of 4 checks, 2 failed, 1 is undecided and 1 passed."


@pytest.mark.slow
def test_the_page_has_the_section_only_with_checks(study, tmp_path):
    page = page_of(study, write_noise(tmp_path))
    assert '<section id="checks">' in page
    assert '<a href="#checks">' in page
    assert "results/checks/made/gender.csv" in page.replace("<wbr>", "")
    assert 'id="checks"' not in page_of(make_study(), tmp_path)
