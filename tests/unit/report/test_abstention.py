"""The part of the report on abstention."""

import dataclasses

import pandas as pd
import pytest
from report_study import make_study, page_of, write_noise
from voxslice.decisions.abstention import ABSTENTION_COLUMNS, COVERAGES, THRESHOLD_COLUMNS
from voxslice.report.abstention import abstention_table, risk_charts, sentences


def rows(mode, name, risks, answered):
    """Rows of a group whose risk without abstention is the first one."""
    return [
        {
            "model": "a", "mode": mode, "name": name, "by": "confidence", "coverage": coverage,
            "threshold": coverage, "support": 60, "answered": count, "coverage_of_mode": count / 60,
            "risk": risk, "low": risk - 0.05, "high": risk + 0.05, "change": risk - risks[0],
            "change_low": risk - risks[0] - 0.02, "change_high": risk - risks[0] + 0.02,
            "area": 0.1, "area_low": 0.05, "area_high": 0.2,
        }
        for coverage, risk, count in zip(COVERAGES, risks, answered, strict=True)
    ]  # fmt: skip


def study(**thresholds):
    counts = [60, 57, 54, 48, 42, 36, 30]
    risks = [0.683, 0.7, 0.75, 0.842, 0.8, 0.7, 0.7]
    table = pd.DataFrame(
        rows("all", "all utterances", [0.144, 0.13, 0.11, 0.072, 0.04, 0.03, 0.02], counts)
        + rows("1", "male, anger", risks, [60, 52, 44, 19, 9, 3, 0])
        + rows("2", "fear", [0.2, 0.2, 0.19, 0.1, 0.1, 0.1, 0.1], counts),
        columns=ABSTENTION_COLUMNS,
    )
    table.loc[len(table)] = {
        "model": "a", "mode": "all", "name": "all utterances", "by": "rule", "rule": "high pitch",
        "coverage": 0.88, "answered": 50, "risk": 0.09, "low": 0.05, "high": 0.2, "change": -0.05,
    }  # fmt: skip
    halves = [
        {"model": "a", "wanted": 0.05, "half": half, "threshold": 0.9, "coverage_elsewhere": 0.6,
         "risk_elsewhere": 0.04, "kept": True} | thresholds
        for half in ("first", "second")
    ]  # fmt: skip
    return dataclasses.replace(
        make_study(),
        abstention=table,
        thresholds=pd.DataFrame(halves, columns=THRESHOLD_COLUMNS),
    )


def test_sentences_tell_the_gain_and_the_mode_that_gets_worse():
    first, second, third = sentences(study())
    assert first == (
        "If a does not answer the 20 % of the utterances in which it is least sure, its error rate"
        " is 7.2 % instead of 14.4 %."
    )
    assert second == (
        "In the failure mode male, anger, abstention makes a worse: the error rate rises from"
        " 68.3 % to 84.2 % of the 19 answered utterances, since the model is surer where it is"
        " wrong."
    )
    assert third == (
        "A threshold for an error rate of a of at most 5.0 %, chosen on half of the speakers, does"
        " this on the others: 60 % answered with an error rate of 4.0 % and 60 % answered with an"
        " error rate of 4.0 %. The limit is kept."
    )


def test_the_worst_condition_is_told():
    rows = [
        {"model": "a", "condition": name, "coverage_clean": clean, "coverage": 0.9, "risk": risk,
         "change": -0.05}
        for name, clean, risk in (("white", 1, 0.9), ("white", 0.8, 0.2), ("phone", 0.8, 0.4))
    ]  # fmt: skip
    found = sentences(dataclasses.replace(study(), abstention_in_conditions=pd.DataFrame(rows)))
    assert found[2] == (
        "In the condition phone, the same threshold answers 90 % with an error rate of 40.0 %;"
        " without abstention, it is 45.0 % there."
    )
    rows[2] |= {"coverage": 1.0, "change": 0.0}
    found = sentences(dataclasses.replace(study(), abstention_in_conditions=pd.DataFrame(rows)))
    assert found[2] == (
        "In the condition phone, the model reaches the same threshold on all utterances. It answers"
        " all of them, with an error rate of 40.0 %."
    )


def test_a_rise_that_may_be_chance_is_told_as_such():
    one = study()
    one = dataclasses.replace(one, abstention=one.abstention.assign(change_low=-0.1))
    assert sentences(one)[1] == (
        "In the failure mode male, anger, abstention does not help a: the error rate is 68.3 %"
        " without abstention and 84.2 % of the 19 answered utterances with it. With these speakers,"
        " the rise may be chance."
    )


def test_a_threshold_that_is_not_found_is_told():
    assert sentences(study(threshold=None))[-1].startswith("No threshold is shown to keep the")
    assert sentences(study(kept=False))[-1].endswith("The limit is not kept.")


def test_the_table_shows_each_group_and_rule():
    table = abstention_table(study())
    assert [row[1].text for row in table.rows] == [
        "all utterances", "male, anger", "fear", "all except high pitch: 88 %",
    ]  # fmt: skip
    whole, anger, _, rule = table.rows
    assert [cell.text for cell in whole[2:]] == ["14.4", "11.0", "7.2", "2.0", "10.0"]
    assert (anger[4].text, anger[4].note, anger[4].mark) == (
        "84.2",
        "[79.2, 89.2] of 19",
        "verdict-worse",
    )
    assert anger[5].note == "none answered"
    assert [cell.text for cell in rule[2:]] == ["–", "9.0", "–", "–", "–"]


@pytest.mark.slow
def test_the_charts_show_the_risk_of_answered_utterances():
    (_, whole), (name, anger), _ = risk_charts(study())
    assert name == "male, anger"
    assert whole.name == "Error rate by coverage: all utterances"
    [points] = anger.spec["datasets"].values()
    assert [(point["coverage"], point["risk"]) for point in points[:4]] == [
        (100, pytest.approx(68.3)), (95, 70), (90, 75), (80, pytest.approx(84.2)),
    ]  # fmt: skip
    assert len(points) == 6  # at the lowest coverage no utterance of the mode is answered
    assert anger.svg.count("<path") > 3


@pytest.mark.slow
def test_the_page_has_the_part_only_with_confidences(tmp_path):
    page = page_of(study(), write_noise(tmp_path))
    assert "Abstention: what if a model does not answer where it is unsure?" in page
    assert "<summary>Abstention" not in page_of(make_study(), tmp_path)
